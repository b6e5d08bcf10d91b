"""What `operate_<corpus>` does, by the name of the action: the same flows as the command line's.

Each function returns what was done in one sentence, and what is live by it where that is to be announced. Loaded by
running tasks only.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from nightjar.corpus import Corpus
from nightjar.flows import decisions, erasing, fence
from nightjar.flows import rollback as holding
from nightjar.flows.decisions import Decision
from nightjar.flows.differences import documents_apart
from nightjar.flows.night import run_night
from nightjar.flows.returning import go_back
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, read_live
from nightjar.flows.waiting import newest_waiting
from nightjar.owner import Decider, Owner
from nightjar_dags.actions import ACTIONS, ASK, Order, order_of
from nightjar_dags.assets import announce
from nightjar_dags.night import live_facts
from nightjar_dags.session import actor_of, opened

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an order; `live` only where it changed what people search."""

    sentence: str
    live: Live | None = None


def act(corpus: Corpus) -> str:
    """Carry out what the form asked for, in the name of whoever triggered the run."""
    context = get_current_context()
    order = order_of(context["params"])
    if order.action == ASK:
        raise AirflowSkipException("this run asks a person: see `describe`")
    with opened(corpus) as services:
        done = carry_out(services, order, by=decider(context, actor=actor_of(context), reason=order.reason))
        told(services, done)
    log.info("%s: %s", corpus.name, done.sentence)
    return done.sentence


def carry_out(services: Services, order: Order, *, by: Decider) -> Done:
    """The function of the action's name."""
    functions = {name: globals()[name] for name in ACTIONS}
    done: Done = functions[order.action](services, order, by)
    return done


def decider(context: Any, *, actor: str, reason: str) -> Decider:
    """This run as history and lease are to name it: runs of this DAG may overlap, so that each is an owner."""
    run_id = context["run_id"]
    owner = Owner.one_run(context["dag"].dag_id, run_id)
    return Decider(run_id=f"operate-{run_id}", owner=owner, actor=actor, reason=reason)


def told(services: Services, done: Done) -> None:
    """Announce what is live now, as a night does."""
    if done.live is not None:
        facts = live_facts(services, done.live)
        announce(services.corpus, facts, events=get_current_context()["outlet_events"])


def rollback(services: Services, order: Order, by: Decider) -> Done:
    """Serve an earlier version again, and hold there; a run under way ends by itself and is waited for."""
    live = go_back(services, to=order.version, by=by)
    return Done(f"version {live.version} is live again in {live.collection}, and on hold: {live.held_reason}", live)


def hold(services: Services, order: Order, by: Decider) -> Done:
    """Promote nothing until `unhold`; needs no lease, so that it works beside a run."""
    live = holding.hold(services, reason=order.reason, actor=by.actor)
    return Done(f"version {live.version} stays live until unhold")


def unhold(services: Services, order: Order, by: Decider) -> Done:
    """Let runs promote again."""
    del order, by
    live = holding.unhold(services)
    sentence = f"version {live.version} is live, and the next run may promote"
    waiting = newest_waiting(services)
    if waiting is None:
        return Done(sentence)
    changes = documents_apart(services, live.version, waiting.number)
    counts = ", ".join(f"{len(uris):,} {what}" for what, uris in changes.items())
    return Done(f"{sentence}; version {waiting.number} waits ({counts}): promote makes it live now")


def promote(services: Services, order: Order, by: Decider) -> Done:
    """Make a version live that waits or was rejected; built anew where others went live since."""
    return _decided(services, decisions.promote(services, _number(order), by=by))


def reject(services: Services, order: Order, by: Decider) -> Done:
    """Decide that a version that waits never goes live."""
    return _decided(services, decisions.reject(services, _number(order), by=by))


def replay(services: Services, order: Order, by: Decider) -> Done:
    """A night for quarantined documents only, or for those that were named."""
    options = Options(failed=not order.documents, documents=order.documents)
    report = run_night(services, run_id=by.run_id, owner=by.owner, options=options, actor=by.actor)
    counts = ", ".join(f"{count:,} {what}" for what, count in report["documents"].items())
    live = read_live(services.state)
    if report["version"] is None or live is None or live.version != report["version"]:
        return Done(f"tried again, {report['state']}: {counts}")
    return Done(f"tried again, version {live.version} is live: {counts}", live)


def forget(services: Services, order: Order, by: Decider) -> Done:
    """Erase the named documents from everything that Nightjar keeps; the log says what is out of reach."""
    with fence.holding(services, run_id=by.run_id, owner=by.owner) as (fenced, lease):
        told = erasing.forget(fenced, order.documents, reason=by.reason, lease=lease, actor=by.actor)
    for sentence in told.unreachable:
        log.warning("out of reach: %s", sentence)
    return Done(f"erased {', '.join(told.documents)} from every version, collection, report and run")


def _decided(services: Services, decision: Decision) -> Done:
    number, live = decision.version, read_live(services.state)
    if decision.rebuilt:
        return Done(
            f"version {number} was built anew on the present documents: version {decision.rebuilt} is live", live
        )
    if decision.live == number:
        return Done(f"version {number} is live", live)
    return Done(f"version {number} is {decision.state}; version {decision.live or 'none'} is live")


def _number(order: Order) -> int:
    if order.version is None:
        raise TypeError("an order for one version names it")
    return order.version
