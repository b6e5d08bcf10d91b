from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.adapters.memory.embedder import MemoryTokenizer
from nightjar.errors import Misconfigured
from nightjar.model import Chunk, Element, ParsedDocument
from nightjar.stages.chunk import ChunkRules, chunk, usual_tokens

TOKENIZER = MemoryTokenizer()
RULES = ChunkRules(max_tokens=40)


def a_document(*elements: Element, title: str = "") -> ParsedDocument:
    return ParsedDocument("text/plain", "utf-8", title, "eng", elements)


def heading(text: str, depth: int | None = 0) -> Element:
    return Element("Title", text, depth=depth)


def prose(text: str, page: int | None = None) -> Element:
    return Element("NarrativeText", text, page=page)


def sentences(count: int, *, words: int = 8, of: str = "word") -> str:
    return " ".join(f"{of}{i}" + f" {of}" * (words - 2) + "." for i in range(count))


def chunks_of(*elements: Element, title: str = "", rules: ChunkRules = RULES) -> tuple[Chunk, ...]:
    return chunk(a_document(*elements, title=title), tokenizer=TOKENIZER, rules=rules)


def letters(text: str) -> str:
    return "".join(text.split())


def test_a_document_without_text_has_no_chunks() -> None:
    assert chunks_of(prose("  \n "), Element("PageBreak", "")) == ()


def test_ordinals_count_from_zero() -> None:
    assert [one.ordinal for one in chunks_of(prose(sentences(12)))] == [0, 1, 2]


def test_sentences_stay_whole() -> None:
    assert all(one.text.endswith(".") for one in chunks_of(prose(sentences(30))))


@pytest.mark.parametrize("abbreviation", ["Dr.", "e.g.", "et al.", "Fig.", "J."])
def test_an_abbreviation_does_not_end_a_sentence(abbreviation: str) -> None:
    text = f"{'one ' * 30}{abbreviation} {'Two ' * 10}end. Next one."
    first = chunks_of(prose(text), rules=ChunkRules(max_tokens=60))[0]
    assert first.text.endswith("end. Next one.")


# Each of the next three takes no time; where its text is gone through again and again, hours.


def test_spaces_of_any_kind_between_sentences_are_read_once() -> None:
    (only,) = chunks_of(prose("Seen here: " + "\u2028" * 500_000 + " the end."))
    assert only.text.split() == ["Seen", "here:", "the", "end."]


def test_headings_without_text_are_read_once() -> None:
    found = chunks_of(*(heading(f"{number}") for number in range(50_000)), prose("The end."))
    assert sum(len(one.text.split()) for one in found) == 50_002


def test_a_long_text_is_given_to_the_tokenizer_in_slices() -> None:
    tokenizer = MeteredTokenizer()
    text = sentences(60_000)
    sliced = chunk(a_document(prose(text)), tokenizer=tokenizer, rules=RULES)
    assert tokenizer.longest <= 100_000 < len(text)
    assert " ".join(one.text for one in sliced) == text


def test_ideographic_sentences_end_without_a_space() -> None:
    text = "".join(f"{'字 ' * 9}字。" for _ in range(8))
    assert all(one.text.endswith("。") for one in chunks_of(prose(text)))


def test_a_heading_stays_with_the_text_it_introduces() -> None:
    elements = (prose(sentences(4)), heading("Second"), prose(sentences(4, of="other")))
    assert not any(one.text.endswith("Second") for one in chunks_of(*elements))


def test_headings_above_a_passage_are_its_context() -> None:
    last = chunks_of(heading("Guide"), heading("Setup", 1), prose(sentences(12)))[-1]
    assert last.context == "Guide\nSetup"


def test_a_heading_in_the_text_is_not_repeated_as_context() -> None:
    first = chunks_of(heading("Guide"), prose(sentences(12)))[0]
    assert (first.context, first.text.splitlines()[0]) == ("", "Guide")


def test_the_title_is_context_where_no_heading_says_it() -> None:
    assert chunks_of(prose(sentences(2)), title="Handbook")[0].context == "Handbook"


def test_a_title_that_is_the_first_heading_is_said_once() -> None:
    assert chunks_of(heading("Handbook"), prose(sentences(12)), title="handbook")[-1].context == "Handbook"


def test_the_nearest_heading_is_kept_where_the_trail_is_too_long() -> None:
    trail = (heading("far " * 4), heading("near " * 4, 1))
    assert chunks_of(*trail, prose(sentences(12)))[-1].context == ("near " * 4).strip()


def test_context_takes_no_more_than_an_eighth_of_a_chunk() -> None:
    found = chunks_of(heading("long " * 9), prose(sentences(30)), rules=ChunkRules(max_tokens=66))
    assert {one.context for one in found} == {""}


def test_a_title_that_reads_like_sentences_is_said_once() -> None:
    title = "Cohen v. California? (A case.)"
    first = chunks_of(heading(title), prose(sentences(2)), title=title, rules=ChunkRules(max_tokens=128))[0]
    assert (first.context, first.text.splitlines()[0]) == ("", title)


