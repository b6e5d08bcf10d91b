"""The clock on the wall: Nightjar's DAGs for Airflow, its own or anybody's.

An Airflow of one's own needs this package and one file in its DAGs folder. Airflow reads only files in which the words
"airflow" and "dag" occur, so keep the comment:

    from nightjar_dags import corpus_dags  # Nightjar's corpora for Airflow

    globals().update(corpus_dags("corpora"))
"""

from nightjar_dags.factory import corpus_dags, refuse_broken

__all__ = ["corpus_dags", "refuse_broken"]
