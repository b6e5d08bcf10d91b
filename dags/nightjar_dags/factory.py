"""From a folder of corpus files to DAGs: the good ones run, the wrong ones are told, neither harms the other."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from airflow.sdk import DAG, get_parsing_context
from airflow.sdk.exceptions import AirflowException

from nightjar.corpus import Corpus, load_corpora
from nightjar.errors import Misconfigured, NightjarError, bounded
from nightjar.settings import Settings
from nightjar_dags.audit import audit_dag
from nightjar_dags.evaluate import evaluate_dag
from nightjar_dags.operate import operate_dag
from nightjar_dags.reindex import reindex_dag

# What each corpus gets; a further kind of DAG is one more function from a corpus to a DAG.
_KINDS: Final = (
    reindex_dag,
    operate_dag,
    audit_dag,
    evaluate_dag,
)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The DAGs of a folder by id, and one sentence for each corpus that has none."""

    dags: dict[str, DAG]
    problems: tuple[str, ...]


def corpus_dags(folder: str | Path) -> dict[str, DAG]:
    """DAGs by id, for `globals().update(…)`; `folder` is relative to the calling file. Wrong corpus files are left out.

    Raises:
        Misconfigured: there is no such folder, or the environment (NIGHTJAR_STATE) is wrong for all.
    """
    return _load(_beside_caller(folder)).dags


def refuse_broken(folder: str | Path) -> None:
    """The counterpart of `corpus_dags`, for a second file: fails exactly where that one leaves a corpus out.

    Raises:
        Misconfigured: one line for each corpus without DAGs, with file, line and remedy.
    """
    problems = _load(_beside_caller(folder)).problems
    if problems:
        raise Misconfigured("\n".join(problems))


def _beside_caller(folder: str | Path) -> Path:
    """Where the file that called our caller means it: DAG processors start in any working folder."""
    return Path(inspect.stack(context=0)[2].filename).parent / folder


def _load(folder: Path) -> _Loaded:
    settings = Settings.from_environment(os.environ)
    corpora = load_corpora(folder, default_state=settings.state)
    dags: dict[str, DAG] = {}
    problems = [str(reason) for _, reason in corpora.broken]
    for corpus, path in zip(corpora.valid, corpora.paths, strict=True):
        if not _is_wanted(corpus):
            continue
        try:
            dags |= {dag.dag_id: dag for dag in _built(corpus)}
        except NightjarError as reason:
            problems.append(f"{path.name}: {reason}")
        except (AirflowException, TypeError, ValueError) as reason:
            # Airflow's own checks (a tag too long, an unknown permission) name no file and must not end its neighbours.
            problems.append(f"{path.name}: Airflow refuses its DAG: {bounded(str(reason))}")
    return _Loaded(dags, tuple(problems))


def _is_wanted(corpus: Corpus) -> bool:
    """True of all while Airflow looks for DAGs; a worker that is about to run a task wants that task's DAG only."""
    wanted = get_parsing_context().dag_id
    return wanted is None or str(wanted).endswith(f"_{corpus.name}")


def _built(corpus: Corpus) -> Iterator[DAG]:
    _ = corpus.state_uri  # said here rather than by the first task at night
    for kind in _KINDS:
        yield kind(corpus)
