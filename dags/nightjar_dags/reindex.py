"""Every night the documents of a bucket become a new version of a search index, and go live only if they are sound.

What each task does, and what it means when it is red:

- `settle` takes the corpus for this run, proves bucket, state and Weaviate, and clears up after crashed runs.
  **Red**: a connection, a key or an alias is wrong, or another run is at work.
- `plan` compares the bucket with what is live; it reads no document. **Red**: the bucket cannot be listed, or the run
  would cost more than `limits` in the corpus file allow; nothing was made, and the corpus is free for the next run.
  A warning at the end of its log names documents that an older parser or chunker made and that keep that, and how to
  make them again.
- `shard`, once for each part of the work: `parse` fetches what is new or changed and reads it, `chunk` cuts the text
  and checks it, `embed` makes vectors for new texts only. **Red**: bucket, worker or model fail. An unreadable document
  does **not** make a task red: it goes to quarantine with its reason.
- `gate` judges the candidate as a whole. **Red**: too much was lost or set aside; the version is kept as `rejected`,
  and nobody sees it. A night that makes just what was rejected, or what waits, names that version and makes no other.
- `index` fills a new collection, or writes what differs to the live one, every object confirmed. **Red**: Weaviate
  refuses objects, or is full; or the version must wait and would change what people search; or golden questions would
  be answered worse after a write to the live collection, so that nothing was written.
- `verify` compares the collection with the version. **Red**: it is not what was meant to be written.
- `evaluate` asks the corpus's golden questions of the candidate and of what is live. **Red**: a measure fell below its
  floor, or lost more than `evaluation.max_regression` allows and than chance explains; the version is kept as
  `rejected` with the questions that got worse, and what it wrote to a live collection was taken back. A corpus without
  questions passes.
- `promote` makes the version live, moves the alias and retires old collections. **Red**: the corpus is on hold, or the
  embedding changed; `nightjar promote CORPUS N` makes the waiting version live.
- `finish` keeps the run's report and frees the corpus, however the run went. **Red**: only that; it does not decide
  the run's colour.
- `ask` starts `operate_CORPUS` where the run left something for a person to approve: a plan above the limits, another
  embedding, withheld deletions. Airflow's **Required Actions** show it; **skipped**: that was asked before.

**Whatever is red, people still search what they searched before.** Only `promote` changes that, in one step.

### Green with skipped tasks
- No shards, and `index` with all after it skipped: nothing had changed.
- `promote` alone skipped: the run was asked not to promote, and its version waits.
- All skipped but `finish` and `ask`: another run overtook this one; trigger a new one.

### What to do
1. Open the red task and read its log below "Task failed": one sentence says what happened and what to change.
2. Network trouble has been tried again by itself, with growing pauses. What is misconfigured has not: mend it.
3. Clear the red task, with all that is downstream of it. Finished work is not done again. If a later run has gone
   live since, cleared tasks end skipped and change nothing.
4. A rejected version stays for inspection: `nightjar show CORPUS N` shows its evidence, `nightjar quarantine CORPUS`
   the documents that were set aside, each with its reason. Mend those, or the limits under `quality` in the corpus
   file, and trigger a new run.
5. Killed workers need nothing: the next run, or a retry, resumes.

### The trigger form
Left as it is, it asks for an ordinary night.

- **Full refresh** (`full_refresh`): every document is read, chunked and embedded anew.
- **Only this prefix** (`prefix`): the run is limited to keys below the source that begin so; it deletes nothing
  elsewhere. After a change of the embedding model the whole corpus comes first.
- **Recompute from** (`recompute`): one step and those after it are done anew, for all documents.
- **Promote** (`promote`): switched off, the new version waits for a person.
- **Approve deletions** (`approve_deletions`): deletions that the guard has withheld go through; whatever went missing
  since is guarded anew. Before it has withheld any, all that is missing tonight goes.
  Look at `nightjar plan CORPUS --documents` first.
- **Approved list** (`approved_list`): filled in by an approval, so that only the deletions of that list go.
- **Approve cost** (`approve_cost`): the run goes on although it costs more than `limits` in the corpus file allow, and
  documents that an older parser or chunker made are made again. `nightjar plan CORPUS --approve-cost` says how much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from airflow.sdk import DAG, AssetAlias, Param, TriggerRule, chain, task, task_group

from nightjar.corpus import Corpus
from nightjar_dags.assets import live_alias
from nightjar_dags.defaults import belonging, placement
from nightjar_dags.foreseen import work_of
from nightjar_dags.manuals import manual
from nightjar_dags.schedules import schedule_of, start_of

_WORK: Final = "nightjar_dags.night"
_LABEL: Final = "{{ task.op_args[0]['label'] }}"
# Airflow's form looks the label of an absent value up under "null".
_RECOMPUTE: Final = {None: "nothing", "parse": "parsing", "chunk": "chunking", "embed": "embedding"}


def reindex_dag(corpus: Corpus) -> DAG:
    """The night of one corpus, as `reindex_<corpus>`.

    Raises:
        Misconfigured: the corpus file's `airflow:` block.
    """
    with DAG(
        dag_id=f"reindex_{corpus.name}",
        description=corpus.description.partition("\n")[0] or f"Documents of {corpus.source.uri} into {corpus.alias}",
        doc_md=manual(corpus, __doc__ or "", title="The night"),
        schedule=schedule_of(corpus),
        start_date=start_of(corpus),
        max_active_runs=1,
        **belonging(corpus),
    ) as dag:
        _night(corpus)
    # Last, because Airflow copies a DAG's params into each task that is made: half of the time that parsing took.
    dag.params.update(form())
    return dag


def form() -> dict[str, Param]:
    """What a person may ask of one run; the defaults are the nightly schedule's."""
    return {
        "full_refresh": Param(
            default=False,
            type="boolean",
            title="Full refresh",
            description="Read, chunk and embed every document anew.",
        ),
        "prefix": Param(
            default=None,
            type=["null", "string"],
            title="Only this prefix",
            description="Only keys below the source that begin so, such as 2026/; nothing elsewhere is deleted.",
        ),
        "recompute": Param(
            default=None,
            type=["null", "string"],
            enum=list(_RECOMPUTE),
            values_display={str(step or "null"): label for step, label in _RECOMPUTE.items()},
            title="Recompute from",
            description="This step and those after it, for all documents.",
        ),
        "promote": Param(
            default=True,
            type="boolean",
            title="Promote",
            description="Go live when every gate has passed. Off: the new version waits for a person.",
        ),
        "approve_deletions": Param(
            default=False,
            type="boolean",
            title="Approve deletions",
            description="Let deletions through that the guard has withheld; else all that is missing tonight.",
        ),
        "approved_list": Param(
            default=None,
            type=["null", "string"],
            pattern="^[0-9a-f]{64}$",
            title="Approved list",
            description="Filled in by an approval: the one list of withheld deletions that may go.",
        ),
        "approve_cost": Param(
            default=False,
            type="boolean",
            title="Approve cost",
            description="Go on above the corpus file's limits, and make again what an older parser or chunker made.",
        ),
    }


