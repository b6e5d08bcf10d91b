"""Every corpus file of the folder `corpora` as Airflow DAGs: `reindex_<corpus>`, the nightly run.

Add a corpus by adding a file; `nightjar validate` checks it first. A file that is wrong harms no other: its DAGs are
missing, and `corpora_errors.py` shows the reason among Airflow's import errors. What a run does, and what to do when
a task is red, stands on each DAG's own page; the manual itself is `nightjar_dags/reindex.py`.
"""

from nightjar_dags import corpus_dags

globals().update(corpus_dags("corpora"))
