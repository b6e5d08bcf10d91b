"""A corpus file as a value: what it says, every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from nightjar.corpus.content import Chunking, Embed, Parse, Source
from nightjar.corpus.metadata import Metadata
from nightjar.corpus.places import FolderUri, Place, place_of
from nightjar.corpus.policy import Airflow, Connections, Deletions, Drift, Evaluation, Index, Limits, Quality
from nightjar.corpus.schedule import Schedule, TimeZone
from nightjar.corpus.section import Line, Section, Words, summary
from nightjar.corpus.units import WrongKey
from nightjar.errors import Misconfigured

NAME: Final = r"^[a-z][a-z0-9_]{0,63}$"


class Corpus(Section):
    """Documents in one folder of S3, and how they become one searchable index."""

    name: Annotated[str, StringConstraints(pattern=NAME)] = Field(
        default="corpus", description="Name in commands and DAGs; default: the file's stem."
    )
    description: str = Field(default="", max_length=2000, description="What people will find in this index.")
    owner: Line = Field(default="nightjar", description="Who is asked about it; shown in Airflow.")
    tags: Words = Field(default=(), description="Further tags of its DAGs.")
    schedule: Schedule | None = Field(
        default=None, description='Cron ("0 2 * * *"), a preset (@daily) or {assets: [...]}; null: only by hand.'
    )
    timezone: TimeZone = Field(default="UTC", description="In which the schedule is read.")
    connections: Connections = Field(default_factory=Connections, description=summary(Connections))
    source: Source = Field(description=summary(Source))
    state: FolderUri | None = Field(
        default=None, description="Folder in S3 for versions and vectors; null: NIGHTJAR_STATE and this corpus's name."
    )
    parse: Parse = Field(default_factory=Parse, description=summary(Parse))
    chunk: Chunking = Field(default_factory=Chunking, description=summary(Chunking))
    embed: Embed = Field(default_factory=Embed, description=summary(Embed))
    metadata: Metadata = Field(default_factory=Metadata, description=summary(Metadata))
    quality: Quality = Field(default_factory=Quality, description=summary(Quality))
    deletions: Deletions = Field(default_factory=Deletions, description=summary(Deletions))
    limits: Limits = Field(default_factory=Limits, description=summary(Limits))
    drift: Drift = Field(default_factory=Drift, description=summary(Drift))
    evaluation: Evaluation = Field(default_factory=Evaluation, description=summary(Evaluation))
    index: Index = Field(default_factory=Index, description=summary(Index))
    airflow: Airflow = Field(default_factory=Airflow, description=summary(Airflow))

    @property
    def bucket(self) -> str:
        """The bucket of the documents."""
        return place_of(self.source.uri).bucket

    @property
    def prefix(self) -> str:
        """The documents' prefix in their bucket: empty, or with a slash at its end."""
        return place_of(self.source.uri).prefix

    @property
    def alias(self) -> str:
        """What applications search in Weaviate: index.alias, or the name in CamelCase."""
        return self.index.alias or "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def state_uri(self) -> str:
        """Where this corpus's state lies, with a slash at its end.

        Raises:
            Misconfigured: neither the file nor NIGHTJAR_STATE says.
        """
        if self.state is None:
            raise Misconfigured(
                f"{self.name}: state: nowhere to keep versions; set state: s3://bucket/folder/ in the corpus file, "
                f"or NIGHTJAR_STATE for all corpora"
            )
        return self.state

    @property
    def state_place(self) -> Place:
        """Bucket and prefix of `state_uri`."""
        return place_of(self.state_uri)

    @model_validator(mode="after")
    def _state_outside_source(self) -> Self:
        if self.state is not None and place_of(self.state).overlaps(place_of(self.source.uri)):
            raise WrongKey("state", f"{self.state} and source.uri lie in each other; give the state another folder")
        return self

    def resolved(self) -> dict[str, JsonValue]:
        """Plain values with every default filled in; `from_resolved` reads them back."""
        return self.model_dump(mode="json")

    @classmethod
    def from_resolved(cls, values: Mapping[str, JsonValue]) -> Self:
        """The corpus that `resolved` wrote, as a run's plan keeps it."""
        return cls.model_validate(values)