def _night(corpus: Corpus) -> None:
    names = ("settle", "plan", "index", "verify", "evaluate")
    settle, plan, index, verify, evaluate = (_step(corpus, name)() for name in names)
    # An empty mapping is skipped; with the default rule everything after it would be, too.
    gate = _step(corpus, "gate", trigger_rule=TriggerRule.NONE_FAILED)()
    promote = _step(corpus, "promote", outlets=[live_alias(corpus)])()
    # Teardowns run however the night went and leave its colour to the other leaves.
    finish = _step(corpus, "finish")()
    ask = _step(corpus, "ask")(finish).as_teardown()
    finish.as_teardown()

    def shard(one: Any) -> None:
        parse, chunk, embed = (_step(corpus, name, label=_LABEL)(one) for name in ("parse", "chunk", "embed"))
        # One failed shard closes the gate at once; the corpus is freed when the last shard has ended.
        chain(parse, chunk, embed, finish)

    shards = task_group(group_id="shard")(shard).expand(one=plan)
    chain(settle, plan, shards, gate, index, verify, evaluate, promote, finish, ask)


def _step(
    corpus: Corpus,
    name: str,
    *,
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS,
    outlets: Sequence[AssetAlias] = (),
    label: str | None = None,
) -> Callable[..., Any]:
    """The task `name`, to be called with what it is mapped over; its work is the function of that name."""
    placed: dict[str, Any] = placement(corpus, name)
    decorated: Callable[..., Any] = task(
        task_id=name, trigger_rule=trigger_rule, outlets=list(outlets), map_index_template=label, **placed
    )(work_of(_WORK, name, corpus))
    return decorated