@pytest.mark.parametrize(("reads", "usual"), [(64, 64), (128, 128), (256, 128), (384, 192), (512, 256), (8192, 256)])
def test_a_chunk_is_usually_half_of_what_the_model_reads(reads: int, usual: int) -> None:
    assert usual_tokens(MemoryTokenizer(max_tokens=reads)) == usual


def test_without_headings_nothing_is_prefixed() -> None:
    rules = ChunkRules(max_tokens=40, headings=False)
    found = chunks_of(heading("Guide"), prose(sentences(12)), title="Title", rules=rules)
    assert {one.context for one in found} == {""}


def test_the_heading_path_is_kept_without_headings() -> None:
    rules = ChunkRules(max_tokens=40, headings=False)
    assert chunks_of(heading("Guide"), prose(sentences(12)), rules=rules)[-1].heading_path == ("Guide",)


def test_a_deeper_heading_closes_with_the_next_shallow_one() -> None:
    elements = (heading("A"), heading("B", 1), prose(sentences(12)), heading("C"), prose(sentences(12)))
    assert chunks_of(*elements)[-1].heading_path == ("C",)


def test_a_guessed_heading_is_not_inherited() -> None:
    found = chunks_of(heading("(iv)", depth=None), prose(sentences(12)))
    assert (found[0].text.splitlines()[0], found[-1].context, found[-1].heading_path) == ("(iv)", "", ())


def test_a_guessed_heading_stays_with_the_text_it_introduces() -> None:
    elements = (prose(sentences(4)), heading("Second", depth=None), prose(sentences(4, of="other")))
    assert not any(one.text.endswith("Second") for one in chunks_of(*elements))


def test_small_sections_with_one_parent_share_a_chunk() -> None:
    elements = (heading("A"), heading("B", 1), prose("Few words."), heading("C", 1), prose("And few."))
    (only,) = chunks_of(*elements)
    assert only.heading_path == ("A",)


def test_small_sections_of_different_parents_do_not_share_a_chunk() -> None:
    elements = (heading("A"), heading("B", 1), prose(sentences(8)), heading("C"), prose("Few words."))
    assert chunks_of(*elements)[-1].text == "C\nFew words."


def test_a_list_that_fits_is_not_cut() -> None:
    items = [Element("ListItem", f"item {i}") for i in range(10)]
    found = chunks_of(prose(sentences(4)), *items)
    assert "\n".join(f"item {i}" for i in range(10)) in found[-1].text


def test_the_line_before_a_list_goes_with_it() -> None:
    items = [Element("ListItem", f"item {i}") for i in range(10)]
    found = chunks_of(prose(sentences(4)), prose("You need:"), *items)
    assert found[-1].text.startswith("You need:")


def a_table(rows: int) -> Element:
    lines = ["Name | Price", *(f"thing{i} | {i}" for i in range(rows))]
    return Element("Table", "\n".join(lines), table_html="<table></table>")


def test_each_chunk_of_a_table_begins_with_its_header() -> None:
    assert {one.text.splitlines()[0] for one in chunks_of(a_table(40))} == {"Name | Price"}


@pytest.mark.parametrize(
    ("first", "times"),
    [
        ("Name | Price", 40),
        ("Name | 2024 | 2023", 40),
        ("Funds | | 8182539.17", 1),
        ("Milk | $ 1,200", 1),
        ("Order: | Birds", 1),
    ],
)
def test_a_first_row_of_values_is_no_header(first: str, times: int) -> None:
    rows = [first, *(f"{'thing ' * 25}{i} | many" for i in range(40))]
    found = chunks_of(Element("Table", "\n".join(rows)))
    assert sum(first in one.text for one in found) == times


def test_rows_of_a_table_stay_whole() -> None:
    rows = [row for one in chunks_of(a_table(40)) for row in one.text.splitlines()[1:]]
    assert rows == [f"thing{i} | {i}" for i in range(40)]


def test_markup_is_kept_where_a_chunk_is_the_whole_table() -> None:
    assert chunks_of(heading("Prices"), a_table(5))[0].table_html == "<table></table>"


def test_markup_is_dropped_where_a_table_was_cut() -> None:
    assert {one.table_html for one in chunks_of(a_table(40))} == {None}


def test_markup_too_large_to_store_is_dropped() -> None:
    assert chunks_of(Element("Table", "a | b", table_html="x" * 20_001))[0].table_html is None


def test_code_is_cut_between_lines_with_its_indentation() -> None:
    code = "\n".join(f"    call{i}(a, b)" for i in range(30))
    lines = [line for one in chunks_of(Element("CodeSnippet", code)) for line in one.text.splitlines()]
    assert lines == code.splitlines()


def test_a_paragraph_of_code_that_fits_is_not_cut() -> None:
    paragraph = "\n".join(f"step{i}()" for i in range(6))
    found = chunks_of(Element("CodeSnippet", f"{paragraph}\n\n{paragraph}\n\n{paragraph}"))
    assert all(one.text.count("step0()") == one.text.count("step5()") for one in found)


