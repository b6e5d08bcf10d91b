"""Great Expectations behind the port `Inspector`: suites are data, the context is in memory, nothing is sent."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from nightjar.adapters.quiet import silence_telemetry
from nightjar.corpus.policy import SHIPPED_SUITES
from nightjar.corpus.shipped import shipped_suites
from nightjar.errors import Code, Misconfigured, bounded
from nightjar.imports import barred, postponed
from nightjar.model import Violation, sha256
from nightjar.opening import once

_SEVERITIES: Final = ("critical", "warning", "info")
_KEYS: Final = frozenset({"type", "kwargs", "meta", "severity"})
_COLUMN_KEYS: Final = ("column", "column_A", "column_B")
_LONGEST_VALUE: Final = 60

Config = Mapping[str, Any]


class GxInspector:
    """Runs the suites of one folder; `folder` None or "expectations" means the shipped ones. One per process."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self._folder = shipped_suites() if folder is None or str(folder) == SHIPPED_SUITES else Path(folder)
        self._suites: dict[str, Any] = {}
        self._gx = once(_great_expectations)
        self._frames = once(self._open_frames)

    @property
    def identity(self) -> str:
        """A digest over every file of the folder; loads nothing."""
        files = sorted(self._folder.glob("*.json"))
        return sha256("\n".join(f"{file.name} {sha256(file.read_bytes())}" for file in files))

    def check(self, suite: str, table: pa.Table, *, row_id: str) -> list[Violation]:
        """Rows of `table` that failed rules of `suite`, in the order of its rules.

        A failed rule about the whole table (its number of rows) has an empty row id.

        Raises:
            Misconfigured: the suite does not load whole, or names a column that the table lacks.
        """
        loaded = self._suite(suite)
        self._refuse_missing_columns(suite, loaded, table)
        batch = self._frames().get_batch({"dataframe": table.to_pandas()})
        columns = {"result_format": "COMPLETE", "unexpected_index_column_names": [row_id]}
        results = batch.validate(loaded, result_format=columns).results
        in_order = sorted(results, key=lambda result: result.expectation_config.meta["rule"])
        return [violation for result in in_order for violation in _violations(suite, result, row_id)]

    def load(self) -> None:
        """Do what the first check would wait for."""
        self._frames()

    def _open_frames(self) -> Any:
        gx = self._gx()
        base = gx.data_context.types.base
        # its own defaults for memory would make a folder for pages that nobody reads
        stores = base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        config = base.DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
        context = gx.get_context(mode="ephemeral", project_config=config)
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        asset = context.data_sources.add_pandas("nightjar").add_dataframe_asset("rows")
        return asset.add_batch_definition_whole_dataframe("all")

    def _suite(self, name: str) -> Any:
        if name not in self._suites:
            self._suites[name] = self._load(name)
        return self._suites[name]

    def _load(self, name: str) -> Any:
        path = self._folder / f"{name}.json"
        configs = read_suite(path)
        expectations = [self._expectation(config, n, path.name) for n, config in enumerate(configs, 1)]
        suite = self._gx().ExpectationSuite(name=name, expectations=expectations)
        if len(suite.expectations) != len(configs):
            raise Misconfigured(
                f"{path.name}: {len(suite.expectations)} of {len(configs)} rules load; two may be equal"
            )
        return suite

    def _expectation(self, config: Config, number: int, file: str) -> Any:
        """One rule by itself: a suite would drop what it does not know with no more than a line in a log."""
        numbered = {**config, "meta": {**config["meta"], "rule": number}}
        try:
            configuration = self._gx().expectations.expectation_configuration.ExpectationConfiguration(**numbered)
            return configuration.to_domain_obj()
        except (
            self._gx().exceptions.GreatExpectationsError,
            ValueError,
            TypeError,
        ) as error:  # pydantic's is a ValueError
            reason = bounded(str(error), limit=200)
            raise Misconfigured(f"{file}: rule {number} ({config['type']}) does not load: {reason}") from error

    def _refuse_missing_columns(self, name: str, suite: Any, table: pa.Table) -> None:
        for expectation in suite.expectations:
            named = [getattr(expectation, key, None) for key in _COLUMN_KEYS]
            missing = next((column for column in named if column and column not in table.column_names), None)
            if missing is not None:
                columns = ", ".join(table.column_names)
                raise Misconfigured(
                    f"{name}.json: {expectation.expectation_type}: no column {missing!r}; there are {columns}"
                )


