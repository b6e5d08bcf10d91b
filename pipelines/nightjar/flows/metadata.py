"""Typed fields and ACL groups of a document, as columns of its manifest row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nightjar.corpus import Corpus
from nightjar.model import sha256
from nightjar.stages.enrich import MetadataRules, enrich


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


def describe(corpus: Corpus, row: Mapping[str, Any], *, object_metadata: Mapping[str, str]) -> dict[str, Any]:
    """`row` with its fields, ACL and count of values set aside; keeps what they were made from."""
    sidecar = row.get("sidecar")
    enriched = enrich(
        key=row["key"].removeprefix(corpus.prefix),
        object_metadata=object_metadata,
        sidecar=None if sidecar is None else sidecar.encode(),
        rules=rules_of(corpus),
    )
    return {
        **row,
        "object_metadata": json.dumps(dict(object_metadata), sort_keys=True),
        "fields": json.dumps(dict(enriched.fields), sort_keys=True, default=_plain),
        "acl": None if enriched.acl is None else list(enriched.acl),
        "set_aside": len(enriched.set_aside),
    }


def describe_again(corpus: Corpus, row: Mapping[str, Any]) -> dict[str, Any]:
    """The same after the corpus file's metadata rules changed; needs no byte of the document."""
    return describe(corpus, row, object_metadata=json.loads(row["object_metadata"] or "{}"))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")