def test_running_heads_are_left_out() -> None:
    assert chunks_of(Element("Header", "Page head"), prose("Body."))[0].text == "Body."


def test_a_document_of_nothing_but_running_heads_is_kept() -> None:
    assert chunks_of(Element("Header", "Letterhead"))[0].text == "Letterhead"


def test_words_unknown_to_the_model_make_no_chunk_of_pages() -> None:
    found = chunks_of(*(prose("x" * 300) for _ in range(12)))
    assert max(len(letters(one.text)) for one in found) <= 40 * 20
    assert [one.token_count for one in found] == [len(TOKENIZER.offsets(one.embedded_text)) + 2 for one in found]


def test_a_header_of_words_unknown_to_the_model_is_not_repeated_when_long() -> None:
    rows = "\n".join(f"row {i} of it" for i in range(30))
    found = chunks_of(Element("Table", f"{'x' * 400}\n{rows}"))
    assert sum("x" in one.text for one in found) == 1


def test_a_chunk_knows_its_first_and_last_page() -> None:
    (only,) = chunks_of(prose("One.", page=3), prose("Two.", page=4))
    assert (only.page_first, only.page_last) == (3, 4)


def test_the_type_is_that_of_most_of_the_text() -> None:
    assert chunks_of(heading("A"), prose("One two three."), Element("ListItem", "x"))[0].element_type == "NarrativeText"


def test_overlap_repeats_whole_sentences() -> None:
    found = chunks_of(prose(sentences(12)), rules=ChunkRules(max_tokens=40, overlap_tokens=10))
    assert found[1].text.startswith(found[0].text.split(". ")[-1])


def test_the_prompt_of_the_model_takes_its_room() -> None:
    found = chunks_of(prose(sentences(30)), rules=ChunkRules(max_tokens=40, prompt_tokens=10))
    assert max(len(TOKENIZER.offsets(one.embedded_text)) for one in found) <= 28


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        (ChunkRules(max_tokens=300), "the model reads 256"),
        (ChunkRules(max_tokens=12), "raise it"),
        (ChunkRules(max_tokens=40, overlap_tokens=30), "overlap_tokens"),
        (ChunkRules(max_tokens=40, overlap_tokens=-1), "overlap_tokens"),
    ],
)
def test_rules_that_leave_no_room_are_refused(rules: ChunkRules, named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        chunks_of(prose("Text."), rules=rules)


WORDS = st.text(alphabet="abcde字。. ,\n", min_size=1, max_size=400)
ELEMENTS = st.builds(
    Element,
    kind=st.sampled_from(["Title", "NarrativeText", "ListItem", "CodeSnippet", "UncategorizedText"]),
    text=WORDS,
    depth=st.none() | st.integers(0, 3),
)
DOCUMENTS = st.builds(
    lambda elements, title: a_document(*elements, title=title), st.lists(ELEMENTS, max_size=12), WORDS
)


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS)
def test_nothing_is_lost(document: ParsedDocument) -> None:
    found = chunk(document, tokenizer=TOKENIZER, rules=RULES)
    assert letters("".join(one.text for one in found)) == letters("".join(e.text for e in document.elements))


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS, st.integers(0, 19))
def test_nothing_is_above_the_limit(document: ParsedDocument, overlap: int) -> None:
    found = chunk(document, tokenizer=TOKENIZER, rules=ChunkRules(max_tokens=40, overlap_tokens=overlap))
    assert all(len(TOKENIZER.offsets(one.embedded_text)) + 2 <= 40 for one in found)


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS)
def test_counts_are_exact(document: ParsedDocument) -> None:
    found = chunk(document, tokenizer=TOKENIZER, rules=RULES)
    assert [one.token_count for one in found] == [len(TOKENIZER.offsets(one.embedded_text)) + 2 for one in found]


@settings(max_examples=50, deadline=None)
@given(st.lists(WORDS, max_size=12))
def test_pages_never_go_back(texts: list[str]) -> None:
    found = chunks_of(*(prose(text, page=page) for page, text in enumerate(texts, start=1)))
    assert [one.page_first for one in found] == sorted(one.page_first or 0 for one in found)


class MeteredTokenizer(MemoryTokenizer):
    """Remembers the longest text that it was given."""

    longest = 0

    def offsets(self, text: str) -> list[tuple[int, int]]:
        self.longest = max(self.longest, len(text))
        return super().offsets(text)


class GreedyTokenizer(MemoryTokenizer):
    """Tokens that run across white space, as in byte-level vocabularies, so that counts do not add up."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [(i, min(i + 3, len(text))) for i in range(0, len(text), 3)]


@settings(max_examples=50, deadline=None)
@given(DOCUMENTS)
def test_counts_that_do_not_add_up_are_counted_again(document: ParsedDocument) -> None:
    tokenizer = GreedyTokenizer()
    found = chunk(document, tokenizer=tokenizer, rules=RULES)
    assert all(len(tokenizer.offsets(one.embedded_text)) + 2 <= one.token_count <= 40 for one in found)
