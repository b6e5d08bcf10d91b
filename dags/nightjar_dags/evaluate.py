"""The corpus's golden questions, asked of what is live once a week: does it still answer as it did when it went live?

Every night asks them of its own candidate before anybody is sent to it (`evaluate` in `reindex_CORPUS`). Between two
promotions the questions change, and so may what stands behind the alias; this DAG scores what is live again, and adds
to the history that the next report shows. It takes no lease, changes nothing that people search, and runs at a moment
of the week that follows from the corpus's name, in the corpus's time zone; pause the DAG to ask by hand only.

- `evaluate` asks by vector, by keyword and by both, and compares with the scores that the version went live with. Its
  last line of log says the outcome; the report lies beside the version as `evaluation_again.html`.
  **Red**: a measure is below its floor, or lost more than `evaluation.max_regression` allows and than chance explains.
  **Skipped**: the corpus file names no questions; `nightjar questions suggest CORPUS` drafts some.

### What to do
1. Look at the questions that got worse: `nightjar evaluate CORPUS` lists them, the report has what they found.
2. Where the index differs from its manifest, trigger `audit_CORPUS`. Where a question is out of date, correct its file.
3. `nightjar rollback CORPUS` serves the version before.
"""

from __future__ import annotations

from airflow.sdk import DAG, task

from nightjar.corpus import Corpus
from nightjar_dags.defaults import belonging
from nightjar_dags.foreseen import work_of
from nightjar_dags.manuals import manual
from nightjar_dags.schedules import weekly


def evaluate_dag(corpus: Corpus) -> DAG:
    """The weekly score of what is live of one corpus, as `evaluate_<corpus>`.

    Raises:
        Misconfigured: the corpus file's `airflow:` block.
    """
    with DAG(
        dag_id=f"evaluate_{corpus.name}",
        description=f"Golden questions of {corpus.alias}, asked of what is live",
        doc_md=manual(corpus, __doc__ or "", title="The evaluation"),
        schedule=weekly(corpus),
        max_active_runs=1,
        **belonging(corpus),
    ) as dag:
        task(task_id="evaluate")(work_of("nightjar_dags.scoring", "evaluate", corpus))()
    return dag
