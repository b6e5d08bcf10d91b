"""First step of a shard: fetch what changed, tell its type, parse what nobody parsed yet, describe each document."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import MANIFEST, content_key_of, elements_key, pack_elements, rows_table, shard_key
from nightjar.clock import stopwatch
from nightjar.errors import BadDocument, Code
from nightjar.flows.disk import full_disk_told, refuse_full_disk
from nightjar.flows.metadata import describe_again
from nightjar.flows.parallel import in_order, windows
from nightjar.flows.planning import shard_rows
from nightjar.flows.rows import Row, alike, described, described_again, failed, sidecar_of, standing
from nightjar.flows.runs import Run, read_json, write_json, write_table
from nightjar.flows.services import Services
from nightjar.model import Document, Fingerprint, ParsedDocument, SourceObject
from nightjar.stages.plan import DESCRIBE
from nightjar.workfolder import WorkFolder

log = logging.getLogger(__name__)
_WINDOW: Final = 128


@dataclass(slots=True)
class _Tally:
    """What the step did, for its report."""

    documents: int = 0
    fetched_bytes: int = 0
    parsed: int = 0
    reused: int = 0
    failed: int = 0
    notes: dict[str, int] = field(default_factory=dict)


def parse_shard(services: Services, run: Run, shard: int) -> Mapping[str, Any]:
    """Parse one shard; done work is found by its keys, so a retry resumes. Returns the step's report.

    Raises:
        Misconfigured: the working folder's disk filled up.
    """
    done = read_json(services, run, f"shards/{shard:04d}/parsed.json")
    if done is not None:
        return dict(done)
    elapsed = stopwatch()
    rows = shard_rows(services, run, shard)
    tally = _Tally(documents=len(rows))
    outcome: list[Row] = []
    base = functools.cache(lambda: run.base(services))
    services.progress("parse", 0, len(rows))
    with full_disk_told(services):
        for window in windows(rows, size=_WINDOW):
            with WorkFolder(services.work_folder) as folder:
                outcome += _parse_window(services, run, window, folder=folder.path, tally=tally, base=base)
            services.progress("parse", len(outcome), len(rows))
    outcome = alike(outcome, recipe=run.recipe.upto("parse"))
    write_table(services, shard_key(run.run_id, shard, "parsed.parquet"), rows_table(outcome, MANIFEST))
    report = {
        "documents": tally.documents,
        "bytes": tally.fetched_bytes,
        "parsed": tally.parsed,
        "reused": tally.reused,
        "failed": tally.failed,
        "seconds": elapsed(),
    }
    write_json(services, run, f"shards/{shard:04d}/parsed.json", report)
    log.info("parsed run=%s shard=%d %s", run.run_id, shard, " ".join(f"{k}={v}" for k, v in report.items()))
    return report


def _parse_window(
    services: Services, run: Run, window: list[Row], *, folder: Path, tally: _Tally, base: Callable[[], pa.Table]
) -> list[Row]:
    from_bytes = [row for row in window if row["stage"] == "parse"]
    remade = (standing(row) for row in window if row["stage"] not in ("parse", DESCRIBE))
    outcome = [describe_again(services.corpus, row) for row in remade]
    outcome += in_order(lambda row: described_again(services, row), [row for row in window if row["stage"] == DESCRIBE])
    fetched: list[tuple[Row, Document]] = []
    for row, got in in_order(lambda item: _fetch(services, item[1], folder / str(item[0])), enumerate(from_bytes)):
        if isinstance(got, BadDocument):
            outcome.append(failed(services, run, row, got, stage="fetch"))
            continue
        tally.fetched_bytes += got.fingerprint.size
        fetched.append((row, got))
    contents = _known_contents(run, fetched, base=base)
    unknown: list[tuple[Row, Document]] = []
    for row, document in fetched:
        known = contents.get(_content_hint(document.digest, document.key, document.declared_charset))
        if known is None:
            unknown.append((row, document))
        else:
            tally.reused += 1
            outcome.append(described(services, run, row, document, content=known))
    outcome += _read_unknown(services, run, unknown, tally=tally)
    tally.failed += sum(1 for row in outcome if row["failure_code"])
    return outcome


def _fetch(services: Services, row: Row, into: Any) -> tuple[Row, Document | BadDocument]:
    wanted = SourceObject(
        uri=row["uri"], key=row["key"], fingerprint=Fingerprint(row["etag"], row["size"], row["modified_us"])
    )
    limit = services.corpus.source.max_size
    row["sidecar"] = sidecar_of(services, row)
    if row["size"] == 0:
        return row, BadDocument(wanted.document_id, Code.EMPTY, "The object has no bytes.")
    if row["size"] > limit:
        reason = f"{row['size']} bytes are above source.max_size ({limit}): raise it, or exclude the key."
        return row, BadDocument(wanted.document_id, Code.TOO_LARGE, reason)
    try:
        return row, services.source.fetch(wanted, into=into, max_bytes=limit)
    except BadDocument as bad:
        return row, bad


def _content_hint(digest: str, key: str, charset: str) -> tuple[str, str, str]:
    """What decides a content's key before its type is known: equal hints are read as the same type."""
    return digest, PurePosixPath(key).suffix.lower(), charset


