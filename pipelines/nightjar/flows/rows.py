"""One document's manifest row while a shard works on it.

A row is finished once it names its embed recipe; the later steps work on those that are not. Until then `attempts` and
`first_failed_at` say what is known of earlier failures, so that whichever step fails next counts on from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from nightjar.artifacts import MANIFEST
from nightjar.errors import BadDocument
from nightjar.flows.checks import check_digest
from nightjar.flows.metadata import describe
from nightjar.flows.runs import Run
from nightjar.flows.services import Services
from nightjar.model import Document, document_id_of
from nightjar.stages.enrich import LARGEST_SIDECAR

_OBJECT: Final = ("etag", "size", "modified_us")
_SIDECAR: Final = ("sidecar_etag", "sidecar_size", "sidecar_modified_us")

Row = dict[str, Any]
NO_FAILURE: Final[Row] = {
    **dict.fromkeys(("failure_stage", "failure_code", "failure_reason", "attempted_check", "attempted_content")),
    "attempts": 0,
    "first_failed_at": None,
    "last_failed_at": None,
}


def sidecar_of(services: Services, row: Row) -> str | None:
    """The text of `<key>.metadata.json`; None where there is none, and where it cannot be read.

    What was read of a changed one before the shards is kept with the plan.
    """
    if row["sidecar_etag"] is None:
        return None
    if row.get("sidecar_read"):
        return str(row["sidecar"]) if row["sidecar"] is not None else None
    sidecar = services.source.sidecar(row["key"], max_bytes=LARGEST_SIDECAR)
    try:
        return None if sidecar is None else sidecar.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _attempt(row: Row) -> Row:
    """Columns of the attempt alone: who the document is and which bytes were tried."""
    names = ("uri", "key", *_OBJECT, *_SIDECAR)
    return {"document_id": document_id_of(row["uri"]), **{name: row[name] for name in names}, "failure_code": None}


def is_unfinished(row: Row) -> bool:
    """Chunks or vectors are still to be made of it, or found."""
    return row["failure_code"] is None and row["embed_recipe"] is None


def _base_of(row: Row) -> Row:
    """What the live manifest says of a planned document."""
    return {name: row[f"base_{name}"] for name in MANIFEST.names if f"base_{name}" in row}


def standing(row: Row) -> Row:
    """A document whose bytes did not change and whose elements stand: only later stages are made again."""
    return {**_base_of(row), **_attempt(row), "embed_recipe": None}


def described_again(services: Services, row: Row) -> Row:
    """A standing document with the fields and groups that it has now: finished; its own bytes are not read.

    Its sidecar and the object's own metadata are asked for where the listing shows another of them.
    """
    sidecar = sidecar_of(services, row) if _is_another(row, _SIDECAR) else row["base_sidecar"]
    about = {**_base_of(row), **_attempt(row), "sidecar": sidecar}
    return describe(services.corpus, about, object_metadata=_object_metadata(services, row), last_acl=row["base_acl"])


def _object_metadata(services: Services, row: Row) -> Mapping[str, str] | None:
    """The listed object's own; never an earlier object's, which may name other groups. None where it cannot be read."""
    if row["base_object_metadata"] is None or _is_another(row, _OBJECT):
        return services.source.metadata(row["key"])
    known: dict[str, str] = json.loads(row["base_object_metadata"])
    return known


def _is_another(row: Row, fingerprint: Sequence[str]) -> bool:
    """An empty etag equals nothing."""
    return row[fingerprint[0]] == "" or any(row[name] != row[f"base_{name}"] for name in fingerprint)


def alike(rows: list[Row], *, recipe: str) -> list[Row]:
    """Documents of one content are made of one parser's elements, tonight's where there are any.

    Else two of them, one new and one that keeps an older parser's, would overwrite each other further on.
    """
    chosen: dict[str, Row] = {}
    for row in rows:
        if is_unfinished(row) and (row["content_key"] not in chosen or row["parse_recipe"] == recipe):
            chosen[row["content_key"]] = {name: row[name] for name in ("parse_recipe", "parse_settings")}
    return [row | chosen[row["content_key"]] if is_unfinished(row) else row for row in rows]


def described(services: Services, run: Run, row: Row, document: Document, *, content: Mapping[str, Any]) -> Row:
    """A document whose bytes were read and whose elements stand: nothing is made of them yet."""
    about = {
        **_attempt(row),
        "attempted_parse": run.recipe.upto("parse"),
        "parse_recipe": run.recipe.upto("parse"),
        "parse_settings": run.recipe.settings("parse"),
        "embed_recipe": None,
        "attempts": row["base_attempts"],
        "first_failed_at": row["base_first_failed_at"],
        "digest": document.digest,
        "charset": document.declared_charset,
        "content_key": content["content_key"],
        "media_type": content["media_type"],
        "document_modified_us": round(document.modified_at.timestamp() * 1_000_000),
        "sidecar": row.get("sidecar"),
    }
    return describe(services.corpus, about, object_metadata=document.object_metadata, last_acl=row.get("base_acl"))


def failed(
    services: Services,
    run: Run,
    row: Row,
    bad: BadDocument,
    *,
    stage: str,
    document: Document | None = None,
) -> Row:
    """The row of a document that failed tonight; what it has in the index is merged back at the gate.

    Who may read it is known all the same, and holds for what it has in the index.
    """
    now = services.clock().isoformat(timespec="seconds")
    before = _base_of(row) or row
    return {
        **_attempt(row),
        "attempted_parse": run.recipe.upto("parse"),
        "attempted_check": check_digest(services, run.recipe) if stage == "check" else None,
        "attempted_content": row.get("content_key"),
        "failure_stage": stage,
        "failure_code": str(bad.code),
        "failure_reason": bad.reason,
        "attempts": (before["attempts"] or 0) + 1,
        "first_failed_at": before["first_failed_at"] or now,
        "last_failed_at": now,
        "digest": document.digest if document else row.get("digest"),
        **_access(services, row, document),
    }


def _access(services: Services, row: Row, document: Document | None) -> Row:
    """Metadata as far as it was read tonight; a row of a later step has it already."""
    names = ("object_metadata", "sidecar", "acl")
    if "base_acl" not in row:
        return {name: row[name] for name in names}
    own = document.object_metadata if document else _object_metadata(services, row)
    about = describe(services.corpus, row, object_metadata=own, last_acl=row["base_acl"])
    return {name: about.get(name) for name in names}
