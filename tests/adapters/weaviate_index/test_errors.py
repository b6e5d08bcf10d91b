from __future__ import annotations

import pytest

from nightjar.adapters.weaviate_index.errors import of_message, refusal
from nightjar.errors import Misconfigured, NightjarError, Transient

URL = "http://weaviate:8080"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("StatusCode.UNAVAILABLE: failed to connect to all addresses", Transient),
        ("Deadline Exceeded", Transient),
        ("unauthorized: invalid api key, please provide a valid api key", Misconfigured),
        ("anonymous access not enabled, please provide an auth scheme", Misconfigured),
        ("store is read-only due to: disk usage too high", Misconfigured),
        ("no such prop with name 'nix' found in class 'A' in the schema", Misconfigured),
        ("class 'Missing' not present in schema", Misconfigured),
        ("something nobody has seen before", Transient),
    ],
)
def test_a_message_tells_whether_to_retry(message: str, kind: type[NightjarError]) -> None:
    assert type(of_message(message, URL)) is kind


def test_a_message_is_never_printed_at_length() -> None:
    assert len(str(of_message("word " * 10_000, URL))) <= 400


def test_a_full_disk_is_told_as_such_and_not_as_refused_objects() -> None:
    assert "free space" in str(refusal("300 objects, the first of them chunk x: store is read-only", URL))


def test_every_error_names_the_server() -> None:
    assert URL in str(of_message("anything", URL))
