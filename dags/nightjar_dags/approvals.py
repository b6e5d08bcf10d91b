"""What a person is asked by `operate_<corpus>`, and what follows from the answer. Loaded by running tasks only."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, TypedDict

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException

from nightjar.corpus import Corpus
from nightjar.flows.approved import carried_over
from nightjar.flows.questions import About, Question, open_question, question_after, why_closed
from nightjar.flows.runs import Options, find_run
from nightjar.flows.services import Services
from nightjar_dags.actions import ASK, Order, order_of
from nightjar_dags.operate import APPROVE
from nightjar_dags.operations import carry_out, decider, told
from nightjar_dags.reindex import form
from nightjar_dags.session import ANSWERED_BY, opened
from nightjar_dags.starting import starting

log = logging.getLogger(__name__)


class Asked(TypedDict):
    """What XCom carries of a question: what it is bound to, and what the person sees."""

    about: str
    key: str
    subject: str
    body: str


def describe(corpus: Corpus) -> Asked:
    """Put into words what waits for a person; skipped, with the question, where nothing does."""
    params = get_current_context()["params"]
    if params["action"] != ASK:
        raise AirflowSkipException(f"nothing to ask: {params['action']} was ordered")
    order = order_of(params)
    with opened(corpus) as services:
        question = question_now(services, order.night)
    if question is None:
        raise AirflowSkipException("nothing waits for a person any more")
    log.info("asking about=%s key=%s", question.about, question.key)
    return Asked(about=question.about, key=question.key, subject=question.headline, body=body_of(question))


def answer(corpus: Corpus, asked: Asked, reply: Mapping[str, Any]) -> str:
    """Do what the person said; skipped where what was asked about waits no more."""
    context = get_current_context()
    about, key, who = About(asked["about"]), asked["key"], responder(reply)
    if who is None:
        return _logged(corpus, f"nobody answered in time: {about} {key} is left as it is")
    approved = reply["chosen_options"] == [APPROVE]
    said = f"{'approved' if approved else 'rejected'} by {who}"
    with opened(corpus) as services:
        if closed := why_closed(services, about, key):
            raise AirflowSkipException(f"{said}, too late: {closed}")
        if about is About.VERSION:
            by = decider(context, actor=who, reason=reason_of(reply))
            done = carry_out(services, verdict(int(key), approved=approved), by=by)
            told(services, done)
            return _logged(corpus, f"{said}: {done.sentence}")
        if not approved:
            return _logged(corpus, f"{said}: {about} {key} is left as it is")
        night = context["params"]["night"]
        log.info("%s: %s: reindex_%s goes on", corpus.name, said, corpus.name)
        raise going_on(services, about, key, night=night, run_id=context["run_id"], who=who)


def question_now(services: Services, night: str | None) -> Question | None:
    """What that night left open, or, without a night, what waits now."""
    if night is None:
        return open_question(services)
    run = find_run(services, night)
    return question_after(services, run) if run else None


def body_of(question: Question) -> str:
    """The facts for Airflow's page, which reads Markdown: as an indented block of code nothing in them is read so."""
    return "\n".join(f"    {fact}" for fact in question.facts)


def responder(reply: Mapping[str, Any]) -> str | None:
    """Who answered; None where the time ran out."""
    user = reply.get("responded_by_user")
    return None if user is None else str(user["name"] or user["id"])


def reason_of(reply: Mapping[str, Any]) -> str:
    """What the person wrote beside the answer."""
    return str((reply.get("params_input") or {}).get("reason") or "").strip()


def verdict(version: int, *, approved: bool) -> Order:
    """The order that an answer about a version amounts to."""
    action = "promote" if approved else "reject"
    return Order(action=action, version=version, documents=(), night=None, reason="")


def going_on(
    services: Services, about: About, key: str, *, night: str | None, run_id: str, who: str
) -> DagRunTriggerException:
    """The night that was held, once more and allowed to; or a night that lets these deletions go, and no other.

    What it makes stands in the history under the name of `who` approved it.
    """
    run = find_run(services, night) if night else None
    asked = carried_over(services, run) if run and about is About.COST else Options()
    if about is About.COST:
        asked = replace(asked, approve_cost=True)
    else:
        asked = replace(asked, approve_deletions=True, approved_list=key)
    conf = {name: value for name, value in asdict(asked).items() if name in form()} | {ANSWERED_BY: who}
    dag_id = f"reindex_{services.corpus.name}"
    return starting(dag_id, run_id=f"approved__{about}-{key}__{run_id}", conf=conf, note=f"approved by {who}")


def _logged(corpus: Corpus, sentence: str) -> str:
    log.info("%s: %s", corpus.name, sentence)
    return sentence
