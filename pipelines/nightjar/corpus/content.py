"""Sections that say what a document becomes: where it comes from, how it is read, cut, embedded and labelled."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from nightjar.corpus.places import FolderUri
from nightjar.corpus.section import Line, Section, Words
from nightjar.corpus.units import AtLeastOne, Count, Duration, Size, Switch, WrongKey, at_least

DEFAULT_MODEL: Final = "sentence-transformers/all-MiniLM-L6-v2"
_MB: Final = 10**6
_GIB: Final = 2**30


def _relative(patterns: Words) -> Words:
    absolute = next((p for p in patterns if p.startswith(("/", "s3://"))), None)
    if absolute is not None:
        raise ValueError(f"{absolute!r} must be relative to source.uri; remove the slash or address at its start")
    return patterns


Patterns = Annotated[Words, AfterValidator(_relative)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}(_[a-z]+)?$")]


class Source(Section):
    """The documents."""

    uri: FolderUri = Field(description="Folder in S3 with the documents, such as s3://documents/handbook/.")
    include: Annotated[Words, Field(min_length=1), AfterValidator(_relative)] = Field(
        default=("**",),
        description="Which keys below uri are taken: patterns in which * stops at a slash and ** does not.",
    )
    exclude: Patterns = Field(default=(), description="Which of those are left out; wins over include.")
    max_size: Annotated[Size, at_least(1000)] = Field(
        default=200 * _MB, description="Larger objects are quarantined as too_large."
    )


class Parse(Section):
    """From bytes to text."""

    strategy: Literal["auto", "fast", "hi_res", "ocr_only"] = Field(
        default="auto",
        description="auto: the text layer first, OCR for pages without one; the others are unstructured's own.",
    )
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = Field(
        default=("eng",),
        description="Languages that OCR expects, as tesseract names them (eng, deu, fra). Others are still read.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=120),
        ge=timedelta(seconds=1),
        le=timedelta(hours=2),
        description="A document that takes longer is quarantined as timed_out.",
    )
    memory: Annotated[Size, at_least(512 * 2**20)] = Field(
        default=2 * _GIB, description="A document that needs more is quarantined as out_of_memory."
    )
    workers: Annotated[AtLeastOne, Field(le=256)] = Field(
        default=2, description="Documents parsed at the same time by one task; each may use memory."
    )


class Chunking(Section):
    """From text to passages."""

    max_tokens: Annotated[int, Field(strict=True, ge=32, le=32768)] | None = Field(
        default=None,
        description="Longest passage in the model's tokens, headings included;"
        " null: half of what the model reads, 128 to 256.",
    )
    overlap_tokens: Count = Field(
        default=0, description="Tokens repeated from the passage before; less than half of max_tokens."
    )
    headings: Switch = Field(
        default=True, description="Put title and headings before each passage when it is embedded."
    )

    @model_validator(mode="after")
    def _overlap_leaves_room(self) -> Self:
        if self.max_tokens is not None and self.overlap_tokens * 2 >= self.max_tokens:
            raise WrongKey(
                "overlap_tokens",
                f"{self.overlap_tokens} is half of max_tokens ({self.max_tokens}) or more; "
                f"use at most {(self.max_tokens - 1) // 2}",
            )
        return self


class Embed(Section):
    """From passages to vectors."""

    model: Line = Field(default=DEFAULT_MODEL, description="A sentence-transformers model: its hub name, or a folder.")
    revision: Line | None = Field(default=None, description="Commit or tag of a hub model; null: its newest.")
    backend: Literal["auto", "openvino", "torch"] = Field(
        default="auto", description="auto: CUDA where there is one, else OpenVINO, else torch."
    )
    device: Annotated[str, StringConstraints(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = Field(
        default="auto", description="auto, cpu, mps, cuda or cuda:1."
    )
    document_prompt: str = Field(
        default="", max_length=2000, description="Put before each passage, where the model asks for it."
    )
    query_prompt: str = Field(
        default="", max_length=2000, description="Put before each question, where the model asks for it."
    )
    switch: Literal["approve", "automatic"] = Field(
        default="approve",
        description="When the model changes: approve waits for a person, because those who search must change too.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.backend == "openvino" and self.device not in ("auto", "cpu"):
            raise WrongKey("backend", f"openvino does not run on {self.device}; set backend to auto or torch")
        if self.revision is not None and self.model.startswith(("/", "./", "../", "~")):
            raise WrongKey("revision", "a model in a folder has no revisions; remove this key")
        if re.match(r"[a-z]+://", self.model):
            raise WrongKey("model", "is an address; write the model's hub name, such as " + DEFAULT_MODEL)
        return self
