import random

import pytest

from nightjar.stages.repeats import Repeats, count_repeats, sketch


def prose(seed: int, *, words: int = 800) -> list[str]:
    chosen = random.Random(seed)
    return ["".join(chosen.choices("abcdefghijklmnop", k=chosen.randint(2, 9))) for _ in range(words)]


def counted(*texts: str) -> Repeats:
    return count_repeats(map(sketch, texts))


def test_different_texts_are_no_repeats() -> None:
    assert counted(*(" ".join(prose(n)) for n in range(40))) == Repeats(40, 0, 0)


def test_case_and_white_space_do_not_matter() -> None:
    assert counted("One  text\nhere", "one text HERE") == Repeats(2, 1, 0)


@pytest.mark.parametrize("seed", range(8))
def test_a_text_with_one_word_changed_is_nearly_the_same(seed: int) -> None:
    words = prose(seed)
    assert counted(" ".join(words), " ".join([*words[:400], "otherwise", *words[401:]])) == Repeats(2, 0, 1)


@pytest.mark.parametrize("seed", range(8))
def test_texts_that_share_a_half_are_not_nearly_the_same(seed: int) -> None:
    words = prose(seed)
    assert counted(" ".join(words), " ".join(words[:400] + prose(seed + 100, words=400))) == Repeats(2, 0, 0)


def test_every_further_copy_counts() -> None:
    assert counted("same", "same", "same", "other").exact == 2


def test_texts_without_spaces_are_compared_too() -> None:
    text = "".join(random.Random(1).choices([chr(c) for c in range(0x4E00, 0x5000)], k=900))
    assert counted(text, text[:450] + "龍" + text[451:]) == Repeats(2, 0, 1)


def test_short_and_odd_texts_have_a_sketch() -> None:
    assert counted("", "a", "\ud800", "") == Repeats(4, 1, 0)


def test_sketches_of_two_nights_compare() -> None:
    assert sketch("a text").hashes[0] == sketch("a  text").hashes[0]
    assert all(0 <= number < 2**48 for number in sketch("a text").hashes)
