"""Manifests at rest."""

import pyarrow as pa
import pytest

from nightjar.adapters.memory.state import MemoryState
from nightjar.artifacts import MANIFEST, rows_table, to_parquet
from nightjar.errors import Misconfigured
from nightjar.flows.manifests import checkout_digest, load_manifest, save_manifest
from nightjar.model import document_id_of


def manifest(*names: str, **changes: object) -> pa.Table:
    rows = [
        {"document_id": document_id_of(f"s3://b/{n}"), "uri": f"s3://b/{n}", "key": n, "content_key": "c", **changes}
        for n in names
    ]
    return rows_table(rows, MANIFEST)


NAMES = [f"k{n}" for n in range(200)]


def test_a_manifest_comes_back_whole() -> None:
    state = MemoryState()
    again = load_manifest(state, save_manifest(state, manifest(*NAMES)))
    assert again.sort_by("key").equals(manifest(*NAMES).sort_by("key"))


def test_unchanged_buckets_are_shared_between_versions() -> None:
    state = MemoryState()
    before = save_manifest(state, manifest(*NAMES))
    after = save_manifest(state, manifest(*NAMES, "new"))
    assert len(set(before) - set(after)) == 1


def test_rows_that_were_read_back_are_shared_too() -> None:
    state = MemoryState()
    before = save_manifest(state, manifest(*NAMES, acl=["hr"]))
    assert save_manifest(state, load_manifest(state, before)) == before


def test_a_manifest_of_an_earlier_release_has_nulls_for_new_columns() -> None:
    state = MemoryState()
    state.write("manifests/old.parquet", to_parquet(manifest("a").drop_columns(["vectors", "sketch"])))
    row = load_manifest(state, ["manifests/old.parquet"]).to_pylist()[0]
    assert (row["key"], row["vectors"], row["sketch"]) == ("a", None, None)


def test_a_missing_bucket_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"manifests/x\.parquet is missing"):
        load_manifest(MemoryState(), ["manifests/x.parquet"])


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"etag": "other"}, False),
        ({"failure_code": "corrupt"}, False),
        ({"vectors": "other"}, True),
        ({"title": "Other"}, True),
        ({"acl": ["hr"]}, False),
    ],
)
def test_a_checkout_is_told_by_what_stands_in_the_index(change: dict[str, object], *, differs: bool) -> None:
    assert (checkout_digest(manifest("a")) != checkout_digest(manifest("a", **change))) is differs
