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
from nightjar.stages.enrich import Enriched, MetadataRules, SetAside, enrich, names_groups, tally_set_aside


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
    object_metadata: Mapping[str, str] | None,
    last_acl: Sequence[str] | None = None,
) -> dict[str, Any]:
    """`row` with its fields, ACL and count of values set aside; keeps what they were made from.

    A sidecar that cannot be read keeps the last ACL, so that damage neither opens nor hides a document; so does an
    object whose own metadata cannot (None), unless its sidecar says.
    """
    own = None if object_metadata is None else json.dumps(dict(object_metadata), sort_keys=True)
    about = {**row, "object_metadata": own}
    enriched = _enriched(corpus, about, object_metadata or {})
    acl: Sequence[str] | None = enriched.acl
    if says_groups(about) is None or (enriched.acl_unreadable and last_acl is not None):
        acl = last_acl
    return {
        **about,
        "fields": fields_json(enriched.fields),
        "acl": None if acl is None else list(acl),
        "set_aside": len(enriched.set_aside),
    }


def _enriched(corpus: Corpus, row: Mapping[str, Any], object_metadata: Mapping[str, str]) -> Enriched:
    return enrich(
        key=row["key"].removeprefix(corpus.prefix),
        object_metadata=object_metadata,
        sidecar=_sidecar(row),
        rules=rules_of(corpus),
    )


def _sidecar(row: Mapping[str, Any]) -> bytes | None:
    """b"" where one stands that could not be read."""
    sidecar: str | None = row.get("sidecar")
    if sidecar is None:
        return None if row.get("sidecar_etag") is None else b""
    return sidecar.encode()


def says_groups(row: Mapping[str, Any]) -> bool | None:
    """What `names_groups` tells of a described document, from `object_metadata` (null: not read) and its sidecar."""
    own = None if row["object_metadata"] is None else _known(row)
    return names_groups(object_metadata=own, sidecar=_sidecar(row))


def describe_again(corpus: Corpus, row: Mapping[str, Any]) -> dict[str, Any]:
    """Fields anew after the corpus file's metadata rules changed; needs no byte of the document.

    Its groups stay: a manifest may be older than what is known of them.
    """
    return {**describe(corpus, row, object_metadata=_known(row)), "acl": row["acl"]}


def groups_again(corpus: Corpus, row: Mapping[str, Any], *, named: bool | None) -> list[str] | None:
    """Groups by today's rules of a manifest row that has those that hold now.

    What the document itself says stays. Where nobody knows whether it does, rules may take groups away and give none.
    """
    acl: list[str] | None = row["acl"]
    if named:
        return acl
    if named is None:
        return _fewer(acl, describe(corpus, row, object_metadata=_known(row), last_acl=acl)["acl"])
    ruled: list[str] | None = describe(corpus, {"key": row["key"]}, object_metadata={}, last_acl=acl)["acl"]
    return ruled


def _fewer(acl: list[str] | None, ruled: list[str] | None) -> list[str] | None:
    if acl is None or ruled is None:
        return ruled if acl is None else acl
    return [group for group in acl if group in ruled]


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
