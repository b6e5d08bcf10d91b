import pytest

from nightjar.corpus.schedule import cron_problem, read_schedule


@pytest.mark.parametrize(
    "line", ["0 2 * * *", "*/15 * * * *", "0 0 1,15 * mon-fri", "5 4 * JAN 0-6/2", "0 2 L * *", "0 2 * * mon#2"]
)
def test_a_cron_line_of_five_fields_is_accepted(line: str) -> None:
    assert cron_problem(line) is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 2 * *", "has 4 fields"),
        ("0 25 * * *", "'25' is no hour"),
        ("60 2 * * *", "'60' is no minute"),
        ("0 2 0 * *", "'0' is no day of the month"),
        ("0 2 * 13 *", "'13' is no month"),
        ("0 2 * * funday", "'funday' is no day of the week"),
        ("0 2 * * */0", "is no day of the week"),
    ],
)
def test_a_wrong_cron_field_is_named(line: str, said: str) -> None:
    assert said in (cron_problem(line) or "")


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="@nightly' is no preset; use one of @once"):
        read_schedule("@nightly")
