"""A file of golden questions: every slip is told with its file, line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightjar.corpus import load_corpus
from nightjar.corpus.questions import golden_questions, questions_path, read_questions
from nightjar.errors import Misconfigured
from nightjar.model import document_id_of

SOURCE = "s3://documents/h/"
LEAVE = f"{SOURCE}leave.md"


def read(folder: Path, text: str | bytes) -> object:
    path = folder / "q.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_questions(path, source=SOURCE)


def test_an_answer_is_a_uri_an_id_or_a_part_of_a_document(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        f'\ufeff{{"question": " How many? ", "relevant": ["{LEAVE}"]}}\n\n'
        f'{{"question": "What?", "relevant": ["{document_id_of(LEAVE)}"]}}\r\n'
        f'{{"question": "Where?", "relevant": [{{"document": "{LEAVE}", "page": 2}}, '
        f'{{"document": "{LEAVE}", "passage": "thirty days"}}]}}'
    )
    first, second, third = read_questions(path, source=SOURCE).questions
    assert (first.text, first.line, second.line, third.line) == ("How many?", 1, 3, 4)
    assert first.relevant[0].document == second.relevant[0].document == document_id_of(LEAVE)
    assert [(each.page, each.passage) for each in third.relevant] == [(2, None), (None, "thirty days")]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "q.jsonl:1: is not JSON ("),
        ("[]", "q.jsonl:1: must be an object"),
        ('{"relevant": ["x"]}', "q.jsonl:1: question: must be a text of 1 to 2000 characters"),
        ('{"question": " ", "relevant": ["x"]}', "q.jsonl:1: question: must be a text"),
        ('{"question": "a"}', "q.jsonl:1: relevant: must be a list of at least one source uri"),
        ('{"question": "a", "relevant": []}', "q.jsonl:1: relevant: must be a list"),
        ('{"question": "a", "relevent": []}', "q.jsonl:1: relevent: unknown key; did you mean relevant?"),
        ('{"question": "a", "relevant": [3]}', "q.jsonl:1: relevant[0]: must be a source uri or document id"),
        ('{"question": "a", "relevant": ["leave.md"]}', "is neither a document id nor below s3://documents/h/"),
        ('{"question": "a", "relevant": ["s3://other/leave.md"]}', "relevant[0]: 's3://other/leave.md' is neither"),
        ('{"question": "a", "relevant": [{"document": "s3://documents/h/x", "page": 0}]}', "page: must be a whole"),
        ('{"question": "a", "relevant": [{"document": "s3://documents/h/x", "page": true}]}', "page: must be a whole"),
        ('{"question": "a", "relevant": [{"document": "s3://documents/h/x", "passage": ""}]}', "passage: must be"),
        ('{"question": "a", "relevant": [{"document": "s3://documents/h/x", "pages": 2}]}', "did you mean page?"),
        ('{"question": "a", "relevant": ["s3://documents/h/x", "s3://documents/h/x"]}', "s3://documents/h/x twice"),
        (
            '{"question": "a", "relevant": ["s3://documents/h/x", {"document": "s3://documents/h/x", "page": 2}]}',
            "names s3://documents/h/x twice; name it once, or each page",
        ),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_line_and_remedy(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read(tmp_path, line)
    assert told in str(caught.value)


def test_a_question_that_stands_twice_is_told(tmp_path: Path) -> None:
    line = f'{{"question": "%s", "relevant": ["{LEAVE}"]}}'
    with pytest.raises(Misconfigured, match=r"q\.jsonl:2: asks what line 1 asks already"):
        read(tmp_path, line % "How many?" + "\n" + line % "how  MANY?")


def test_other_bytes_than_utf_8_are_told_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"q\.jsonl:2: is not UTF-8"):
        read(tmp_path, b'{"question": "a"}\n{"question": "\xe4"}')


def test_a_file_without_questions_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="holds no question"):
        read(tmp_path, "\n\n")


def test_a_missing_file_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"none\.jsonl: cannot be read .*`nightjar questions suggest` drafts some"):
        read_questions(tmp_path / "none.jsonl", source=SOURCE)


@pytest.mark.parametrize(
    ("evaluation", "suites", "due"),
    [
        ("./golden.jsonl", "", "golden.jsonl"),
        ("golden.jsonl", "", "../expectations/questions/golden.jsonl"),
        ("golden.jsonl", "rules", "rules/questions/golden.jsonl"),
    ],
)
def test_where_a_file_is_looked_for(tmp_path: Path, evaluation: str, suites: str, due: str) -> None:
    quality = f"quality: {{suites: {suites}}}\n" if suites else ""
    path = tmp_path / "handbook.yaml"
    path.write_text(f"source: {{uri: {SOURCE}}}\nevaluation: {{questions: {evaluation}}}\n{quality}")
    found = questions_path(load_corpus(path, default_state=None))
    shipped = Path(__file__).parents[2] / "tests"
    assert found == ((shipped if due.startswith("..") else tmp_path) / due).resolve()


def test_the_sample_corpus_names_documents_that_are_there() -> None:
    root = Path(__file__).parents[2]
    corpus = load_corpus(root / "dags" / "corpora" / "handbook.yaml", default_state=None)
    golden = golden_questions(corpus)
    assert golden is not None
    named = {each.named for question in golden.questions for each in question.relevant}
    assert {name for name in named if not (root / "samples" / name.removeprefix("s3://documents/")).is_file()} == set()
    assert len(golden.questions) >= 12
