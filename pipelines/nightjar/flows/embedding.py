"""Third step of a shard: vectors for new texts only, checked, stored by content; then the shard's outcome."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import (
    MANIFEST,
    EmbeddedContent,
    pack_vectors,
    rows_table,
    rows_to_chunks,
    shard_key,
    vectors_key,
)
from nightjar.clock import stopwatch
from nightjar.errors import BadDocument, Code, Misconfigured
from nightjar.flows.checks import Verdicts, check_vectors
from nightjar.flows.parallel import in_order
from nightjar.flows.planning import shard_rows
from nightjar.flows.reuse import Reuse, read_content
from nightjar.flows.rows import NO_FAILURE, Row, failed, is_unfinished
from nightjar.flows.runs import Run, read_json, read_table, write_json, write_table
from nightjar.flows.services import Services
from nightjar.model import Chunk, EmbeddedChunk, Vector
from nightjar.recipe import Recipe

log = logging.getLogger(__name__)
# Chunks embedded before their vectors are stored: bounds memory and what a kill can cost.
_GROUP_CHUNKS: Final = 512

Facts = Mapping[str, Any]
_Group = Mapping[str, list[Chunk]]


def embed_shard(services: Services, run: Run, shard: int) -> Mapping[str, Any]:
    """Embed one shard and write its outcome. Returns the step's report."""
    done = read_json(services, run, f"shards/{shard:04d}/outcome.json")
    if done is not None:
        return dict(done)
    elapsed = stopwatch()
    table = read_table(services, shard_key(run.run_id, shard, "chunks.parquet"))
    checked = read_table(services, shard_key(run.run_id, shard, "checked.parquet"))
    chunked = read_json(services, run, f"shards/{shard:04d}/chunked.json")
    if table is None or checked is None or chunked is None:
        raise Misconfigured(f"shard {shard} of run {run.run_id} was not chunked: clear its chunk task first")
    rows = checked.to_pylist()
    reuse = Reuse(services, run, shard, rows=rows)
    parses = {row["content_key"]: row["parse_recipe"] for row in rows}
    maker = _Maker(services, run, chunked["about"], parses=parses, reuse=reuse)
    services.progress("embed", 0, table.num_rows)
    for chunks in maker.make(_groups(table)):
        services.progress("embed", chunks, table.num_rows)
    rows = [_finished(services, run, row, maker.bad) for row in rows]
    rows = _with_counts(services, run, rows, maker.made)
    rows = _still_failing(rows, shard_rows(services, run, shard))
    write_table(services, shard_key(run.run_id, shard, "outcome.parquet"), rows_table(rows, MANIFEST))
    report = {
        "documents": len(rows),
        "failed": sum(1 for row in rows if row["failure_code"]),
        "chunks": maker.chunks,
        "embedded": maker.embedded,
        "reused": maker.chunks - maker.embedded,
        "tokens": maker.tokens,
        "truncated_tokens": maker.truncated,
        "seconds": elapsed(),
    }
    write_json(services, run, f"shards/{shard:04d}/outcome.json", report)
    log.info("embedded run=%s shard=%d %s", run.run_id, shard, " ".join(f"{k}={v}" for k, v in report.items()))
    return report


def _groups(table: pa.Table) -> Iterator[dict[str, list[Chunk]]]:
    """Whole contents until a group is full; only one group's chunks are Python objects at a time."""
    group: dict[str, list[Chunk]] = {}
    held = start = 0
    runs = pc.run_end_encode(table["content_key"].combine_chunks())
    for content, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        group[content] = rows_to_chunks(table.slice(start, end - start))
        held += end - start
        start = end
        if held >= _GROUP_CHUNKS:
            yield group
            group, held = {}, 0
    if group:
        yield group


