"""Messages: the subject as title, the body as text; attachments are named in the notes and not read."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import Final

from nightjar.adapters.parser.charset import decode
from nightjar.adapters.parser.drafts import Draft, one_line
from nightjar.adapters.parser.jobs import Paper
from nightjar.adapters.parser.markup import html_draft
from nightjar.adapters.parser.plain import paragraphs
from nightjar.model import Element

_MESSAGE_START: Final = re.compile(
    rb"^From [^\n]*(?:\n(?=[A-Za-z-]+:)|\w{3} \w{3} [ \d]\d \d\d:\d\d[^\n]*\n)", re.MULTILINE
)
_MOST_PARTS: Final = 200


def read_email(paper: Paper) -> Draft:
    """The best body of one message: HTML where there is one, else plain text."""
    return _message_draft(Path(paper.path).read_bytes())


def read_mailbox(paper: Paper) -> Draft:
    """Every message of an mbox under its subject."""
    drafts = [_message_draft(data) for data in _MESSAGE_START.split(Path(paper.path).read_bytes()) if data.strip()]
    elements = [element for draft in drafts for element in (Element("Title", draft.title, depth=0), *draft.elements)]
    return Draft(elements, notes=tuple(dict.fromkeys(note for draft in drafts for note in draft.notes)))


def _message_draft(data: bytes) -> Draft:
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    parts = [part for _, part in zip(range(_MOST_PARTS), message.walk(), strict=False) if not part.is_multipart()]
    bodies = [part for part in parts if _is_body(part)]
    best = [part for part in bodies if part.get_content_type() == "text/html"] or bodies
    drafts = [_body(part) for part in best]
    notes = _attachments(len(parts) - len(bodies))
    charset = next((draft.charset for draft in drafts if draft.charset), "")
    elements = [element for draft in drafts for element in draft.elements]
    return Draft(elements, title=_header(message, "subject"), charset=charset, notes=notes)


def _is_body(part: Message) -> bool:
    return (
        part.get_content_maintype() == "text"
        and part.get_content_disposition() != "attachment"
        and not part.get_filename()
    )


def _body(part: Message) -> Draft:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    markup = part.get_content_type() == "text/html"
    text, charset = decode(data, declared=part.get_content_charset() or "", markup=markup)
    return html_draft(text, charset=charset) if markup else Draft(list(paragraphs(text)), charset=charset)


def _header(message: Message, name: str) -> str:
    raw = str(message.get(name, ""))
    try:
        return one_line(str(make_header(decode_header(raw))))
    except (ValueError, LookupError):  # a charset that does not exist, or bytes outside it
        return one_line(raw)


def read_msg(paper: Paper) -> Draft:
    """An Outlook message: HTML body, else the plain one."""
    from oxmsg import Message as OutlookMessage  # noqa: PLC0415 - only .msg needs it

    message = OutlookMessage.load(paper.path)
    body = html_draft(message.html_body) if message.html_body else Draft(list(_plain(message.body or "")))
    elements = body.elements or list(_plain(message.body or ""))
    return Draft(elements, title=one_line(message.subject or ""), notes=_attachments(len(list(message.attachments))))


def _plain(text: str) -> Iterator[Element]:
    return paragraphs(text.replace("\r\n", "\n"))


def _attachments(count: int) -> tuple[str, ...]:
    return (f"{count} attachment(s) not read",) if count > 0 else ()
