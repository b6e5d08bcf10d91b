from __future__ import annotations

import json
from pathlib import Path

import pytest

from nightjar.adapters.embedder.model_files import locate
from nightjar.adapters.embedder.tokenizer import ModelTokenizer
from nightjar.errors import Misconfigured
from nightjar.model import Element, ParsedDocument
from nightjar.stages.chunk import ChunkRules, chunk

TOKENIZER = ModelTokenizer(locate("sentence-transformers/all-MiniLM-L6-v2", revision=None))


def a_document(text: str, *, kind: str = "NarrativeText") -> ParsedDocument:
    return ParsedDocument("text/plain", "utf-8", "", "", (Element(kind, text),))


def test_it_counts_past_the_truncation_of_its_own_file() -> None:
    assert TOKENIZER.count("word " * 1_000) == 1_000


def test_offsets_cover_the_words() -> None:
    assert [("two words")[s:e] for s, e in TOKENIZER.offsets("two words")] == ["two", "words"]


def test_special_tokens_are_not_among_the_offsets() -> None:
    assert (TOKENIZER.offsets(""), TOKENIZER.special_tokens) == ([], 2)


def test_what_the_model_would_not_read_is_counted() -> None:
    assert [one.unread for one in TOKENIZER.encode(["word " * 300, "short"])] == [46, 0]


def test_a_cut_text_still_ends_with_the_special_token() -> None:
    long, short = TOKENIZER.encode(["word " * 300, "short"])
    assert (len(long.ids), long.ids[-1]) == (256, short.ids[-1])


def test_shorter_texts_of_a_batch_are_masked_at_their_end() -> None:
    batch = TOKENIZER.batch(TOKENIZER.encode(["one two three", "one"]))
    assert batch.inputs["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]


def test_a_model_without_a_fast_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 8}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(Misconfigured, match=r"no tokenizer\.json"):
        ModelTokenizer(locate(str(tmp_path), revision=None))


def test_a_broken_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 8}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(Misconfigured, match="cannot be read"):
        ModelTokenizer(locate(str(tmp_path), revision=None))


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox (really!) jumps. It's 42 % faster, e.g. today. " * 40,
        "自然语言处理是人工智能的一个分支。它研究人与计算机之间的交流。" * 40,
        "การประมวลผลภาษาธรรมชาติเป็นสาขาหนึ่งของปัญญาประดิษฐ์ " * 40,
        "ภาษาไทยไม่มีช่องว่างระหว่างคำ" * 20,
        "https://example.org/a/very/long/path?with=query&and=more#" * 40,
        "x" * 900,
        "x" * 30_000,
        "대한민국의국회는국민의보통평등직접비밀선거에의하여선출된국회의원으로구성한다" * 10,
    ],
    ids=["english", "chinese", "thai", "thai-unbroken", "urls", "long-word", "data", "korean"],
)
def test_no_script_goes_above_the_limit_or_is_miscounted(text: str) -> None:
    found = chunk(a_document(text), tokenizer=TOKENIZER, rules=ChunkRules(max_tokens=64))
    counted = [TOKENIZER.count(one.embedded_text) + 2 for one in found]
    assert (counted, max(counted) <= 64) == ([one.token_count for one in found], True)


LONG_WORDS = ["x" * 900, "iVBORw0KGgo" * 400, "가나다라마바사" * 8, "ภาษาไทยไม่มีช่องว่างระหว่างคำ" * 20]


@pytest.mark.parametrize("word", LONG_WORDS, ids=["word", "data", "korean", "thai"])
def test_a_long_word_is_kept_as_it_stands(word: str) -> None:
    found = chunk(a_document(word), tokenizer=TOKENIZER, rules=ChunkRules(max_tokens=64))
    assert "".join(one.text for one in found) == word


@pytest.mark.parametrize("word", LONG_WORDS[:3], ids=["word", "data", "korean"])
def test_a_long_word_is_read_in_pieces(word: str) -> None:
    unknown = TOKENIZER.encode(["🙂"])[0].ids[1]
    assert unknown not in TOKENIZER.encode([word])[0].ids


@pytest.mark.parametrize("kind", ["NarrativeText", "Table"])
@pytest.mark.parametrize("word", LONG_WORDS, ids=["word", "data", "korean", "thai"])
def test_what_is_counted_of_a_long_word_is_what_is_read(word: str, kind: str) -> None:
    document = a_document(f"Before it. {word} after it.\n{word}", kind=kind)
    found = chunk(document, tokenizer=TOKENIZER, rules=ChunkRules(max_tokens=64))
    assert [one.token_count for one in found] == [len(TOKENIZER.encode([one.embedded_text])[0].ids) for one in found]


def test_words_between_long_ones_stay_whole() -> None:
    text = f"{'YzJ1OndlY29tbXVua' * 8} {'minutes ' * 40}{'abc1' * 41}"
    found = chunk(a_document(text), tokenizer=TOKENIZER, rules=ChunkRules(max_tokens=64))
    assert sum(one.text.split().count("minutes") for one in found) == 40


def test_what_the_model_has_no_word_for_is_cut_by_characters() -> None:
    found = chunk(a_document("ภ" * 30_000), tokenizer=TOKENIZER, rules=ChunkRules(max_tokens=64))
    assert max(len(one.text) for one in found) <= 64 * 20
