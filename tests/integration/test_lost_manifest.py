"""Each manifest bucket is truncated on real servers, and made again from what Weaviate gives back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from real_nights import Place, place

from nightjar.corpus import Corpus
from nightjar.flows.audit import Findings, repair
from nightjar.flows.manifests import LostBucket
from nightjar.flows.versions import read_version
from nightjar.owner import Owner
from nightjar.settings import Settings

pytestmark = [pytest.mark.services, pytest.mark.slow]

METADATA = {
    "fields": {"team": "text", "year": "int", "share": "number", "tags": "text[]", "until": "date", "draft": "bool"}
}
ABOUT = {
    "team": "hr",
    "year": 2024,
    "share": 0.1,
    "tags": ["a", "b"],
    "until": "2030-01-02T03:04:05+02:00",
    "draft": False,
    "acl": ["hr", "interns"],
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("lost")) as ready:
        ready.first_day()
        for name in ("leave.txt", "travel.txt"):
            ready.put(f"{name}.metadata.json", json.dumps(ABOUT))
        yield ready


def corpus_of(servers: Place, name: str, *, strategy: str) -> Corpus:
    path = servers.folder / f"{name}.yaml"
    servers.corpus(name, strategy=strategy)
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "metadata": METADATA}))
    return Settings.from_environment(servers.environment).corpus(str(path))


def truncated(servers: Place, corpus: Corpus, *, place_in_manifest: int) -> None:
    """As a disk that filled up would leave it; a bucket of the gateway is a folder."""
    with servers.opened(corpus) as services:
        key = read_version(services.state, 1).manifest[place_in_manifest]
    path: Path = servers.folder / "s3" / "nightjar-state" / corpus.name / key
    path.write_bytes(path.read_bytes()[:-20])


def mended(servers: Place, corpus: Corpus) -> Findings:
    with servers.opened(corpus) as services:
        return repair(services, run_id=f"audit-{next(servers.runs)}", owner=Owner.command())


@pytest.mark.parametrize("strategy", ["blue_green", "in_place"])
def test_what_weaviate_gives_back_tells_the_rows(servers: Place, strategy: str) -> None:
    corpus = corpus_of(servers, f"lost_{strategy}", strategy=strategy)
    servers.night(corpus)
    served = servers.served(corpus)
    with servers.opened(corpus) as services:
        places = len(read_version(services.state, 1).manifest)
    for each in reversed(range(places)):  # that of the broken document alone is left out by its repair
        truncated(servers, corpus, place_in_manifest=each)
        with pytest.raises(LostBucket):
            servers.night(corpus)
        found = mended(servers, corpus)
        assert (found.ok, found.repaired, found.given_up) == (True, 0, ())
    servers.night(corpus)
    assert servers.served(corpus) == served
    assert servers.night(corpus)["state"] == "unchanged"
    servers.consistent(corpus)
