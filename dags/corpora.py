"""Every corpus file of the folder `corpora` as Airflow DAGs: the night, what people decide, and the weekly proof.

Add a corpus by adding a file; `nightjar validate` checks it first. A file that is wrong harms no other: its DAGs are
missing, and `corpora_errors.py` shows the reason among Airflow's import errors. What a run of `reindex_<corpus>`,
`operate_<corpus>`, `audit_<corpus>` or `evaluate_<corpus>` does, and what to do when a task is red, stands on each
DAG's own page; the manuals are the modules of those names in `nightjar_dags`.
"""

from nightjar_dags import corpus_dags

globals().update(corpus_dags("corpora"))
