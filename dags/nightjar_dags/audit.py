"""Every object of the index against the manifest, both ways, once a week: what is missing, too much, or different.

It runs at a moment of the week that follows from the corpus's name, in the corpus's time zone; pause the DAG to audit
by hand only.

- `audit` compares all objects, vectors and properties of the live collection with what the version says, and the
  collection's record and the alias with what is live. It takes no lease and changes nothing, so that people and nights
  go on meanwhile. Its last line of log says the outcome.
  **Red**: something differs; that line has the counts, the lines above it up to twenty ids of each kind. Or a run was
  writing to the collection at every try: clear the task when it is over.
- `sweep`, after a sound audit, deletes what is older than a week and what no version, collection or quarantine needs,
  and versions beyond `index.keep_versions`. It holds the corpus meanwhile. **Red**: a run was at work at every try.

### What to do
1. Somebody changed the index by hand, or Weaviate lost something: ask who writes to this Weaviate.
2. Trigger this DAG with **Repair**.

### The trigger form
- **Repair** (`repair`): mend what differs from stored vectors, under the lease, then audit again; nothing is parsed
  or embedded. A collection that is gone is filled anew. A lost manifest bucket is made again from the index, and
  versions of which nothing tells any more are given up. Red where something differs even then.
"""

from __future__ import annotations

from typing import Final

from airflow.sdk import DAG, Param, chain, task

from nightjar.corpus import Corpus
from nightjar_dags.defaults import belonging
from nightjar_dags.foreseen import work_of
from nightjar_dags.manuals import manual
from nightjar_dags.schedules import weekly

_WORK: Final = "nightjar_dags.auditing"


def audit_dag(corpus: Corpus) -> DAG:
    """The weekly proof of one corpus's index, as `audit_<corpus>`.

    Raises:
        Misconfigured: the corpus file's `airflow:` block.
    """
    with DAG(
        dag_id=f"audit_{corpus.name}",
        description=f"{corpus.alias} against its manifest, object by object",
        doc_md=manual(corpus, __doc__ or "", title="The audit"),
        schedule=weekly(corpus),
        max_active_runs=1,
        **belonging(corpus),
    ) as dag:
        audited, swept = (task(task_id=name)(work_of(_WORK, name, corpus))() for name in ("audit", "sweep"))
        chain(audited, swept)
    dag.params.update(form())
    return dag


def form() -> dict[str, Param]:
    """What a person may ask of one run."""
    return {
        "repair": Param(
            default=False,
            type="boolean",
            title="Repair",
            description="Make lost manifest buckets again, mend what differs, then audit again.",
        )
    }
