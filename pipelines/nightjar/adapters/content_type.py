"""What a Content-Type header declares."""

from __future__ import annotations

from email.message import Message
from typing import Final

_SAYS_NOTHING: Final = frozenset({"application/octet-stream", "binary/octet-stream"})  # written where nobody declared


def declared(content_type: str) -> tuple[str, str]:
    """(media type, charset), lower case; each '' where the header does not say, or only says "bytes"."""
    message = Message()
    message["content-type"] = content_type
    try:
        media_type = message.get_content_type() if content_type else ""
        charset = message.get_content_charset("")
    except (TypeError, ValueError):  # parameters in parts that do not fit together, or are numbered beyond reason
        return "", ""
    return "" if media_type in _SAYS_NOTHING else media_type, charset
