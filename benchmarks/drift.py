"""Does the drift gate stay quiet on quiet nights, and see what is planted? Fixed seeds, no server.

    NIGHTJAR_DATA=../shared/data python benchmarks/drift.py --nights 200 --trials 20

A retrieval set is the pool. A live version is four fifths of its documents, drawn anew for each trial; a quiet night
replaces 5 % of them by others of the pool, and every planted change happens in such a night. Damaged passages keep the
vectors of sound ones, so that text counters get no help. One line a set and change, with how often each verdict came;
exit code 1 where fewer than docs/drift.md promises were seen.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import promises
import pyarrow as pa
import pyarrow.compute as pc
from drift_corpora import corpus

from nightjar.legibility import mojibake_share, replacement_share
from nightjar.stages.drift import STATES, Planned, Side, compare, judged, set_aside
from nightjar.stages.drift.picking import CHUNKS_A_DOCUMENT, pick, spread

SETS: Final[Mapping[str, int]] = {"nq": 1600, "medquad": 332, "covidqa": 92, "squad2": 646}
TOPIC: Final[Mapping[str, str]] = {"nq": "covidqa", "medquad": "squad2", "covidqa": "nq", "squad2": "medquad"}
LANGUAGES: Final = ("de", "es", "zh", "ru")
TURNOVER: Final = 0.05
LIVE: Final = 0.8
TOKENS: Final = 256
BANNER: Final = "We value your privacy: accept all cookies to continue reading this page. "

MISREAD, LOST = 0.01, 0.05
"""Shares of characters above which expectations/documents.json sets a document aside."""

# How a change must be judged at least, and in which share of the trials over all sets.
MUST: Final[Mapping[str, tuple[str, float]]] = {
    "quiet": ("none", 0.96),
    "mojibake 10 %": ("fail", 1.0),
    "mojibake 10 % (the worst set aside)": ("fail", 1.0),
    "mojibake 10 % (all set aside)": ("fail", 1.0),
    "undecodable 10 %": ("fail", 1.0),
    "truncation 10 %": ("fail", 1.0),
    "file truncated at half 10 %": ("fail", 1.0),
    "boilerplate 10 %": ("fail", 1.0),
    "new topic 20 %": ("warn", 0.99),
    "new topic 5 %": ("warn", 0.9),
    "new language 5 %": ("warn", 0.95),
}

Random = np.random.Generator


@dataclass(frozen=True, eq=False)
class Night:
    """Rows of `SAMPLE` on both sides; `aside` are documents that the quality rules set aside tonight."""

    live: pa.Table
    night: pa.Table
    aside: frozenset[str] = frozenset()


def quiet(pool: pa.Table, random: Random, *, turnover: float = TURNOVER) -> Night:
    """A live version, and the same with some documents replaced by others of the pool."""
    documents = random.permutation(pc.unique(pool["document_id"]).to_pylist())
    size = int(LIVE * len(documents))
    live, rest = documents[:size], documents[size:]
    gone = min(round(turnover * size), len(rest))
    return Night(of(pool, live), of(pool, [*live[gone:], *rest[:gone]]))


def of(pool: pa.Table, documents: Sequence[str]) -> pa.Table:
    return pool.filter(pc.is_in(pool["document_id"], pa.array(list(documents), pa.string())))


def damaged(night: Night, random: Random, damage: Callable[[str], str], *, share: float = 0.1) -> Night:
    """A share of the candidate's documents with every passage damaged, under another content key."""
    documents = pc.unique(night.night["document_id"]).to_pylist()
    chosen = set(random.choice(documents, max(1, round(share * len(documents))), replace=False))
    rows = night.night.select(["document_id", "text", "content_key"]).to_pylist()
    hit = [row["document_id"] in chosen for row in rows]
    texts = [damage(row["text"]) if is_hit else row["text"] for row, is_hit in zip(rows, hit, strict=True)]
    keys = [row["content_key"] + "!" * is_hit for row, is_hit in zip(rows, hit, strict=True)]
    return Night(night.live, with_column(with_column(night.night, "text", texts), "content_key", keys))


def gated(night: Night) -> Night:
    """What the quality rules leave of it: documents that are damaged enough have their live text, if any."""
    texts: dict[str, list[str]] = {}
    for row in night.night.select(["document_id", "text"]).to_pylist():
        texts.setdefault(row["document_id"], []).append(row["text"])
    whole = {document: "\n".join(parts) for document, parts in texts.items()}
    aside = {each for each, text in whole.items() if mojibake_share(text) > MISREAD or replacement_share(text) > LOST}
    sound = of(night.night, sorted(whole.keys() - aside))
    return Night(night.live, pa.concat_tables([sound, of(night.live, sorted(aside))]), frozenset(aside))