def _great_expectations() -> Any:
    """The library: seconds and half a gigabyte, so never before the first check.

    It imports a library of charts and one of tests that few rules need, a second between them, and SQLAlchemy where
    that happens to be installed, which no rule can need: rows come as a data frame.
    """
    silence_telemetry()  # read once, at import
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), postponed("altair", "scipy.stats"), barred("sqlalchemy"):
            warnings.simplefilter("ignore")  # its deprecations are its own
            import great_expectations as gx  # noqa: PLC0415 - see above
    except ImportError as error:
        raise Misconfigured("Great Expectations is not installed: pip install 'nightjar[quality]'") from error
    logging.captureWarnings(capture=False)  # its import diverts everybody's warnings into logs
    return gx


def read_suite(path: Path) -> list[Config]:
    """The rules of a suite file, checked for what Nightjar needs: type, kwargs, severity, and meta with code and text.

    Raises:
        Misconfigured: names the file, the rule's number and what to change.
    """
    try:
        suite = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(f"{path}: no such suite; set quality.suites to a folder that holds it") from error
    except ValueError as error:
        raise Misconfigured(f"{path.name}: is not JSON: {error}") from error
    rules = suite.get("expectations") if isinstance(suite, dict) else None
    if not isinstance(rules, list) or not rules:
        raise Misconfigured(f"{path.name}: holds no expectations; see expectations/README.md")
    for number, rule in enumerate(rules, 1):
        problem = _rule_problem(rule)
        if problem is not None:
            raise Misconfigured(f"{path.name}: rule {number}: {problem}")
    return rules


def _rule_problem(rule: object) -> str | None:
    if not isinstance(rule, dict) or not isinstance(rule.get("type"), str) or not isinstance(rule.get("kwargs"), dict):
        return "needs a type and kwargs"
    unknown = sorted(rule.keys() - _KEYS)
    if unknown:
        return f"unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}"
    if rule.get("severity") not in _SEVERITIES:
        return f"severity must be one of {', '.join(_SEVERITIES)}"
    meta = rule.get("meta")
    if not isinstance(meta, dict) or meta.get("code") not in set(Code):
        return f"meta.code must be one of {', '.join(Code)}"
    return (
        None
        if isinstance(meta.get("text"), str) and meta["text"]
        else "meta.text must say in one sentence what is wrong"
    )


def _violations(suite: str, result: Any, row_id: str) -> Iterator[Violation]:
    config = result.expectation_config
    if _raised(result.exception_info):
        raise Misconfigured(f"{suite}.json: {config.type} could not be computed: {_raised(result.exception_info)}")
    if result.success:
        return
    severity = getattr(config.severity, "value", str(config.severity))
    column = config.kwargs.get("column", "")
    rule = f"{config.type}({column})"
    rows = result.result.get("unexpected_index_list")
    if rows is None:
        rows = [{row_id: "", column: result.result.get("observed_value")}]
    for row in rows:
        observed = bounded(str(row.get(column, "")), limit=_LONGEST_VALUE)
        meta = config.meta
        yield Violation(str(row[row_id]), rule, observed, meta["code"], meta["text"], severity)


def _raised(info: Mapping[str, Any]) -> str:
    """The message of an exception that the library kept inside a result, perhaps one for each metric; else empty."""
    reports = [info] if "raised_exception" in info else list(info.values())
    return next((bounded(str(r["exception_message"])) for r in reports if r.get("raised_exception")), "")
