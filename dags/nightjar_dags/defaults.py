"""What every task of a corpus starts from, and what its `airflow:` block changes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from nightjar.corpus import Corpus
from nightjar.corpus.units import parse_duration
from nightjar.errors import Misconfigured
from nightjar_dags.retries import FIRST_DELAY, LONGEST_DELAY, RETRIES, ByKind

_DURATIONS: Final = ("retry_delay", "max_retry_delay", "execution_timeout")
_ALLOWED: Final = (
    *_DURATIONS,
    "retries",
    "retry_exponential_backoff",
    "priority_weight",
    "weight_rule",
    "depends_on_past",
    "wait_for_downstream",
    "max_active_tis_per_dag",
    "max_active_tis_per_dagrun",
    "email",
    "email_on_failure",
    "email_on_retry",
    "executor",
    "executor_config",
    "run_as_user",
)
_STAGE_OF: Final = {"gate": "gates", "evaluate": "gates"}


def belonging(corpus: Corpus) -> dict[str, Any]:
    """Arguments of each of the corpus's DAGs: whose it is, who may see it, what its tasks start from.

    Raises:
        Misconfigured: the corpus file's `airflow:` block.
    """
    return {
        "tags": ["nightjar", *corpus.tags],
        "default_args": default_args(corpus),
        "access_control": access_control(corpus),
        "catchup": False,
        "auto_register": False,  # only a file that names it has it: corpora_errors.py makes the same DAGs, keeps none
    }


def default_args(corpus: Corpus) -> dict[str, Any]:
    """Arguments of every task of the corpus's DAGs.

    Raises:
        Misconfigured: `airflow.default_args` names an argument that Airflow would silently ignore, or a duration
            without its unit.
    """
    return {
        "owner": corpus.owner,
        "queue": corpus.airflow.queue,
        "pool": corpus.airflow.pool,
        "retries": RETRIES,
        "retry_delay": FIRST_DELAY,
        "retry_exponential_backoff": 2,
        "max_retry_delay": LONGEST_DELAY,
        "retry_policy": ByKind(),
        **dict(_own(corpus.airflow.default_args)),
    }


def placement(corpus: Corpus, task: str) -> dict[str, str]:
    """Queue and pool that `airflow.stages` gives this task; empty where it says nothing.

    Raises:
        Misconfigured: a stage that is no task of its own.
    """
    stages = {str(stage): place for stage, place in corpus.airflow.stages.items()}
    if "check" in stages:
        raise Misconfigured("airflow.stages.check: documents are checked in the chunk task; write airflow.stages.chunk")
    own = stages.get(_STAGE_OF.get(task, task))
    return {} if own is None else own.model_dump(exclude_none=True)


def access_control(corpus: Corpus) -> dict[str, Any] | None:
    """Roles and permissions as Airflow wants them, in sets and lists; None leaves them to Airflow."""
    roles = corpus.airflow.access_control.items()
    return {role: list(given) if isinstance(given, tuple) else _sets(given) for role, given in roles} or None


def _sets(resources: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    return {resource: set(actions) for resource, actions in resources.items()}


def _own(written: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in written.items():
        if name not in _ALLOWED:
            raise Misconfigured(_unknown(name))
        yield name, _duration(name, value) if name in _DURATIONS else value


def _duration(name: str, value: object) -> object:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise Misconfigured(f"airflow.default_args.{name}: {error}") from error


def _unknown(name: str) -> str:
    if name in {"queue", "pool", "owner"}:
        place = name if name == "owner" else f"airflow.{name}"
        return f"airflow.default_args.{name}: has a key of its own; write {place}"
    alike = difflib.get_close_matches(name, _ALLOWED, n=1)
    remedy = f"did you mean {alike[0]}?" if alike else f"choose from {', '.join(_ALLOWED)}"
    return f"airflow.default_args.{name}: is no argument for these tasks; {remedy}"
