"""What a plan would cost, and whether somebody should be asked first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.corpus import Corpus
from nightjar.flows.runs import Options
from nightjar.flows.services import Services
from nightjar.flows.versions import Live, read_version
from nightjar.plural import counted
from nightjar.stages.plan import DESCRIBE, REMADE, Changes

# Rates for a corpus that has no history yet; afterwards its own last version is the measure.
_BYTES_A_TOKEN: Final = 5.0
_SECONDS_A_TOKEN: Final = 0.00006
_MINUTE_S: Final = 60


def with_small_upgrade(corpus: Corpus, changes: Changes, options: Options) -> Changes:
    """A library upgrade re-makes what it touches where that is little, or approved; else documents keep theirs."""
    standing = changes.unchanged
    is_little = changes.stale.num_rows <= corpus.limits.rebuild_share * standing
    return changes.with_stale() if options.approve_cost or is_little else changes


def told_stale(corpus: Corpus, documents: int) -> str | None:
    """One sentence about documents that an upgrade left as they were, with the command that makes them again."""
    if not documents:
        return None
    return (
        f"{counted(documents, 'document was', 'documents were')} made by an older parser or chunker and"
        f" {'keeps' if documents == 1 else 'keep'} that, more than limits.rebuild_share allows to make again unasked:"
        f" `nightjar run {corpus.name} --approve-cost` (approve_cost in Airflow) makes"
        f" {'it' if documents == 1 else 'them'} again"
    )


def estimate(services: Services, live: Live | None, work: pa.Table) -> tuple[int, int]:
    """Tokens and seconds: known tokens of documents that stand, else by size and the last version's own rates."""
    cost = read_version(services.state, live.version).cost if live else {}
    bytes_a_token = _rate(cost, "bytes_a_token", usual=_BYTES_A_TOKEN)
    seconds_a_token = _rate(cost, "seconds_a_token", usual=_SECONDS_A_TOKEN)
    made = work.filter(pc.not_equal(work["stage"], DESCRIBE))
    by_size = pc.divide(pc.cast(made["size"], pa.float64()), bytes_a_token)
    known = pc.if_else(pc.equal(made["why"], REMADE), pc.cast(made["base_tokens"], pa.float64()), None)
    tokens = int(pc.sum(pc.coalesce(known, by_size)).as_py() or 0)
    return tokens, round(tokens * seconds_a_token)


def _rate(cost: Mapping[str, Any], name: str, *, usual: float) -> float:
    """A rate that can be one: versions made while a wall clock was set back may have recorded less than nothing."""
    rate = cost.get(name)
    return float(rate) if rate is not None and rate > 0 else usual


def above_limits(corpus: Corpus, *, tokens: int, seconds: int) -> str | None:
    """Why the plan waits for approval, in one sentence with figures; None where nothing objects."""
    limits = corpus.limits
    over = []
    if limits.tokens is not None and tokens > limits.tokens:
        over.append(f"about {tokens:,} tokens to embed, limits.tokens allows {limits.tokens:,}")
    if limits.minutes is not None and seconds > limits.minutes * _MINUTE_S:
        over.append(f"about {seconds / _MINUTE_S:,.0f} minutes, limits.minutes allows {limits.minutes:,}")
    if not over:
        return None
    return f"the plan waits for approval: {'; '.join(over)}; run again with --approve-cost (approve_cost in Airflow)"
