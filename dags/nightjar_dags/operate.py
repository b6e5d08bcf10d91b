"""Decisions of people about what is searched: by this form, or by answering what a night left open.

It runs when somebody triggers it; the **action** says what for. Every action does what the command of that name does,
and stands in the history under the name of the user who triggered the run.

- **rollback** serves an earlier version again and holds the corpus there. A run under way ends by itself.
- **hold** lets runs build and judge, and promote nothing. **unhold** lets them promote again.
- **promote** makes a version live that waits or was rejected. Where others went live since, it is built anew on the
  present documents. **reject** decides that it never goes live.
- **replay** tries quarantined documents again: those that are named, or all.
- **forget** erases the named documents everywhere, at once and for good; later nights refuse them until
  `nightjar forget --lift`. The log says what it cannot reach, such as the source object itself.
- **ask** puts what waits to a person; nights start it by themselves.

### Tasks
- `act` carries out the action; its last line of log says what was done. **Red**: the form does not fit the action, or
  another run is at work: the last line says which, whose and since when. Clear the task when that run is over.
- `describe`, `ask`, `answer` belong to the action **ask**, and are skipped otherwise, as `act` is then.

### Approvals
A night that would cost more than the limits, a version with another embedding, withheld deletions: the night ends, the
corpus is free, and its last task starts a run here. `describe` puts the question, and `ask` waits for an answer for
five days. It waits in the database: it needs no worker, no slot of a pool, no lease, and no night waits for it.
Airflow shows it under **Required Actions** and on the run's page. The same question is asked once; a night asks one.
About a version it says what each gate said, where their reports lie, and which documents differ.

`answer` does what was said:

- a version: **Approve** promotes it, **Reject** rejects it;
- deletions: **Approve** starts `reindex_CORPUS`, which lets go what that list shows and guards everything else;
  **Reject** leaves them withheld;
- cost: **Approve** starts `reindex_CORPUS` as the night was asked for, without its limits; **Reject** leaves it.

The history names whoever answered, in what the run that was started makes, too.

Without an answer nothing is changed. **Skipped**: the answer came too late, what was asked about waits no more.
**Red**: another run is at work. Clear `answer` when it is over; the answer stands.

A script that answers within a second of the question may lose its answer: Airflow 3.3 then takes `ask` for killed, and
asks again after its retry.

### The trigger form
- **Action** (`action`): one of the above.
- **Version** (`version`): a number of `nightjar versions CORPUS`. promote and reject need it; rollback goes to the
  version before where it is empty.
- **Documents** (`documents`): ids or source uris, one a line; for forget, and for replay, where none means all.
- **Reason** (`reason`): kept in the history, for whoever asks why.
- **Night** (`night`): for ask, the id of the run of `reindex_CORPUS` that left the question.

A field that the action would ignore must be empty. replay, and promote of a version that must be built anew, run a
night in `act`: workers of the corpus's queue need what the stages need.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Param, task

from nightjar.corpus import Corpus
from nightjar_dags.actions import CHOICES
from nightjar_dags.assets import live_alias
from nightjar_dags.defaults import belonging
from nightjar_dags.foreseen import work_of
from nightjar_dags.manuals import manual

APPROVE: Final = "Approve"
REJECT: Final = "Reject"
ANSWER_WITHIN: Final = timedelta(days=5)
# Runs that wait for an answer count, too; an urgent rollback must not stand behind them.
_RUNS: Final = 32
_OPERATIONS: Final = "nightjar_dags.operations"
_APPROVALS: Final = "nightjar_dags.approvals"
_ASKED: Final = "{{ ti.xcom_pull(task_ids='describe')['%s'] }}"


def operate_dag(corpus: Corpus) -> DAG:
    """What people decide about one corpus, as `operate_<corpus>`.

    Raises:
        Misconfigured: the corpus file's `airflow:` block.
    """
    with DAG(
        dag_id=f"operate_{corpus.name}",
        description=f"Roll back, hold, promote, reject, replay, forget, approve: {corpus.alias}",
        doc_md=manual(corpus, __doc__ or "", title="Decisions"),
        schedule=None,
        max_active_runs=_RUNS,
        is_paused_upon_creation=False,  # without a schedule; paused, an urgent rollback would wait unseen
        **belonging(corpus),
    ) as dag:
        task(task_id="act", outlets=[live_alias(corpus)])(work_of(_OPERATIONS, "act", corpus))()
        described = task(task_id="describe")(work_of(_APPROVALS, "describe", corpus))()
        ask = HITLOperator(
            task_id="ask",
            subject=_ASKED % "subject",
            body=_ASKED % "body",
            options=[APPROVE, REJECT],
            defaults=REJECT,
            params={"reason": Param(default="", type="string", title="Reason", description="Kept in the history.")},
            response_timeout=ANSWER_WITHIN,
            execution_timeout=None,  # of the corpus file's default_args: it would count against the person
        )
        answer = task(task_id="answer", outlets=[live_alias(corpus)])(work_of(_APPROVALS, "answer", corpus))
        described >> ask >> answer(described, ask.output)
    # Last, because Airflow copies a DAG's params into each task that is made: half of the time that parsing took.
    dag.params.update(form())
    return dag


def form() -> dict[str, Param]:
    """What a person fills in; the action has no default, so that nothing is done by mistake."""
    return {
        "action": Param(
            type="string",
            enum=list(CHOICES),
            values_display={name: f"{name}: {action.label}" for name, action in CHOICES.items()},
            title="Action",
            description="What to do; the fields below that it does not need stay empty.",
        ),
        "version": Param(
            default=None,
            type=["null", "integer"],
            minimum=1,
            title="Version",
            description="For promote and reject; for rollback where it is not the version before.",
        ),
        "documents": Param(
            default=[],
            type=["null", "array"],
            items={"type": "string"},
            title="Documents",
            description="Ids or source uris, one a line: for forget, and for replay (none: all in quarantine).",
        ),
        "reason": Param(
            default="",
            type=["null", "string"],
            title="Reason",
            description="Kept in the history, for whoever asks why.",
        ),
        "night": Param(
            default=None,
            type=["null", "string"],
            title="Night",
            description="For ask: the id of the run that left the question; nights fill it in.",
        ),
    }