class _Maker:
    """Embeds what is new in groups of contents, equal texts once, and stores each content's vectors."""

    def __init__(
        self, services: Services, run: Run, about: Mapping[str, Facts], *, parses: Mapping[str, str], reuse: Reuse
    ) -> None:
        self._services, self._run, self._about, self._parses, self._reuse = services, run, about, parses, reuse
        self.made: dict[str, Row] = {}
        self.bad: dict[str, tuple[Code, str]] = {}
        self.chunks = self.embedded = self.tokens = self.truncated = 0

    def make(self, groups: Iterable[_Group]) -> Iterator[int]:
        """Each group is checked and stored in another thread while the next is embedded; yields the chunks done."""
        embedded = ((group, self._vectors(group)) for group in groups)
        for bad, made in in_order(self._kept, embedded, window=2, threads=1):
            self.bad |= bad
            self.made |= made
            yield self.chunks

    def _vectors(self, group: _Group) -> dict[str, Vector]:
        texts = {c.text_digest: c for chunks in group.values() for c in chunks}
        vectors = self._reuse.find(group, wanted=texts.keys())
        new = {digest: chunk for digest, chunk in texts.items() if digest not in vectors}
        vectors |= self._embedded(new) if new else {}
        self._reuse.remember(vectors)
        self.chunks += sum(len(chunks) for chunks in group.values())
        return vectors

    def _kept(self, item: tuple[_Group, Mapping[str, Vector]]) -> tuple[Verdicts, dict[str, Row]]:
        group, vectors = item
        contents = {key: self._content(key, chunks, vectors) for key, chunks in group.items()}
        bad = check_vectors(self._services, contents)
        kept = [(key, content) for key, content in contents.items() if key not in bad]
        return bad, {key: counts_of_content(content) for key, content in in_order(self._store, kept)}

    def _embedded(self, texts: Mapping[str, Chunk]) -> dict[str, Vector]:
        vectors = self._services.embedder().embed([chunk.embedded_text for chunk in texts.values()])
        self.embedded += len(texts)
        self.tokens += sum(chunk.token_count for chunk in texts.values())
        limit = self._services.tokenizer().max_tokens
        self.truncated += sum(max(0, chunk.token_count - limit) for chunk in texts.values())
        # Copies, for a row that is remembered would keep its whole group's matrix.
        return {digest: vector.copy() for digest, vector in zip(texts, vectors, strict=True)}

    def _content(self, key: str, chunks: Iterable[Chunk], vectors: Mapping[str, Vector]) -> EmbeddedContent:
        embedded = tuple(EmbeddedChunk(chunk, vectors[chunk.text_digest]) for chunk in chunks)
        return EmbeddedContent(chunks=embedded, **self._about[key])

    def _store(self, item: tuple[str, EmbeddedContent]) -> tuple[str, EmbeddedContent]:
        recipe = self._run.recipe.upto("embed", parse=self._parses[item[0]])
        self._services.state.write(vectors_key(recipe, item[0]), pack_vectors(item[1]))
        return item


def counts_of_content(content: EmbeddedContent) -> Row:
    """Columns of a manifest row that its stored chunks and vectors decide."""
    return {
        "chunks": len(content.chunks),
        "tokens": content.tokens,
        "title": content.title,
        "language": content.language,
        "sketch": content.sketch,
        "vectors": content.vectors_digest,
    }


def _finished(services: Services, run: Run, row: Row, bad: Mapping[str, tuple[Code, str]]) -> Row:
    if not is_unfinished(row) or row["content_key"] not in bad:
        return row
    code, reason = bad[row["content_key"]]
    verdict = BadDocument(row["document_id"], code, reason)
    return failed(services, run, row, verdict, stage="check")


def _with_counts(services: Services, run: Run, rows: list[Row], made: dict[str, Row]) -> list[Row]:
    """Rows with what stands in the index for them, read back for contents that somebody made before."""
    parses = {row["content_key"]: row["parse_recipe"] for row in rows if is_unfinished(row)}
    before = sorted(parses.keys() - made.keys())
    keys = [vectors_key(run.recipe.upto("embed", parse=parses[content]), content) for content in before]
    for content, stored in zip(before, in_order(lambda key: read_content(services, key), keys), strict=True):
        if stored is None:
            raise Misconfigured(f"the stored vectors of content {content} vanished during the run: run again")
        made[content] = counts_of_content(stored)
    return [
        {**row, **made[row["content_key"]], **_stamps(run.recipe, parse=row["parse_recipe"]), **NO_FAILURE}
        if is_unfinished(row)
        else row
        for row in rows
    ]


def _stamps(recipe: Recipe, *, parse: str) -> Row:
    """What made a document's vectors, whichever parser read it."""
    return {
        "chunk_recipe": recipe.upto("chunk", parse=parse),
        "embed_recipe": recipe.upto("embed", parse=parse),
        "chunk_settings": recipe.settings("chunk"),
        "space": recipe.space,
    }


def _still_failing(rows: list[Row], planned: list[Row]) -> list[Row]:
    """Documents in quarantine whose standing content was made again stay there: their new bytes were not tried."""
    failing = {row["base_document_id"]: row for row in planned if row["stage"] != "parse" and row["base_failure_code"]}
    return [
        row | {name: failing[row["document_id"]][f"base_{name}"] for name in NO_FAILURE}
        if row["document_id"] in failing and row["failure_code"] is None
        else row
        for row in rows
    ]
