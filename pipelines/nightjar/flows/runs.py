"""One run's own record: what it started from and was asked to do; every step finds it again by the run's id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from nightjar.artifacts import MANIFEST, from_parquet, run_key, to_parquet
from nightjar.errors import Misconfigured, Superseded
from nightjar.flows.access import read_access
from nightjar.flows.erased import erased_sequence
from nightjar.flows.manifests import load_manifest
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, Version, commits_of, read_live, read_version
from nightjar.recipe import STAGES, Recipe, Stage


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may ask of one night; the defaults are the nightly schedule's.

    `prefix`, `where`, `failed` and `documents` (ids or source uris) limit it: what lies outside is neither made nor
    deleted. `approved_list` is the digest of one list of withheld deletions: `approve_deletions` then lets go what
    stands there and nothing else. `decided` is a version that a person promoted after others had gone live: this night
    builds it anew, and what that version waited for, or was rejected for, is approved.
    """

    full_refresh: bool = False
    prefix: str | None = None
    where: tuple[str, str] | None = None
    failed: bool = False
    recompute: Stage | None = None
    promote: bool = True
    approve_deletions: bool = False
    approve_cost: bool = False
    documents: tuple[str, ...] = ()
    decided: int | None = None
    approved_list: str | None = None

    @property
    def is_limited(self) -> bool:
        """Some documents lie outside of the run."""
        return bool(self.prefix or self.where or self.failed or self.documents)

    def makes_again(self, stage: Stage) -> bool:
        """Not even what is stored under tonight's recipe is taken; a rebuild takes what its version's run stored."""
        asked = "parse" if self.full_refresh else self.recompute
        return asked is not None and self.decided is None and STAGES.index(asked) <= STAGES.index(stage)


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way.

    `live` is what was live when it was settled, None on a first night; `erased` the sequence of erasures at that time.
    `distrusted` says why the live collection can neither be trusted nor be restored, '' where it can be trusted; None
    where this process did not look: whoever settled the run may have done so hours ago.
    """

    run_id: str
    actor: str
    options: Options
    recipe: Recipe
    started_at: datetime
    live: Live | None
    erased: int = 0
    distrusted: str | None = None

    def base(self, services: Services) -> pa.Table:
        """Rows of the manifest that tonight is compared with; groups are those that hold now, not the version's."""
        return live_rows(services, self.live)


def live_rows(services: Services, live: Live | None) -> pa.Table:
    """Rows of the live version's manifest with the groups that hold now; none where nothing is live."""
    if live is None:
        return MANIFEST.empty_table()
    manifest = load_manifest(services.state, read_version(services.state, live.version).manifest)
    return read_access(services).over(manifest)


def save_run(services: Services, run: Run) -> None:
    """Write the run's record, once at its start."""
    record = {
        "run_id": run.run_id,
        "actor": run.actor,
        "options": asdict(run.options),
        "recipe": run.recipe.as_json(),
        "started_at": run.started_at.isoformat(),
        "live": asdict(run.live) if run.live else None,
        "erased": run.erased,
        "corpus": services.corpus.resolved(),
    }
    write_json(services, run, "run.json", record)


def find_run(services: Services, run_id: str) -> Run | None:
    """The run's record, None before it was settled."""
    stored = services.state.read(run_key(run_id, "run.json"))
    if stored is None:
        return None
    record = json.loads(stored.data)
    asked = record["options"]
    where = tuple(asked["where"]) if asked["where"] else None
    options = Options(**{**asked, "where": where, "documents": tuple(asked.get("documents", ()))})
    return Run(
        run_id=run_id,
        actor=record["actor"],
        options=options,
        recipe=Recipe.from_json(record["recipe"]),
        started_at=datetime.fromisoformat(record["started_at"]),
        live=Live(**record["live"]) if record["live"] else None,
        erased=record.get("erased", 0),
    )


def resume(services: Services, run_id: str) -> Run:
    """The run, if it may still go on: what is live is what it started from, and this code makes what it planned.

    Raises:
        Superseded: another run went live since, so clearing an old task can change nothing.
        Misconfigured: this worker's recipe differs from the plan's.
    """
    run = find_run(services, run_id)
    if run is None:
        raise Misconfigured(f"run {run_id} was never settled: trigger a new run instead of clearing this task")
    require_current(services, run)
    if services.recipe() != run.recipe:
        lines = "; ".join(run.recipe.difference(services.recipe()))
        raise Misconfigured(
            f"this worker would make other results than the run planned ({lines}): install the same code"
        )
    return run


def require_current(services: Services, run: Run) -> None:
    """Do nothing while what is live is what the run started from, or what it made live itself.

    Raises:
        Superseded: another run went live since, or a rollback or another collection of the same number; documents were
            erased since; or a rollback is under way.
    """
    now = read_live(services.state)
    if now is not None and now.returning_to is not None:
        raise Superseded(f"run {run.run_id} is over: a rollback to version {now.returning_to} is under way")
    if _place(now) != _place(run.live) and not _is_its_own(run, now):
        told = f"version {now.version} went live in {now.collection} since" if now else "nothing is live any more"
        raise Superseded(f"run {run.run_id} is over, {told}: trigger a new one")
    if erased_sequence(services.state) != run.erased:
        raise Superseded(f"run {run.run_id} is over, for documents were erased since: trigger a new one")


def _place(live: Live | None) -> tuple[int, str, int] | None:
    return (live.version, live.collection, live.commits) if live else None


def _is_its_own(run: Run, now: Live | None) -> bool:
    """The run made it live, and nobody has moved it since."""
    return now is not None and now.run_id == run.run_id and now.commits == commits_of(run.live) + 1


def write_json(services: Services, run: Run, name: str, record: object) -> None:
    """Something of this run's own, readable by people."""
    services.state.write(run_key(run.run_id, name), json.dumps(record, indent=1, default=str).encode())


def read_json(services: Services, run: Run, name: str) -> Any | None:
    """What `write_json` wrote; None when it did not."""
    stored = services.state.read(run_key(run.run_id, name))
    return json.loads(stored.data) if stored else None


def write_table(services: Services, key: str, table: pa.Table) -> None:
    """A table of this run's own."""
    services.state.write(key, to_parquet(table))


def read_table(services: Services, key: str) -> pa.Table | None:
    """What `write_table` wrote; None when it did not."""
    stored = services.state.read(key)
    return from_parquet(stored.data, key=key) if stored else None


def candidate(services: Services, run: Run) -> Version | None:
    """The version this run made; None while the night is `unchanged`."""
    record = read_json(services, run, "version.json")
    number = record and record["version"]
    return read_version(services.state, number) if number else None


def told_of(services: Services, run: Run) -> Mapping[str, Any]:
    """What the gate counted tonight: `documents` by what happened to them, `cost`; empty while there is no version."""
    return read_json(services, run, "version.json") or {}
