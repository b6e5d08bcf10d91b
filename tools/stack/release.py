"""Fetches one program out of a project's release archive, after its SHA-256 matched the one published beside it."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

from tools.stack.place import StackError

_CONNECT_TIMEOUT_S = 5
_HEX_DIGITS_OF_SHA256 = 64


class Unavailable(StackError):
    """The archive cannot be had here, or is not what its project published; build instead."""


def fetch_release(archive: str, *, checksums: str, names: tuple[str, ...], target: Path) -> None:
    """Put the first of `names` that the archive holds at `target`, executable. One try, short timeout.

    Raises:
        Unavailable: no network, no such file, a wrong checksum, or none of `names` inside.
    """
    expected = published_sha256(_read(checksums).decode(errors="replace"), PurePosixPath(archive).name)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        packed = Path(folder) / "archive.tar.gz"
        _save(archive, packed)
        with packed.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != expected:
            raise Unavailable(f"its SHA-256 is {actual}, published was {expected}")
        _unpack(packed, names, target)


def published_sha256(text: str, name: str) -> str:
    """The sum that a checksum file gives for `name`; a file with a single bare sum speaks for its only archive.

    Raises:
        Unavailable: the file does not mention it.
    """
    for line in text.splitlines():
        digest, _, file = line.strip().partition(" ")
        if len(digest) == _HEX_DIGITS_OF_SHA256 and file.strip().lstrip("*") in ("", name):
            return digest.lower()
    raise Unavailable(f"no checksum is published for {name}")


def _read(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=_CONNECT_TIMEOUT_S) as reply:  # noqa: S310 - https addresses from programs.py
            return bytes(reply.read())
    except (urllib.error.URLError, TimeoutError, ConnectionError) as failure:
        raise Unavailable(str(failure)) from failure


def _save(address: str, target: Path) -> None:
    try:
        with (
            urllib.request.urlopen(address, timeout=_CONNECT_TIMEOUT_S) as reply,  # noqa: S310 - https addresses from programs.py
            target.open("wb") as file,
        ):
            shutil.copyfileobj(reply, file, 1 << 20)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as failure:
        raise Unavailable(str(failure)) from failure


def _unpack(packed: Path, names: tuple[str, ...], target: Path) -> None:
    with tarfile.open(packed) as archive:
        members = {PurePosixPath(member.name).name: member for member in archive.getmembers() if member.isfile()}
        wanted = next((members[name] for name in names if name in members), None)
        content = archive.extractfile(wanted) if wanted else None
        if content is None:
            raise Unavailable(f"it holds none of {', '.join(names)}")
        draft = packed.with_name("program")
        with draft.open("wb") as file:
            shutil.copyfileobj(content, file)
    draft.chmod(0o755)
    draft.replace(target)
