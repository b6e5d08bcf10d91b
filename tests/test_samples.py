"""The sample corpus: many formats, two broken documents, and binaries that can be made again."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
import pytest

from tools import make_samples

HANDBOOK = make_samples.SAMPLES / "handbook"


def documents() -> list[Path]:
    return [path for path in HANDBOOK.rglob("*") if path.is_file() and not path.name.endswith(".metadata.json")]


def test_there_are_enough_documents_of_enough_formats() -> None:
    assert len(documents()) >= 16
    assert len({path.suffix for path in documents()}) >= 9


def test_one_file_is_empty() -> None:
    assert [path.name for path in documents() if not path.stat().st_size] == ["notes.txt"]


def test_one_pdf_is_encrypted() -> None:
    with pytest.raises(pypdfium2.PdfiumError, match="password"):
        pypdfium2.PdfDocument(HANDBOOK / "finance" / "salary-bands.pdf")


def test_the_travel_policy_names_the_zurich_limit_on_its_second_page() -> None:
    pages = pypdfium2.PdfDocument(HANDBOOK / "finance" / "travel-policy.pdf")
    assert len(pages) == 4
    assert "Zurich" in pages[1].get_textpage().get_text_range()


def test_a_sidecar_lies_beside_its_document() -> None:
    (sidecar,) = HANDBOOK.rglob("*.metadata.json")
    assert sidecar.with_name(sidecar.name.removesuffix(".metadata.json")).exists()
    assert json.loads(sidecar.read_text())["department"] == "engineering"


@pytest.mark.parametrize(
    ("committed", "made"),
    [
        ("people/remote-work.docx", lambda: make_samples.word(make_samples.source("remote-work.md"))),
        ("people/company.pptx", lambda: make_samples.slides(make_samples.source("company.md"))),
        ("people/benefits.xlsx", lambda: make_samples.sheet(make_samples.source("benefits.csv"))),
        ("finance/travel-policy.pdf", lambda: make_samples.pdf(make_samples.source("travel-policy.md"))),
    ],
)
def test_a_generated_document_is_what_its_source_gives(committed: str, made: object) -> None:
    assert callable(made)
    assert (HANDBOOK / committed).read_bytes() == made()