def with_column(table: pa.Table, name: str, values: Sequence[str]) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))


def added(night: Night, other: pa.Table, random: Random, *, share: float, by: str) -> Night:
    """So many documents of another corpus that they are `share` of all chunks, or of all documents."""
    rows = sampled(night.night).num_rows
    documents = random.permutation(pc.unique(other["document_id"]).to_pylist())
    sizes = dict(Counter(other["document_id"].to_pylist()))
    total = rows if by == "chunks" else len(pc.unique(night.night["document_id"]))
    wanted, taken, chosen = share / (1 - share) * total, 0.0, []
    for document in documents:
        if taken >= wanted:
            break
        chosen.append(document)
        taken += min(sizes[document], CHUNKS_A_DOCUMENT) if by == "chunks" else 1
    # Of the corpus's own media type: what tells them apart is what they say.
    alike = with_column(
        of(other, chosen), "media_type", [night.live["media_type"][0].as_py()] * of(other, chosen).num_rows
    )
    return Night(night.live, pa.concat_tables([night.night, alike]))


def misread_throughout(text: str) -> str:
    """Every e had an accent: no document is spared."""
    return text.replace("e", "é").encode().decode("latin-1")


def misread(text: str) -> str:
    """A letter in about forty has an accent, and UTF-8 was read as Latin-1."""
    return (
        "".join("é" if letter == "e" and place % 5 == 0 else letter for place, letter in enumerate(text))
        .encode()
        .decode("latin-1")
    )


def lossy(text: str) -> str:
    """One character in fifty could not be decoded."""
    return "".join("\ufffd" if place % 50 == 49 else letter for place, letter in enumerate(text))


