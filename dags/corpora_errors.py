"""Why a corpus has no DAG: raises for the corpus files that Airflow could not take, and only for those.

It stands beside `corpora.py`, so that the other corpora load while Airflow's list of import errors names each wrong
file, its line and the remedy. It holds no DAG itself.
"""

from nightjar_dags import refuse_broken

refuse_broken("corpora")
