from html import escape

import pytest

from nightjar.stages.page import Html, link, number, page, table, tag, text


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


@pytest.mark.parametrize("uri", ["s3://b/a.txt", "https://b/a?b=1&c=2", """s3://b/"><img src=x onerror='a()'>"""])
def test_a_source_is_linked_and_escaped(uri: str) -> None:
    assert link(uri) == f'<a href="{escape(uri)}" rel="noreferrer">{escape(uri)}</a>'


@pytest.mark.parametrize(
    "uri",
    [
        *("javascript:alert(1)", "http://b/a", "data:text/html,<b>", " s3://b/a", "S3:a", "d0c5", "<s3://b/a>", ""),
        *("s3://b/a\nb", "s3://b/a\tb", "s3://b/a\x00", "s3://b/\u202egpj.txt", "s3://b/\ud800"),
    ],
)
def test_another_scheme_and_what_cannot_be_printed_stay_text(uri: str) -> None:
    assert link(uri) == text(uri)
    assert isinstance(link(uri), Html)


def test_an_empty_table_says_so() -> None:
    assert table(("a",), []) == "<p>None.</p>"


@pytest.mark.parametrize(("value", "shown"), [(3.0, 3), (0.123456, "0.1235"), (1e-9, "1e-09")])
def test_numbers_are_short(value: float, shown: str | int) -> None:
    assert number(value) == shown
