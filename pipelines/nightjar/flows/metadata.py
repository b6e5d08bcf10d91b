"""Typed fields and ACL groups of a document, as columns of its manifest row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.corpus import Corpus
from nightjar.flows.manifests import indexed
from nightjar.model import FieldValue, sha256
from nightjar.stages.enrich import Enriched, MetadataRules, SetAside, enrich, tally_set_aside


def rules_of(corpus: Corpus) -> MetadataRules:
    """The corpus file's `metadata` block as the stage wants it."""
    block = corpus.metadata
    return MetadataRules(
        fields=dict(block.fields),
        fixed=dict(block.fixed),
        from_path=block.from_path,
        sidecar=block.sidecar,
        acl=block.acl,
    )


def rules_digest(corpus: Corpus) -> str:
    """Changes when any document's fields could."""
    return sha256(corpus.metadata.model_dump_json())[:16]


def describe(
    corpus: Corpus,
    row: Mapping[str, Any],
    *,
    object_metadata: Mapping[str, str],
    last_acl: Sequence[str] | None = None,
) -> dict[str, Any]:
    """`row` with its fields, ACL and count of values set aside; keeps what they were made from.

    A sidecar that cannot be read keeps the last ACL, so that damage neither opens nor hides a document.
    """
    enriched = _enriched(corpus, row, object_metadata)
    acl = enriched.acl
    if enriched.acl_unreadable and last_acl is not None:
        acl = tuple(last_acl)
    return {
        **row,
        "object_metadata": json.dumps(dict(object_metadata), sort_keys=True),
        "fields": fields_json(enriched.fields),
        "acl": None if acl is None else list(acl),
        "set_aside": len(enriched.set_aside),
    }


def _enriched(corpus: Corpus, row: Mapping[str, Any], object_metadata: Mapping[str, str]) -> Enriched:
    sidecar = row.get("sidecar")
    unreadable = b"" if row.get("sidecar_etag") is not None else None
    return enrich(
        key=row["key"].removeprefix(corpus.prefix),
        object_metadata=object_metadata,
        sidecar=unreadable if sidecar is None else sidecar.encode(),
        rules=rules_of(corpus),
    )


def describe_again(corpus: Corpus, row: Mapping[str, Any]) -> dict[str, Any]:
    """The same after the corpus file's metadata rules changed; needs no byte of the document."""
    return describe(corpus, row, object_metadata=_known(row), last_acl=row["acl"])


def set_aside_of(corpus: Corpus, manifest: pa.Table) -> list[SetAside]:
    """Metadata values of the manifest's indexed documents that were not taken, by field and reason."""
    standing = indexed(manifest)
    rows = standing.filter(pc.greater(standing["set_aside"], 0)).to_pylist()
    return tally_set_aside(_enriched(corpus, row, _known(row)) for row in rows)


def _known(row: Mapping[str, Any]) -> dict[str, str]:
    known: dict[str, str] = json.loads(row["object_metadata"] or "{}")
    return known


def fields_json(fields: Mapping[str, FieldValue]) -> str:
    """Typed fields as a manifest row keeps them."""
    return json.dumps(dict(fields), sort_keys=True, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