def _known_contents(
    run: Run, fetched: list[tuple[Row, Document]], *, base: Callable[[], pa.Table]
) -> dict[tuple[str, str, str], Row]:
    """Contents that the live version was made of, by the same parser: touched, renamed and copied documents."""
    if not fetched or run.live is None or run.options.makes_again("parse"):
        return {}
    live = base()
    same_parser = pc.fill_null(pc.equal(live["parse_recipe"], run.recipe.upto("parse")), fill_value=False)
    digests = pa.array([document.digest for _, document in fetched], pa.string())
    rows = live.filter(pc.and_(same_parser, pc.is_in(live["digest"], digests))).to_pylist()
    lost = {row["base_content_key"] for row, _ in fetched if row["why"] == "remade"}
    return {
        _content_hint(row["digest"], row["key"], row["charset"]): row for row in rows if row["content_key"] not in lost
    }


def _read_unknown(services: Services, run: Run, unknown: list[tuple[Row, Document]], *, tally: _Tally) -> Iterator[Row]:
    """Sniff, then parse what has no stored elements."""
    if not unknown:
        return
    recipe = run.recipe.upto("parse")
    rows = {document.document_id: row for row, document in unknown}
    to_parse: list[tuple[Document, str]] = []
    types = services.parser().sniff([document for _, document in unknown])
    for (row, document), media_type in zip(unknown, types, strict=True):
        if isinstance(media_type, BadDocument):
            yield failed(services, run, row, media_type, stage="parse", document=document)
            continue
        content = content_key_of(document.digest, media_type, document.declared_charset)
        if not run.options.makes_again("parse") and services.state.exists(elements_key(recipe, content)):
            tally.reused += 1
            known = {"content_key": content, "media_type": media_type}
            yield described(services, run, row, document, content=known)
        else:
            to_parse.append((document, media_type))
    media_types = {document.document_id: media_type for document, media_type in to_parse}

    def save(item: tuple[Document, ParsedDocument | BadDocument]) -> Row:
        document, parsed = item
        row = rows[document.document_id]
        if isinstance(parsed, BadDocument):
            refuse_full_disk(services)
            return failed(services, run, row, parsed, stage="parse", document=document)
        content = content_key_of(document.digest, media_types[document.document_id], document.declared_charset)
        services.state.write(elements_key(recipe, content), pack_elements(parsed))
        known = {"content_key": content, "media_type": parsed.media_type}
        return described(services, run, row, document, content=known)

    tally.parsed += len(to_parse)
    yield from in_order(save, services.parser().parse(to_parse))
