import pytest

from nightjar.stages.page import Html, number, page, table, tag, text


def test_a_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>", tag("i", "&")) == "<p>&lt;b&gt;<i>&amp;</i></p>"


def test_a_lone_surrogate_becomes_a_question_mark() -> None:
    assert text("a\ud800b") == "a?b"


def test_markup_is_escaped_once() -> None:
    assert text(text("<")) == "&lt;"
    assert text(Html("<br>")) == "<br>"


def test_a_class_cannot_leave_its_attribute() -> None:
    assert tag("p", css='"><script>') == '<p class="&quot;&gt;&lt;script&gt;"></p>'


def test_a_page_forbids_scripts_and_requests_by_itself() -> None:
    made = page("title", tag("p", "text"))
    assert "default-src &#x27;none&#x27;" in made
    assert "script-src" not in made


def test_an_empty_table_says_so() -> None:
    assert table(("a",), []) == "<p>None.</p>"


@pytest.mark.parametrize(("value", "shown"), [(3.0, 3), (0.123456, "0.1235"), (1e-9, "1e-09")])
def test_numbers_are_short(value: float, shown: str | int) -> None:
    assert number(value) == shown
