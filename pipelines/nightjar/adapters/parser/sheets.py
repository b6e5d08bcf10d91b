"""Tables on their own: delimited text and spreadsheets, read row by row so that their size is known before it hurts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import dropwhile
from pathlib import Path
from typing import Any, Final

from nightjar.adapters.parser.charset import decode
from nightjar.adapters.parser.drafts import Draft, table
from nightjar.adapters.parser.jobs import Paper, Refused
from nightjar.adapters.parser.ooxml import plain_package
from nightjar.errors import Code
from nightjar.model import Element

_MOST_CELLS: Final = 2_000_000
_WIDEST: Final = 1024
_DELIMITERS: Final = ",;\t|"


def read_delimited(paper: Paper) -> Draft:
    """One Table below its title; the delimiter is the one that cuts the first lines most evenly."""
    text, charset = decode(Path(paper.path).read_bytes(), declared=paper.declared_charset)
    csv.field_size_limit(16 * 1024 * 1024)
    delimiter = _delimiter(text, default="\t" if paper.suffix in {"tsv", "tab"} else ",")
    rows = _counted(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    return Draft(table(rows, depth=0), charset=charset)


def _delimiter(text: str, *, default: str) -> str:
    lines = [line for line in text[:20_000].split("\n")[:20] if line.strip()]
    if not lines or all(default in line for line in lines):
        return default
    evenness = {mark: _evenness(mark, lines) for mark in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda mark: evenness[mark])
    return best if evenness[best] else default


def _evenness(mark: str, lines: Sequence[str]) -> int:
    """How many of these every line has at least, below a title of fewer lines than the rest."""
    below = list(dropwhile(lambda line: mark not in line, lines))
    return min(line.count(mark) for line in below) if len(below) * 2 > len(lines) else 0


def _counted(rows: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > _MOST_CELLS:
            raise Refused(Code.TOO_LARGE, f"It holds more than {_MOST_CELLS:,} cells.")
        written = [_written(value) for value in row[:_WIDEST]]
        if any(written):
            yield written


def _written(value: Any) -> str:
    """Numbers and dates as a reader would write them."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"  # noqa: PLR2004 - exact below
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != time(0) else value.date().isoformat()
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def read_workbook(paper: Paper) -> Draft:
    """A heading and a titled Table for every sheet of an .xlsx or .xlsm; hidden ones too, charts not."""
    return workbook_draft(Path(paper.path))


def workbook_draft(path: Path) -> Draft:
    """The sheets of a workbook on disk."""
    import openpyxl  # noqa: PLC0415 - only spreadsheets need it

    with plain_package(path) as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        sheets = ((sheet.title, _rows(sheet)) for sheet in book.worksheets)
        return Draft(list(_sheets(sheets)), title=book.properties.title or "")


def _rows(sheet: Any) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # a file may claim any size; the rows that are there count
    return sheet.iter_rows(values_only=True)  # type: ignore[no-any-return]  # openpyxl is untyped


def _sheets(sheets: Iterable[tuple[str, Iterable[Sequence[Any]]]]) -> Iterator[Element]:
    for page, (name, rows) in enumerate(sheets, start=1):
        found = table(_counted(rows), page=page, depth=1)
        if found:
            yield Element("Title", name, page=page, depth=0)
            yield from found


def read_old_workbook(paper: Paper) -> Draft:
    """The sheets of an .xls."""
    import xlrd  # noqa: PLC0415 - only old spreadsheets need it

    with io.StringIO() as log, xlrd.open_workbook(paper.path, logfile=log, on_demand=True) as book:
        sheets = ((name, _old_rows(book.sheet_by_name(name), book.datemode)) for name in book.sheet_names())
        return Draft(list(_sheets(sheets)))


def _old_rows(sheet: Any, datemode: int) -> Iterator[list[Any]]:
    import xlrd  # noqa: PLC0415 - only old spreadsheets need it

    for cells in sheet.get_rows():
        yield [
            xlrd.xldate_as_datetime(cell.value, datemode) if cell.ctype == xlrd.XL_CELL_DATE else _old_value(cell)
            for cell in cells
        ]


def _old_value(cell: Any) -> Any:
    return bool(cell.value) if cell.ctype == 4 else cell.value  # noqa: PLR2004 - XL_CELL_BOOLEAN
