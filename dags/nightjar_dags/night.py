"""What each task of `reindex_<corpus>` does: open the doors, call one flow, leave references behind.

Each function is the task of its name. Loaded by running tasks only: flows bring Arrow, boto3 and Weaviate's client.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, TypedDict

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from nightjar.corpus import Corpus
from nightjar.errors import HeldBack, Superseded
from nightjar.flows import evaluating, gates, promotion
from nightjar.flows import index as checkout
from nightjar.flows import night as whole
from nightjar.flows import settle as settling
from nightjar.flows.chunking import chunk_shard
from nightjar.flows.embedding import embed_shard
from nightjar.flows.fence import beating
from nightjar.flows.granting import apply_access
from nightjar.flows.parsing import parse_shard
from nightjar.flows.runs import Options, candidate
from nightjar.flows.services import Services
from nightjar.flows.timing import timed
from nightjar.flows.versions import Live, read_version
from nightjar.lease import Lease
from nightjar_dags.actions import ASK
from nightjar_dags.assets import announce
from nightjar_dags.ending import broken_tasks, keep_report, question_of
from nightjar_dags.session import acquired, actor_of, opened, owner_of, skipped_when_over, taking_part
from nightjar_dags.starting import starting

log = logging.getLogger(__name__)


class ShardReference(TypedDict):
    """What XCom carries of a shard; its documents stand in the run's plan."""

    number: int
    label: str


def settle(corpus: Corpus) -> None:
    """Take the lease, prove the doors, end what crashed runs left, and open the run."""
    context = get_current_context()
    owner = owner_of(context)
    with skipped_when_over(), opened(corpus) as services:
        lease = acquired(services, run_id=context["run_id"], owner=owner)
        with _released_on_failure(lease), beating(services, lease) as fenced:
            settling.settle(
                fenced,
                run_id=context["run_id"],
                actor=actor_of(context),
                options=options_of(context["params"]),
                lease=lease,
            )


def plan(corpus: Corpus) -> list[ShardReference]:
    """Compare the bucket with what is live, and close what nobody may read any more; the shards of work, if any."""
    with taking_part(corpus) as part:
        made = timed(part.services, part.run, "plan", lambda: whole.approved_plan(part.services, part.run, part.lease))
    return [ShardReference(number=shard.number, label=shard.label) for shard in made.shards]


def parse(corpus: Corpus, shard: ShardReference) -> None:
    """Fetch and parse one shard's documents."""
    _shard_step(parse_shard, corpus, shard)


def chunk(corpus: Corpus, shard: ShardReference) -> None:
    """Cut one shard's documents into chunks, and check both."""
    _shard_step(chunk_shard, corpus, shard)


def embed(corpus: Corpus, shard: ShardReference) -> None:
    """Make vectors for one shard's new texts."""
    _shard_step(embed_shard, corpus, shard)


def gate(corpus: Corpus) -> dict[str, Any]:
    """Close what nobody may read any more, then join the shards into a candidate version and judge it."""
    with taking_part(corpus) as part:
        timed(part.services, part.run, "access", lambda: apply_access(part.services, part.run, part.lease))
        gated = timed(part.services, part.run, "gates", lambda: gates.gate(part.services, part.run))
    return asdict(gated)


def index(corpus: Corpus) -> None:
    """Check the candidate out into a collection; skipped, with all that follows, on a night without one."""
    with taking_part(corpus) as part, waiting_as_asked(part.run.options):
        if candidate(part.services, part.run) is None:
            raise AirflowSkipException("nothing differs and the index agrees: no new version")
        timed(part.services, part.run, "index", lambda: checkout.index(part.services, part.run, lease=part.lease))


def verify(corpus: Corpus) -> None:
    """Prove that the collection is the version's checkout."""
    with taking_part(corpus) as part:
        timed(part.services, part.run, "verify", lambda: checkout.verify(part.services, part.run, lease=part.lease))


def evaluate(corpus: Corpus) -> Any:
    """Ask the golden questions before anybody is sent to the version; what came of it."""
    with taking_part(corpus) as part:
        return timed(
            part.services, part.run, "evaluate", lambda: evaluating.evaluate(part.services, part.run, lease=part.lease)
        )


def promote(corpus: Corpus) -> None:
    """Make the version live and announce it; skipped where the person who triggered the run asked for that."""
    with taking_part(corpus) as part, waiting_as_asked(part.run.options):
        live = timed(
            part.services, part.run, "promote", lambda: promotion.promote(part.services, part.run, lease=part.lease)
        )
        if live is not None:
            facts = live_facts(part.services, live)
            announce(corpus, facts, events=get_current_context()["outlet_events"])


def finish(corpus: Corpus) -> str | None:
    """Keep the run's report and let the next run begin, however this one went; decides nothing about its colour.

    Returns the name of what is left for a person to approve, for `ask`.
    """
    context = get_current_context()
    run_id = context["run_id"]
    with opened(corpus) as services:
        try:
            report = keep_report(services, run_id, broken=broken_tasks(context))
        finally:
            with suppress(Superseded):
                Lease.attach(services.state, run_id=run_id).release()
        return question_of(services, run_id) if report else None


def ask(corpus: Corpus, question: str | None) -> None:
    """Have `operate_<corpus>` put the question to a person, once however often it comes up."""
    if question is None:
        log.info("nothing waits for a person")
        return
    night = get_current_context()["run_id"]
    raise starting(f"operate_{corpus.name}", run_id=f"ask__{question}", conf={"action": ASK, "night": night})


def options_of(params: Mapping[str, Any]) -> Options:
    """What the trigger form asked for; an emptied text field is no prefix."""
    return Options(
        full_refresh=params["full_refresh"],
        prefix=params["prefix"] or None,
        recompute=params["recompute"],
        promote=params["promote"],
        approve_deletions=params["approve_deletions"],
        approve_cost=params["approve_cost"],
        approved_list=params["approved_list"],
    )


def live_facts(services: Services, live: Live) -> dict[str, Any]:
    """What the asset event says of a promotion."""
    version = read_version(services.state, live.version)
    return {
        "version": live.version,
        "collection": live.collection,
        "documents": version.counts.get("documents", 0),
        "chunks": version.counts.get("chunks", 0),
        "model": services.corpus.embed.model,
        "verdicts": dict(version.verdicts),
    }


def _shard_step(step: Callable[..., object], corpus: Corpus, shard: ShardReference) -> None:
    with taking_part(corpus) as part:
        step(part.services, part.run, shard["number"])


@contextmanager
def _released_on_failure(lease: Lease) -> Iterator[None]:
    """No task follows a settle that failed, so it must not leave the corpus taken."""
    try:
        yield
    except BaseException:
        lease.release()
        raise


@contextmanager
def waiting_as_asked(options: Options) -> Iterator[None]:
    """A version that waits because its run was told to is a success; one that is held back otherwise is not."""
    try:
        yield
    except HeldBack as held:
        if options.promote:
            raise
        raise AirflowSkipException(str(held)) from held
