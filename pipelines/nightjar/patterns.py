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


def glob_expression(pattern: str) -> str:
    """A regular expression to be matched against a whole relative key; `.` in it must match line feeds too."""
    literals = _WILD.split(pattern)
    wild = [_MEANING[found] for found in _WILD.findall(pattern)]
    return "".join(re.escape(text) + sign for text, sign in zip(literals, [*wild, ""], strict=True))


def path_expression(pattern: str) -> re.Pattern[str]:
    """Like `glob_expression`, and `{name}` matches (part of) one folder or file name and captures it.

    The names are fields of a corpus file, which has checked that they are identifiers and stand once each.
    """
    literals, names = _NAME.split(pattern)[::2], _NAME.findall(pattern)
    groups = [*(f"(?P<{name}>[^/]+)" for name in names), ""]
    parts = (glob_expression(text) + group for text, group in zip(literals, groups, strict=True))
    return re.compile("".join(parts), re.DOTALL)
