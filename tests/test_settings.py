from datetime import timedelta
from pathlib import Path

import pytest

from nightjar.errors import Misconfigured
from nightjar.settings import Settings


def test_an_empty_environment_has_defaults() -> None:
    settings = Settings.from_environment({})
    assert (settings.corpora, settings.state, settings.lease_ttl) == (Path("dags/corpora"), None, timedelta(seconds=90))


def test_an_empty_variable_counts_as_absent() -> None:
    assert Settings.from_environment({"NIGHTJAR_STATE": " ", "NIGHTJAR_CORPORA": ""}) == Settings.from_environment({})


def test_the_key_does_not_show() -> None:
    settings = Settings.from_environment({"WEAVIATE_API_KEY": "hunter2"})
    assert settings.weaviate_api_key == "hunter2"
    assert "hunter2" not in repr(settings)


def test_the_cache_lies_in_the_working_folder() -> None:
    assert Settings.from_environment({"NIGHTJAR_WORK": "/w"}).cache == Path("/w/cache")


def test_state_ends_in_a_slash() -> None:
    assert Settings.from_environment({"NIGHTJAR_STATE": "s3://state/all"}).state == "s3://state/all/"


def test_a_corpus_without_a_name_is_asked_for_by_none() -> None:
    with pytest.raises(Misconfigured, match="this one is empty: `nightjar list` shows them"):
        Settings.from_environment({}).corpus("")


def test_weaviate_is_missed_only_when_it_is_needed() -> None:
    settings = Settings.from_environment({})
    with pytest.raises(Misconfigured, match="WEAVIATE_URL is not set"):
        _ = settings.weaviate_url


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("NIGHTJAR_STATE", "/tmp/state", "NIGHTJAR_STATE: '/tmp/state' is no S3 address"),
        ("NIGHTJAR_STATE", "s3://k:hunter2@state/", "NIGHTJAR_STATE: holds credentials"),
        ("NIGHTJAR_LEASE_TTL", "soon", "NIGHTJAR_LEASE_TTL: must be seconds from 10 to 3600"),
        ("NIGHTJAR_LEASE_TTL", "5", "NIGHTJAR_LEASE_TTL: must be seconds"),
        ("WEAVIATE_URL", "http://me:hunter2@host:8080", "WEAVIATE_URL: holds credentials"),
    ],
)
def test_a_wrong_variable_is_named_and_no_secret_repeated(variable: str, value: str, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Settings.from_environment({variable: value})
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
