from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk import Connection

from nightjar.errors import Misconfigured
from nightjar.wiring import Weaviate
from nightjar_dags.connections import s3_client_of, weaviate_from


def weaviate(*, extra: dict[str, Any] | None = None, **fields: Any) -> Weaviate:
    connection = Connection(conn_id="w", conn_type="weaviate", extra=json.dumps(extra or {}), **fields)
    return weaviate_from(connection, conn_id="w")


@pytest.mark.parametrize(
    ("fields", "extra", "http_url"),
    [
        ({"host": "weaviate"}, {}, "http://weaviate"),
        ({"host": "weaviate", "port": 8080}, {}, "http://weaviate:8080"),
        ({"host": "weaviate", "port": 8443}, {"http_secure": True}, "https://weaviate:8443"),
        ({"host": "weaviate"}, {"http_secure": "true"}, "https://weaviate"),
        ({"host": "weaviate"}, {"http_secure": "False"}, "http://weaviate"),
        ({"host": "https://weaviate:8443"}, {}, "https://weaviate:8443"),
    ],
)
def test_where_rest_listens(fields: dict[str, Any], extra: dict[str, Any], http_url: str) -> None:
    assert weaviate(extra=extra, **fields).http_url == http_url


@pytest.mark.parametrize(
    ("extra", "grpc_url"),
    [
        ({}, None),
        ({"grpc_host": "grpc", "grpc_port": 50052, "grpc_secure": False}, "grpc://grpc:50052"),
        ({"grpc_host": "grpc", "grpc_port": "443", "grpc_secure": True}, "grpcs://grpc:443"),
        ({"grpc_port": 50052}, "grpc://weaviate:50052"),
        ({"grpc_host": "grpc"}, "grpc://grpc:50051"),
        ({"grpc_host": "grpc", "grpc_secure": True}, "grpcs://grpc:443"),
    ],
)
def test_where_grpc_listens(extra: dict[str, Any], grpc_url: str | None) -> None:
    assert weaviate(host="weaviate", extra=extra).grpc_url == grpc_url


@pytest.mark.parametrize(
    ("fields", "extra", "key"),
    [
        ({}, {"token": "t"}, "t"),
        ({}, {"api_key": "k"}, "k"),
        ({}, {"api_key": "k", "token": "t"}, "k"),
        ({"password": "p"}, {}, "p"),
        ({"login": "someone", "password": "p"}, {"token": "t"}, "t"),
        ({}, {}, None),
    ],
)
def test_which_key_opens(fields: dict[str, Any], extra: dict[str, Any], key: str | None) -> None:
    assert weaviate(host="weaviate", extra=extra, **fields).api_key == key


@pytest.mark.parametrize(
    ("fields", "extra", "named"),
    [
        ({"login": "someone", "password": "p"}, {}, "login"),
        ({}, {"client_secret": "s"}, "client_secret"),
        ({}, {"access_token": "a"}, "access_token"),
    ],
)
def test_other_ways_to_log_in_are_refused_by_name(fields: dict[str, Any], extra: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured, match=f"connection w logs in by {named}: Nightjar uses API keys only"):
        weaviate(host="weaviate", extra=extra, **fields)


def test_a_connection_without_a_host_is_refused() -> None:
    with pytest.raises(Misconfigured, match="connection w has no host"):
        weaviate()


def connection(monkeypatch: pytest.MonkeyPatch, *, name: str, **extra: Any) -> None:
    monkeypatch.setenv(
        f"AIRFLOW_CONN_{name.upper()}",
        json.dumps({"conn_type": "aws", "login": "key", "password": "secret", "extra": extra}),
    )


def test_s3_is_where_the_connection_says(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, name="lake", endpoint_url="http://127.0.0.1:9", region_name="eu-central-1")
    meta = s3_client_of("lake").meta
    assert (meta.endpoint_url, meta.region_name) == ("http://127.0.0.1:9", "eu-central-1")


def test_s3_takes_nightjar_s_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, name="lake", region_name="eu-central-1")
    assert s3_client_of("lake").meta.config.response_checksum_validation == "when_required"


def test_the_connection_s_own_settings_win(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, name="lake", region_name="eu-central-1", config_kwargs={"read_timeout": 7})
    config = s3_client_of("lake").meta.config
    assert (config.read_timeout, config.connect_timeout) == (7, 5)


def test_a_connection_that_does_not_exist_is_named() -> None:
    with pytest.raises(Misconfigured, match="Airflow has no connection nowhere: create it"):
        s3_client_of("nowhere")


def test_an_endpoint_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, name="lake", endpoint_url="not an address", region_name="eu-central-1")
    with pytest.raises(Misconfigured, match="no S3 client from Airflow's connection lake"):
        s3_client_of("lake")
