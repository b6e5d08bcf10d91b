"""Path patterns, one meaning everywhere: which keys a corpus takes, and which parts of a key are metadata.

`*` is any run of characters but `/`, `?` one of them, `**` anything at all, and `**/` any number of whole folders, none
included; everything else stands for itself. The expressions made here mean the same to Python's `re` and to RE2.
"""

from __future__ import annotations

import re
from typing import Final

_WILD: Final = re.compile(r"\*\*/|\*\*|\*|\?")
_MEANING: Final = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_NAME: Final = re.compile(r"\{([^{}]*)\}")
_GOOD_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def glob_expression(pattern: str) -> str:
    """A regular expression to be matched against a whole relative key; `.` in it must match line feeds too."""
    literals = _WILD.split(pattern)
    wild = [_MEANING[found] for found in _WILD.findall(pattern)]
    return "".join(re.escape(text) + sign for text, sign in zip(literals, [*wild, ""], strict=True))


def field_names(pattern: str) -> tuple[str, ...]:
    """The `{names}` of a path pattern, in order.

    Raises:
        ValueError: one is no field name, or stands there twice.
    """
    names = tuple(_NAME.findall(pattern))
    bad = [name for name in names if not _GOOD_NAME.fullmatch(name)]
    if bad:
        raise ValueError(f"{{{bad[0]}}} is no field name: use lower-case letters, digits and underscores")
    if len(set(names)) < len(names):
        raise ValueError(f"a field stands twice in {pattern!r}: name each part of the path once")
    return names


def path_expression(pattern: str) -> re.Pattern[str]:
    """Like `glob_expression`, and `{name}` matches (part of) one folder or file name and captures it.

    Raises:
        ValueError: as `field_names`.
    """
    names = field_names(pattern)
    literals = _NAME.split(pattern)[::2]
    groups = [*(f"(?P<{name}>[^/]+)" for name in names), ""]
    parts = (glob_expression(text) + group for text, group in zip(literals, groups, strict=True))
    return re.compile("".join(parts), re.DOTALL)
