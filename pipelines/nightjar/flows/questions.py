"""What a night left for a person to decide, as a question with its facts; and whether it still stands when answered.

One question a night, the one that stops most first: a plan above the limits, then a version that waits, then deletions
that were withheld. A version that waits because of a hold, or because its run was asked not to promote, asks nobody:
somebody decided that already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pyarrow.compute as pc

from nightjar.errors import bounded
from nightjar.flows.deletions import read_withheld, read_withheld_list, withheld_digest
from nightjar.flows.differences import documents_apart
from nightjar.flows.planning import Plan, plan
from nightjar.flows.runs import Run, candidate
from nightjar.flows.services import Services
from nightjar.flows.verdicts import GATES, sentence
from nightjar.flows.versions import Version, read_live
from nightjar.flows.waiting import newest_waiting
from nightjar.plural import counted
from nightjar.stages.states import State

_SHOWN: Final = 20
_LONGEST: Final = 300


class About(StrEnum):
    """What is asked about."""

    COST = "cost"
    VERSION = "version"
    DELETIONS = "deletions"


@dataclass(frozen=True, slots=True)
class Question:
    """Approve or reject: `key` names what is asked about, so that the answer can be bound to it.

    It is the number of the version that waits, the digest of the list of withheld deletions, or the number of the
    version that was live when the plan was held (0: none). `facts` may hold names from outside, a printable line each.
    """

    about: About
    key: str
    headline: str
    facts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The same for the same question, however often it comes up."""
        return f"{self.about}-{self.key}"


def question_after(services: Services, night: Run) -> Question | None:
    """What this night left open and no later one has closed; None where nothing waits for a person."""
    left = _left_open(services, night)
    return None if left is None or why_closed(services, left.about, left.key) else left


def _left_open(services: Services, night: Run) -> Question | None:
    made, live = plan(services, night), read_live(services.state)
    if made.held is not None:
        return _cost(services, night, made)
    version = candidate(services, night)
    is_held = live is not None and live.held
    if version is not None and version.state is State.WAITING and night.options.promote and not is_held:
        return _version(services, version)
    return _deletions(services)


def open_question(services: Services) -> Question | None:
    """What waits now, whichever night left it: a version, else deletions. A plan that was held left nothing behind."""
    waiting = newest_waiting(services)
    return _deletions(services) if waiting is None else _version(services, waiting)


def why_closed(services: Services, about: About, key: str) -> str:
    """Why the question no longer stands, in a sentence; '' while it does."""
    live = read_live(services.state)
    now = live.version if live else 0
    match about:
        case About.COST:
            return "" if now == int(key) else f"version {now} went live since: the plan of that night is past"
        case About.VERSION:
            waiting = newest_waiting(services)
            if waiting is None:
                return f"version {now} went live since" if now > int(key) else f"version {key} waits no more"
            return "" if waiting.number == int(key) else f"version {waiting.number} waits since: decide on that one"
        case About.DELETIONS:
            asked, now_withheld = read_withheld_list(services.state, key), read_withheld(services.state)
            stand = pc.any(pc.is_in(asked["uri"], now_withheld["uri"].combine_chunks())).as_py()
            return "" if stand else "none of these deletions is withheld any more"


def _cost(services: Services, night: Run, made: Plan) -> Question:
    name = services.corpus.name
    facts = (
        str(made.held),
        f"{counted(made.to_parse, 'document')} to parse, {made.to_chunk:,} to chunk, {made.to_embed:,} to embed",
        f"about {counted(made.estimated_tokens, 'token')} in {counted(made.estimated_seconds, 'second')}",
    )
    live = night.live.version if night.live else 0
    return Question(About.COST, str(live), f"{name}: may this night cost more than the limits allow?", _lines(facts))


def _version(services: Services, version: Version) -> Question:
    live = read_live(services.state)
    facts = [version.reason]
    counts = version.counts
    facts.append(f"{counted(counts.get('documents', 0), 'document')} in {counted(counts.get('chunks', 0), 'chunk')}")
    facts += _evidence(version)
    if live is not None:
        changes = documents_apart(services, live.version, version.number)
        told = ", ".join(f"{len(uris):,} {what}" for what, uris in changes.items())
        facts.append(f"against version {live.version}, which is live: {told}")
        shown = [f"{what} {uri}" for what, uris in changes.items() for uri in uris[:_SHOWN]]
        facts += shown[:_SHOWN]
    headline = f"{services.corpus.name}: may version {version.number} go live?"
    return Question(About.VERSION, str(version.number), headline, _lines(facts))


def _evidence(version: Version) -> Iterator[str]:
    """What each gate said, and where its page lies."""
    for gate in GATES:
        verdict = version.verdicts.get(gate)
        yield f"{gate}: {sentence(gate, verdict)}"
        if verdict and "report" in verdict:
            yield f"{gate} report: {verdict['report']}"


def _deletions(services: Services) -> Question | None:
    withheld, digest = read_withheld(services.state), withheld_digest(services.state)
    if digest is None or not withheld.num_rows:
        return None
    rows = withheld.slice(0, _SHOWN).to_pylist()
    facts = [
        f"{counted(withheld.num_rows, 'document is', 'documents are')} gone from the bucket and still found by search",
        *(f"missed since {row['first_missed']}: {row['uri']}" for row in rows),
    ]
    if withheld.num_rows > _SHOWN:
        facts.append(f"… and {withheld.num_rows - _SHOWN:,} more: `nightjar plan {services.corpus.name} --documents`")
    headline = f"{services.corpus.name}: may {counted(withheld.num_rows, 'document')} be deleted?"
    return Question(About.DELETIONS, digest, headline, _lines(facts))


def _lines(facts: Sequence[str]) -> tuple[str, ...]:
    return tuple(bounded(fact, limit=_LONGEST) for fact in facts)
