import pytest

from nightjar.plural import counted


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 documents"), (1, "1 document"), (2, "2 documents"), (1_234, "1,234 documents")]
)
def test_a_count_is_told_with_the_word_that_fits_it(count: int, told: str) -> None:
    assert counted(count, "document") == told


@pytest.mark.parametrize(("count", "told"), [(1, "1 other was"), (3, "3 others were")])
def test_a_verb_goes_with_its_noun(count: int, told: str) -> None:
    assert counted(count, "other was", "others were") == told
