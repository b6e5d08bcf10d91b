"""What an approval of deletions still holds for when a run's wishes go over to another run: what the first let go."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.artifacts import WITHHELD_DOCUMENTS, run_key
from nightjar.flows.deletions import dated, keep_list
from nightjar.flows.moves import continued
from nightjar.flows.runs import Options, Run, read_json, read_table
from nightjar.flows.services import Services


def carried_over(services: Services, run: Run) -> Options:
    """The run's options for a later run, whose approval of deletions is bound to those that this one let go.

    What went missing since was shown to nobody and is guarded anew; so is all of it where the run's plan is gone.
    """
    options = run.options
    if not options.approve_deletions:
        return options
    let_go = _let_go(services, run)
    if let_go.num_rows == 0:
        return replace(options, approve_deletions=False, approved_list=None)
    return replace(options, approved_list=keep_list(services, let_go))


def _let_go(services: Services, run: Run) -> pa.Table:
    """The list of the plan's deletions, renames not counted; empty where nothing of it needed the approval."""
    nothing = WITHHELD_DOCUMENTS.empty_table()
    made = read_json(services, run, "plan.json")
    gone, work = (read_table(services, run_key(run.run_id, name)) for name in ("gone.parquet", "work.parquet"))
    if made is None or gone is None or work is None or not made["deletions_approved"]:
        return nothing
    renamed = continued(gone, work)
    return dated(gone.filter(pc.invert(renamed)), nothing, now=run.started_at).sort_by("uri")
