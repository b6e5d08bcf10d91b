from datetime import timedelta

import pytest

from nightjar.corpus.units import parse_duration, parse_share, parse_size, write_duration, write_size


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400), ("500ms", 0.5), ("1.5h", 5400)]
)
def test_a_duration_is_a_number_and_a_unit(written: str, seconds: float) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("written", "size"), [("200MB", 200_000_000), ("2GiB", 2 * 2**30), ("512KiB", 524_288), ("7kB", 7_000), ("12B", 12)]
)
def test_a_size_tells_powers_of_1000_from_powers_of_1024(written: str, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize(("written", "share"), [("5%", 0.05), (0.05, 0.05), ("12.5 %", 0.125), (1, 1.0), (0, 0.0)])
def test_a_share_is_a_percentage_or_a_fraction(written: object, share: float) -> None:
    assert parse_share(written) == pytest.approx(share)


@pytest.mark.parametrize("written", ["90", 90, "2 hours", "-3s", "", None, True])
def test_a_duration_without_a_unit_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is no duration; write a number and a unit"):
        parse_duration(written)


@pytest.mark.parametrize("written", ["200", 200, "2 GB or so", "MB", None, True])
def test_a_size_without_a_unit_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is no size; write a number and a unit"):
        parse_size(written)


@pytest.mark.parametrize("written", [5, "500%", -0.1, float("nan"), float("inf")])
def test_a_share_outside_its_range_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"five per cent as 5% or 0\.05"):
        parse_share(written)


def test_yes_is_no_share() -> None:
    with pytest.raises(ValueError, match="is no share"):
        parse_share(True)  # noqa: FBT003 - the value under test


@pytest.mark.parametrize("size", [1, 1024, 200_000_000, 2 * 2**30, 123_457])
def test_a_written_size_reads_back(size: int) -> None:
    assert parse_size(write_size(size)) == size


def test_a_written_duration_reads_back() -> None:
    assert parse_duration(write_duration(timedelta(minutes=2))) == timedelta(minutes=2)
