"""Under which headings each element stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nightjar.model import Element

Path = tuple[str, ...]

_HEADINGS: Final = frozenset({"Title", "Headline", "Subheadline"})
_FURNITURE: Final = frozenset({"Header", "Footer", "PageNumber", "PageBreak"})
_LONGEST_HEADING: Final = 200  # characters; what is longer was mistaken for a heading


@dataclass(frozen=True, slots=True)
class Placed:
    """An element, the headings open before it, and those of its own section (with itself, where it opened one)."""

    element: Element
    above: Path
    path: Path
    is_heading: bool = False


def placed(elements: Sequence[Element]) -> Iterator[Placed]:
    """Each element that can be read, in order, below its headings.

    Running heads and page numbers say nothing about the passage that they interrupt and are left out, unless the
    document has nothing else. A heading without a depth was guessed from its looks (in plain text "(iv)" and "where"
    look like one): it goes with the text that follows, and is not inherited further down.
    """
    written = [element for element in elements if element.text.strip()]
    body = [element for element in written if element.kind not in _FURNITURE] or written
    open_headings: list[tuple[int, str]] = []
    for element in body:
        if _is_heading(element) and element.depth is not None:
            open_headings = [(level, text) for level, text in open_headings if level < element.depth]
            above = _texts(open_headings)
            open_headings.append((element.depth, " ".join(element.text.split())))
        else:
            above = _texts(open_headings)
        yield Placed(element, above, _texts(open_headings), is_heading=_is_heading(element))


def _texts(open_headings: Sequence[tuple[int, str]]) -> Path:
    return tuple(text for _, text in open_headings)


def common_path(paths: Sequence[Path]) -> Path:
    """The headings that all of `paths` share from the top."""
    shared: list[str] = []
    for level in zip(*paths, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return tuple(shared)


def _is_heading(element: Element) -> bool:
    return element.kind in _HEADINGS and len(element.text) <= _LONGEST_HEADING
