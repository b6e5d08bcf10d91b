"""A second night without changes over 20,000 objects, or as many as asked for, against a bare listing, in one run.

    . .nightjar/env && .venv/bin/python benchmarks/second_night.py [100000]

The manifest is made from the listing itself, so that nothing differs; the plan compares, checks the index and reads
no document. Writes benchmarks/results/second_night.json, with the number in its name where one was given.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import boto3
from corpora import BUCKET, corpus_file, drop_index, empty

from nightjar.artifacts import MANIFEST, rows_table
from nightjar.flows.checkouts import claim_collection, close_writing
from nightjar.flows.listing import list_documents
from nightjar.flows.manifests import checkout_digest, load_manifest, save_manifest
from nightjar.flows.metadata import rules_digest
from nightjar.flows.planning import draft
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.trust import disagreement
from nightjar.flows.versions import Live, Version, open_version, read_live, read_version, save_version, write_live
from nightjar.model import document_id_of
from nightjar.ports import CollectionSchema
from nightjar.settings import Settings
from nightjar.stages.properties import properties_of
from nightjar.stages.states import State
from nightjar.wiring import open_services

if TYPE_CHECKING:  # nightjar must be first: Arrow chooses at its import how commands allocate
    import pyarrow as pa

OBJECTS: Final = int((sys.argv[1:] or ["20000"])[0])
ROUNDS: Final = 5
NAME: Final = "_".join(["noop", *sys.argv[1:]])
PREFIX: Final = f"bench/{NAME}/"


def put_objects() -> None:
    client = boto3.client("s3")
    listed = sum(p.get("KeyCount", 0) for p in pages(client))
    if listed == OBJECTS:
        return
    with ThreadPoolExecutor(8) as pool:
        numbers = range(OBJECTS)
        list(pool.map(lambda n: client.put_object(Bucket=BUCKET, Key=f"{PREFIX}{n:06}.txt", Body=b"text"), numbers))


def pages(client: Any) -> Any:
    return client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)


def bare_listing() -> int:
    client = boto3.client("s3")
    return sum(1 for page in pages(client) for _ in page.get("Contents", []))


def make_live(services: Services) -> None:
    """A version whose manifest is the listing, and an empty collection for its zero chunks."""
    listing = list_documents(services).documents
    recipe = services.recipe()
    stamps = {f"{stage}_recipe": recipe.upto(stage) for stage in ("parse", "chunk", "embed")}
    stamps |= {f"{stage}_settings": recipe.settings(stage) for stage in ("parse", "chunk")}
    stamps |= {"space": recipe.space, "content_key": "c", "chunks": 0, "tokens": 0}
    rows = ({**row, "document_id": document_id_of(row["uri"]), **stamps} for row in listing.to_pylist())
    manifest: pa.Table = rows_table(rows, MANIFEST)
    now = datetime.now(UTC).isoformat()
    version = open_version(services.state, Version(0, "bench", None, recipe.upto("embed"), now))
    name = claim_collection(services, version)
    version = replace(
        version,
        state=State.LIVE,
        manifest=tuple(save_manifest(services.state, manifest)),
        checkout=checkout_digest(manifest),
        collection=name,
        counts={"chunks": 0, "documents": OBJECTS},
        metadata_rules=rules_digest(services.corpus),
    )
    save_version(services.state, version)
    services.index.create(name, CollectionSchema(properties_of({}), "benchmark"))
    services.index.point(services.corpus.alias, name)
    close_writing(services, name, version)
    write_live(services.state, Live(version.number, name, "bench", now), expected=None)


def planned(services: Services) -> int:
    live = read_live(services.state)
    if live is None:
        raise SystemExit("nothing is live")
    base = load_manifest(services.state, read_version(services.state, live.version).manifest)
    wrong = disagreement(services, live)
    plan = draft(services, live=live, base=base, recipe=services.recipe(), options=Options(), distrusted=wrong).plan
    if not plan.empty:
        raise SystemExit(f"the night was to be empty: {plan}")
    return plan.unchanged


def timed(work: Callable[[], int]) -> float:
    started = time.perf_counter()
    if work() != OBJECTS:
        raise SystemExit(f"{work.__name__} did not see {OBJECTS} objects")
    return time.perf_counter() - started


def prepare() -> None:
    """Objects, and a live version made of their listing."""
    put_objects()
    empty("nightjar-state", prefix=PREFIX)
    services = opened()
    drop_index(services.corpus.alias)
    make_live(services)
    services.close()


def opened() -> Services:
    settings = Settings.from_environment(os.environ)
    return open_services(settings.corpus(str(corpus_file(NAME))), settings)


def main() -> None:
    # In a process of its own: what it takes to make the manifest is not what a night takes.
    before = get_context("spawn").Process(target=prepare)
    before.start()
    before.join()
    services = opened()
    pairs = [(timed(bare_listing), timed(lambda: planned(services))) for _ in range(ROUNDS)]
    result = {
        "objects": OBJECTS,
        "bare listing, s": [round(bare, 3) for bare, _ in pairs],
        "plan, s": [round(plan, 3) for _, plan in pairs],
        "plan objects/s over bare objects/s": round(median(bare / plan for bare, plan in pairs), 3),
        "peak memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    name = "_".join(["second_night", *sys.argv[1:]])
    Path(f"benchmarks/results/{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))
    drop_index(services.corpus.alias)
    services.close()


if __name__ == "__main__":
    main()
