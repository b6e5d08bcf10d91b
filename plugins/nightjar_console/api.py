"""Read-only JSON for the console: what the corpus files say, for those who may read the corpus's DAG."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from fastapi import APIRouter, Depends

from nightjar.corpus import Assets, Corpus, load_corpora
from nightjar.settings import Settings

FORMAT: Final = 1
api: Final = APIRouter()


def readable_dags(user: GetUserDep) -> set[str]:
    """Ids of the DAGs that the caller may read, as Airflow's own pages decide it."""
    ids: set[str] = get_auth_manager().get_authorized_dag_ids(user=user)
    return ids


@api.get("/corpora")
def corpora(readable: Annotated[set[str], Depends(readable_dags)]) -> dict[str, Any]:
    """Every valid corpus file whose DAG the caller may read."""
    settings = Settings.from_environment(os.environ)
    valid = load_corpora(corpora_folder(settings), default_state=settings.state).valid
    return {"format": FORMAT, "corpora": [described(corpus) for corpus in valid if dag_of(corpus) in readable]}


def corpora_folder(settings: Settings) -> Path:
    """NIGHTJAR_CORPORA; without it, the folder `corpora` where Airflow's DAG files lie."""
    if os.environ.get("NIGHTJAR_CORPORA"):
        return settings.corpora
    return Path(conf.get_mandatory_value("core", "dags_folder")) / "corpora"


def dag_of(corpus: Corpus) -> str:
    """The DAG whose permissions decide who sees the corpus."""
    return f"reindex_{corpus.name}"


def described(corpus: Corpus) -> dict[str, Any]:
    """What a list of corpora shows of one; `schedule` is a cron line, a preset, a list of assets, or null."""
    schedule = list(corpus.schedule.assets) if isinstance(corpus.schedule, Assets) else corpus.schedule
    return {
        "name": corpus.name,
        "description": corpus.description,
        "source": corpus.source.uri,
        "schedule": schedule,
        "dag_id": dag_of(corpus),
    }