def cut(text: str) -> str:
    """Every passage ends after two fifths of its characters."""
    return text[: len(text) * 2 // 5]


def halved(night: Night, random: Random, *, share: float = 0.1) -> Night:
    """A share of the candidate's documents as files that end after half of their characters."""
    rows = night.night.sort_by([("document_id", "ascending"), ("ordinal", "ascending")]).to_pylist()
    sizes = Counter[str]()
    for row in rows:
        sizes[row["document_id"]] += len(row["text"])
    chosen = random.choice(sorted(sizes), max(1, round(share * len(sizes))), replace=False)
    left = {document: sizes[document] // 2 for document in chosen}
    kept = []
    for row in rows:
        room = left.get(row["document_id"])
        if room is None:
            kept.append(row)
        elif room > 0:
            kept.append(row | {"text": row["text"][:room].rstrip(), "content_key": row["content_key"] + "!"})
            left[row["document_id"]] = room - len(row["text"])
    return Night(night.live, pa.Table.from_pylist(kept, night.night.schema))


def verdict(night: Night) -> tuple[str, tuple[str, ...]]:
    """State and the detectors that spoke."""
    live, candidate = (sampled(rows) for rows in (night.live, night.night))
    manifests = manifest(night.live), manifest(night.night)
    before = Side.of(live)
    found = compare(before, Side.of(candidate), manifests=manifests, planned=Planned(), max_tokens=TOKENS)
    aside = set_aside(quarantine(manifests[0], frozenset()), quarantine(manifests[1], night.aside))
    everything = [*found.findings, aside]
    found = judged(everything, live=before, planned=Planned(), turnover=found.turnover, novel=found.novelty)
    return found.state, tuple(each.detector for each in found.findings if each.state != "none")


def quarantine(rows: pa.Table, aside: frozenset[str]) -> pa.Table:
    """A manifest with those that were set aside, whether they have content or not."""
    known = dict(zip(rows["document_id"].to_pylist(), rows["content_key"].to_pylist(), strict=True))
    documents = [*known, *sorted(aside - known.keys())]
    codes = pa.array(["mojibake" if each in aside else None for each in documents], pa.string())
    keys = pa.array([known.get(each) for each in documents], pa.string())
    return pa.table({"document_id": documents, "content_key": keys, "failure_code": codes})


def manifest(rows: pa.Table) -> pa.Table:
    """A row a document, as a version's manifest has."""
    grouped = rows.group_by("document_id", use_threads=False).aggregate(
        [(name, "first") for name in ("content_key", "media_type", "language", "size", "source_uri")]
        + [("text", "count")]
    )
    names = {
        "content_key_first": "content_key",
        "media_type_first": "media_type",
        "language_first": "language",
        "size_first": "size",
        "source_uri_first": "key",
        "text_count": "chunks",
    }
    return grouped.rename_columns([names.get(name, name) for name in grouped.column_names])


def sampled(rows: pa.Table) -> pa.Table:
    """As a version's sample: documents by hash of id, capped, each one's passages evenly spread."""
    kept = of(rows, pick(manifest(rows))["document_id"].to_pylist()).sort_by(
        [("document_id", "ascending"), ("ordinal", "ascending")]
    )
    ids = kept["document_id"].to_numpy(zero_copy_only=False)
    _, starts, counts = np.unique(ids, return_index=True, return_counts=True)
    places = [start + place for start, count in zip(starts, counts, strict=True) for place in spread(int(count))]
    return kept.take(pa.array(places))


def changes(pool: pa.Table, topic: pa.Table, tongues: Sequence[pa.Table]) -> Mapping[str, Callable[[Random], Night]]:
    """What may happen in a night, by name."""

    def hurt(damage: Callable[[str], str]) -> Callable[[Random], Night]:
        return lambda random: damaged(quiet(pool, random), random, damage)

    def more(share: float) -> Callable[[Random], Night]:
        return lambda random: added(quiet(pool, random), topic, random, share=share, by="chunks")

    def tongue(random: Random) -> Night:
        return added(quiet(pool, random), tongues[random.integers(len(tongues))], random, share=0.05, by="documents")

    return {
        "quiet": lambda random: quiet(pool, random),
        "mojibake 10 %": hurt(misread),
        "mojibake 10 % (the worst set aside)": lambda random: gated(hurt(misread)(random)),
        "mojibake 10 % (all set aside)": lambda random: gated(hurt(misread_throughout)(random)),
        "undecodable 10 %": hurt(lossy),
        "truncation 10 %": hurt(cut),
        "file truncated at half 10 %": lambda random: halved(quiet(pool, random), random),
        "boilerplate 10 %": hurt(lambda text: BANNER + text),
        "new topic 20 %": more(0.2),
        "new topic 5 %": more(0.05),
        "new language 5 %": tongue,
    }


def measured(name: str, pool: pa.Table, change: str, make: Callable[[Random], Night], trials: int) -> dict[str, object]:
    """How often each verdict came in so many trials, and which detectors spoke."""
    states, spoke, started = Counter[str](), Counter[str](), time.process_time()
    for trial in range(trials):
        random = np.random.default_rng([trial, *change.encode(), *name.encode()])
        state, detectors = verdict(make(random))
        states[state] += 1
        spoke.update(detectors)
    seconds = (time.process_time() - started) / trials
    return {
        "set": name,
        "documents": len(pc.unique(pool["document_id"])),
        "chunks": pool.num_rows,
        "change": change,
        "trials": trials,
        "states": dict(states),
        "detectors": dict(spoke.most_common()),
        "cpu_seconds": round(seconds, 2),
    }


def unkept(change: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The sentence about a change that was judged less strictly, or more, than it must be; '' where it was not."""
    state, least = MUST[change]
    seen = Counter[str]()
    for row in rows:
        seen.update(row["states"] if row["change"] == change else {})
    kept = seen["none"] if state == "none" else sum(seen[each] for each in STATES[STATES.index(state) :])
    return promises.share(f"{change} judged {state}", kept, of=seen.total(), least=least)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sets", default=",".join(SETS))
    options.add_argument("--changes", default="")
    options.add_argument("--nights", type=int, default=50, help="quiet nights a set")
    options.add_argument("--trials", type=int, default=20, help="of each planted change a set")
    options.add_argument("--cache", type=Path, default=Path(".nightjar/bench/drift"))
    options.add_argument("--results", type=Path, default=Path("benchmarks/results/drift.json"))
    chosen = options.parse_args()
    tongues = [corpus("xquad", below=language, limit=240, cache=chosen.cache) for language in LANGUAGES]
    told = []
    for name in chosen.sets.split(","):
        pool = corpus(name, limit=SETS[name], cache=chosen.cache)
        topic = corpus(TOPIC[name], limit=SETS[TOPIC[name]], cache=chosen.cache)
        for change, make in changes(pool, topic, tongues).items():
            if chosen.changes and change not in chosen.changes.split(","):
                continue
            trials = chosen.nights if change == "quiet" else chosen.trials
            told.append(measured(name, pool, change, make, trials))
            print(json.dumps(told[-1]), flush=True)
            chosen.results.write_text(json.dumps({"format": 1, "rows": told}, indent=1) + "\n")
    return promises.told(unkept(change, told) for change in MUST)


if __name__ == "__main__":
    sys.exit(main())
