"""Sections that say what may happen: limits, gates, the index, and Airflow's part."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, WithJsonSchema, model_validator

from nightjar.corpus.section import Line, Section, Words
from nightjar.corpus.units import AtLeastOne, Count, Share, Switch, WrongKey

SHIPPED_SUITES: Final = "expectations"
_ALIAS: Final = re.compile(r"[A-Z][A-Za-z0-9_]{0,99}")
_COLLECTION_ENDING: Final = re.compile(r"_b\d+$")


class Connections(Section):
    """Airflow connections; outside Airflow the environment speaks (AWS_*, WEAVIATE_*)."""

    source: Line = Field(default="aws_default", description="For reading documents.")
    state: Line = Field(default="aws_default", description="For Nightjar's own state.")
    index: Line = Field(default="weaviate_default", description="For Weaviate.")


class Quality(Section):
    """The first gate. Row rules quarantine single documents; these limits stop a whole version."""

    suites: Line = Field(
        default=SHIPPED_SUITES,
        description="Folder with documents.json, chunks.json and embeddings.json, relative to this file; "
        "expectations: the suites that Nightjar ships.",
    )
    languages: Words | None = Field(
        default=None,
        description="Documents in other languages (ISO 639-3: eng, deu) are quarantined; null: all pass.",
    )
    max_rejected_share: Share = Field(
        default=0.05,
        description="Share of all documents that quality rules may set aside in one night before the version stops. "
        "Counts only above allowance, so that one bad file among fourteen stops nothing.",
    )
    max_failed_documents: Share = Field(
        default=0.05,
        description="Share of the documents served so far that may fail to download or parse in one night before the "
        "version stops. Counts only above allowance. New documents that fail are quarantined and reported, and stop "
        "nothing unless no document at all could be read.",
    )
    max_repeated_share: Share = Field(
        default=0.5,
        description="Share of documents that may repeat another's text, exactly or nearly, before the version stops. "
        "Counts only above allowance.",
    )
    allowance: Count = Field(default=10, description="Up to so many documents no share of this section counts.")


class Deletions(Section):
    """Guard against a bucket that was emptied by mistake: additions go on, deletions wait for a person."""

    guard_share: Share = Field(
        default=0.1, description="More than this share gone (within seven days), and more than guard_count."
    )
    guard_count: Count = Field(default=10, description="Up to so many deletions the share does not count.")
    guard_max: Count = Field(default=1000, description="More than so many always wait.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.guard_max < self.guard_count:
            raise WrongKey("guard_max", f"{self.guard_max} is below guard_count ({self.guard_count}); raise it")
        return self


class Limits(Section):
    """What a run may cost without being asked: above tokens or minutes it waits for approval."""

    tokens: AtLeastOne | None = Field(default=None, description="Tokens to embed in one run; null: no limit.")
    minutes: AtLeastOne | None = Field(default=None, description="Estimated minutes of one run; null: no limit.")
    rebuild_share: Share = Field(
        default=0.2,
        description="Share of unchanged documents that a library upgrade may re-make without being asked; above it "
        "they keep what the older library made.",
    )


class Drift(Section):
    """The second gate: is tonight's content of the kind that it was?"""

    enabled: Switch = Field(default=True, description="Compare candidate and live version.")
    stops: Literal["fail", "warn", "never"] = Field(
        default="fail", description="The mildest verdict that stops a version."
    )


class Evaluation(Section):
    """The third gate: are known questions still answered?"""

    questions: Line | None = Field(
        default=None,
        description="File of golden questions: a name in expectations/questions/, or ./a/path from this file; "
        "null: none.",
    )
    k: Annotated[AtLeastOne, Field(le=1000)] = Field(default=10, description="Documents that count for recall.")
    floor: dict[Literal["recall", "mrr", "ndcg"], Share] = Field(
        default_factory=dict, description="Least value of a measure of hybrid search: recall, mrr or ndcg."
    )
    max_regression: Share = Field(
        default=0.0,
        description="Most that a measure may lose against the live version, as a share of it; a loss counts only "
        "beyond its interval, 0% allows none that does.",
    )

    @model_validator(mode="after")
    def _floor_has_questions(self) -> Self:
        if self.floor and self.questions is None:
            raise WrongKey("floor", "needs questions; add evaluation.questions or remove the floor")
        return self


def _usable_alias(alias: str) -> str:
    if not _ALIAS.fullmatch(alias):
        raise ValueError(f"{alias!r} cannot name an alias; use an upper-case letter, then letters, digits and _")
    if _COLLECTION_ENDING.search(alias):
        raise ValueError(
            f"{alias!r} ends like one of Nightjar's collections; choose a name without _b and digits at its end"
        )
    return alias


_ALIAS_PATTERN: Final = f"^(?!.*{_COLLECTION_ENDING.pattern}){_ALIAS.pattern}$"
Alias = Annotated[str, AfterValidator(_usable_alias), WithJsonSchema({"type": "string", "pattern": _ALIAS_PATTERN})]


class Index(Section):
    """What is built in Weaviate, and how long it stays."""

    alias: Alias | None = Field(
        default=None, description="The name that applications search; null: this corpus's name in CamelCase."
    )
    strategy: Literal["auto", "blue_green", "in_place"] = Field(
        default="auto",
        description="blue_green builds beside and switches; in_place writes what changed; auto chooses.",
    )
    blue_green_below: Count = Field(
        default=100_000, description="With auto: up to so many chunks a corpus is always built beside."
    )
    keep_versions: AtLeastOne = Field(default=30, description="Versions to which one can go back.")
    keep_collections: AtLeastOne = Field(default=2, description="Collections kept standing, the live one included.")
    quantization: Literal["none", "rq", "sq", "bq"] = Field(
        default="none", description="Compression of vectors: rotational, scalar or binary."
    )
    replicas: Annotated[AtLeastOne, Field(le=99)] = Field(default=1, description="Copies of each shard in Weaviate.")
    shards: Annotated[AtLeastOne, Field(le=999)] = Field(
        default=1, description="Parts into which Weaviate cuts a collection."
    )


class Placement(Section):
    """Where a stage's tasks run; null: as the rest of the corpus."""

    queue: Line | None = Field(default=None, description="Celery queue.")
    pool: Line | None = Field(default=None, description="Airflow pool; a missing pool hangs tasks.")


Stage = Literal["plan", "parse", "chunk", "check", "embed", "gates", "index", "verify", "promote"]


class Airflow(Section):
    """How this corpus's DAGs are run."""

    queue: Line = Field(default="default", description="Celery queue of its tasks.")
    pool: Line = Field(default="default_pool", description="Airflow pool of its tasks; a missing pool hangs tasks.")
    access_control: dict[str, dict[str, Words] | Words] = Field(
        default_factory=dict, description="Roles and their permissions, as a DAG's access_control takes them."
    )
    default_args: dict[str, JsonValue] = Field(
        default_factory=dict, description="Arguments of every task, such as retries."
    )
    stages: dict[Stage, Placement] = Field(default_factory=dict, description="Another queue or pool for single stages.")
