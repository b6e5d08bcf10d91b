"""A Content-Type says what it says, and one that makes no sense says nothing."""

from __future__ import annotations

import pytest

from nightjar.adapters.content_type import declared


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", ("", "")),
        ("text/HTML; charset=ISO-8859-1", ("text/html", "iso-8859-1")),
        ("application/octet-stream", ("", "")),
        ("text/plain; charset*=utf-8''x; charset*0=y", ("", "")),
        (f"text/plain; charset*{'1' * 4400}=x", ("", "")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_header_says(header: str, said: tuple[str, str]) -> None:
    assert declared(header) == said
