"""One warm parser for all tests, and the development data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from adapters.parser.builders import Reading, a_document, a_parser, read_all

from nightjar.adapters.parser import UnstructuredParser


@pytest.fixture(scope="session")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnstructuredParser]:
    warm = a_parser(tmp_path_factory.mktemp("parser"))
    yield warm
    warm.close()


@pytest.fixture
def reading(parser: UnstructuredParser, tmp_path: Path) -> Callable[..., Reading]:
    """Writes bytes under a neutral name and reads them as the object `key`."""

    def read(key: str, data: bytes, *, declared_type: str = "", declared_charset: str = "") -> Reading:
        path = tmp_path / "bytes"
        path.write_bytes(data)
        document = a_document(path, key=key, declared_type=declared_type, declared_charset=declared_charset)
        return read_all(parser, [document])[key]

    return read


@pytest.fixture(scope="session")
def data() -> Path:
    root = Path(__file__).parents[3]
    folder = Path(os.environ.get("NIGHTJAR_DATA", root.parent / "shared" / "data"))
    if not (folder / "documents").is_dir():
        pytest.skip(f"no development data at {folder}: set NIGHTJAR_DATA")
    return folder
