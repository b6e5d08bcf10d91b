"""Take documents out of what lies beside versions and what runs left: reports, pages, samples, plans, outcomes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

import pyarrow as pa

from nightjar.artifacts import from_parquet, to_parquet
from nightjar.errors import Misconfigured
from nightjar.flows.deletions import read_withheld, remember_withheld
from nightjar.flows.fence import REQUEST_S
from nightjar.flows.parallel import in_order
from nightjar.flows.services import Services
from nightjar.flows.traces import tables
from nightjar.lease import Lease
from nightjar.stages.scrub import Marks, scrubbed, without_rows


def _quality_page(report: Mapping[str, Any]) -> str:
    from nightjar.stages.quality_page import render_quality  # noqa: PLC0415 - who tidies up seldom draws a page

    return render_quality(report)


def _drift_page(report: Mapping[str, Any]) -> str:
    """Without its projection, whose points were passages."""
    from nightjar.stages.drift.page import render_drift  # noqa: PLC0415 - as above; brings the library that draws

    return render_drift(report, None)


def _evaluation_page(report: Mapping[str, Any]) -> str:
    from nightjar.stages.evaluation.page import render_evaluation  # noqa: PLC0415 - as above

    return render_evaluation(report)


PAGES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "quality": _quality_page,
    "drift": _drift_page,
    "evaluation": _evaluation_page,
    "evaluation_again": _evaluation_page,
}
"""How each report beside a version is drawn; a page that is not named here is deleted where its report changes."""

log = logging.getLogger(__name__)
_VERSIONS: Final = "versions/"
_RUNS: Final = "runs/"
_RECORD: Final = "version.json"


def scrub_versions(services: Services, marks: Marks, *, lease: Lease) -> None:
    """Reports, their pages and samples of every version; the versions' own records are left alone."""
    for key, cleaned in _cleaned(services, _VERSIONS, marks):
        lease.assure(REQUEST_S)
        if key.endswith(".json"):
            _draw(services, key, cleaned)  # first, so that a crash finds the report as it was
        _put(services, key, cleaned)


def scrub_runs(services: Services, marks: Marks, *, lease: Lease) -> None:
    """Plans, outcomes and reports of every run; none of them goes on, for all began before the erasure."""
    for key, cleaned in _cleaned(services, _RUNS, marks):
        lease.assure(REQUEST_S)
        _put(services, key, cleaned)


def scrub_withheld(services: Services, marks: Marks, *, lease: Lease) -> None:
    """The list of withheld deletions, and older lists that nobody names any more."""
    lease.assure(REQUEST_S)
    remember_withheld(services, without_rows(read_withheld(services.state), marks))
    listed = tables(services, services.state.keys("withheld/"))
    services.state.delete([key for key, table in listed if without_rows(table, marks).num_rows < table.num_rows])


def _cleaned(services: Services, prefix: str, marks: Marks) -> Iterator[tuple[str, bytes | None]]:
    """(key, what should stand there, None: nothing) of objects below `prefix` that have something of the documents.

    Nobody can tell what a damaged one says, so that it goes as a whole.
    """

    def read(key: str) -> tuple[str, bytes, bytes | None]:
        stored = services.state.read(key)
        data = stored.data if stored else b"{}"
        try:
            return key, data, _without(key, data, marks)
        except (ValueError, Misconfigured) as error:
            log.warning("deleted the damaged object %s: %s", key, error)
            return key, data, None

    kept = (key for key in services.state.keys(prefix) if PurePosixPath(key).name != _RECORD or prefix == _RUNS)
    keys = (key for key in kept if key.endswith((".json", ".parquet")))
    for key, data, cleaned in in_order(read, keys):
        if cleaned != data:
            yield key, cleaned


def _without(key: str, data: bytes, marks: Marks) -> bytes:
    """The object without what is the documents' own; byte for byte itself where it has nothing of them."""
    if key.endswith(".parquet"):
        table = from_parquet(data, key=key)
        rest: pa.Table = without_rows(table, marks)
        return data if rest.num_rows == table.num_rows else to_parquet(rest)
    value = json.loads(data)
    cleaned = scrubbed(value, marks)
    return data if cleaned == value else json.dumps(cleaned, indent=1).encode()


def _put(services: Services, key: str, data: bytes | None) -> None:
    if data is None:
        services.state.delete([key])
    else:
        services.state.write(key, data)


def _draw(services: Services, key: str, report: bytes | None) -> None:
    page = key.removesuffix(".json") + ".html"
    if not services.state.exists(page):
        return
    draw = PAGES.get(PurePosixPath(key).stem)
    if draw is None or report is None:
        services.state.delete([page])
    else:
        services.state.write(page, draw(json.loads(report)).encode())
