"""Server programs from a release archive: only what the project published, else built."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest

from tools.stack.release import Unavailable, fetch_release, published_sha256

SUM = "ab" * 32


@pytest.mark.parametrize(
    "text",
    [
        f"{SUM}\n",
        f"{SUM}  server.tar.gz\n",
        f"{SUM} *server.tar.gz",
        f"{'cd' * 32}  other.tar.gz\n{SUM.upper()}  server.tar.gz",
    ],
)
def test_a_published_checksum_is_found(text: str) -> None:
    assert published_sha256(text, "server.tar.gz") == SUM


@pytest.mark.parametrize("text", ["", "not a checksum", f"{SUM}  other.tar.gz"])
def test_an_archive_without_a_published_checksum_is_not_taken(text: str) -> None:
    with pytest.raises(Unavailable, match="no checksum"):
        published_sha256(text, "server.tar.gz")


def publish(folder: Path, *, content: bytes, checksum: str | None = None) -> tuple[str, str]:
    """Addresses of an archive that holds `dist/server`, and of its checksum."""
    (folder / "server").write_bytes(content)
    packed = folder / "server.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(folder / "server", "dist/server")
    (folder / "sums").write_text(checksum or hashlib.sha256(packed.read_bytes()).hexdigest())
    return packed.as_uri(), (folder / "sums").as_uri()


def test_the_program_is_unpacked_and_executable(tmp_path: Path) -> None:
    archive, checksums = publish(tmp_path, content=b"#!/bin/sh\n")
    target = tmp_path / "bin"
    fetch_release(archive, checksums=checksums, names=("server",), target=target)
    assert target.read_bytes() == b"#!/bin/sh\n"
    assert target.stat().st_mode & 0o111


def test_a_changed_archive_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    archive, checksums = publish(tmp_path, content=b"changed", checksum=SUM)
    with pytest.raises(Unavailable, match="SHA-256"):
        fetch_release(archive, checksums=checksums, names=("server",), target=tmp_path / "bin")
    assert not (tmp_path / "bin").exists()


def test_an_archive_without_the_program_is_refused(tmp_path: Path) -> None:
    archive, checksums = publish(tmp_path, content=b"")
    with pytest.raises(Unavailable, match="none of gateway"):
        fetch_release(archive, checksums=checksums, names=("gateway",), target=tmp_path / "bin")


def test_a_release_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    absent = (tmp_path / "absent").as_uri()
    with pytest.raises(Unavailable):
        fetch_release(absent, checksums=absent, names=("server",), target=tmp_path / "bin")
