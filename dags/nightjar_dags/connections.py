"""A corpus's doors from Airflow's connections, so that secrets backends and assumed roles work as everywhere else.

Loaded by running tasks only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

from nightjar.adapters.s3_client import S3_CONFIG
from nightjar.corpus import Corpus
from nightjar.errors import Misconfigured, bounded
from nightjar.wiring import Doors, Weaviate

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Where this one is absent, the worker's own credentials count (an instance's role, a service account), as in all of
# Airflow's AWS operators. Any other name was written by somebody who meant a connection.
_AMBIENT: Final = "aws_default"
_GRPC_PORT: Final = 50051
_TLS_PORT: Final = 443
_UNSUPPORTED: Final = ("access_token", "refresh_token", "client_secret")


def doors(corpus: Corpus) -> Doors:
    """Clients for source, state and index, from the connections that the corpus file names.

    Raises:
        Misconfigured: a connection is missing, or holds what cannot be used.
    """
    names = corpus.connections
    source = s3_client_of(names.source)
    state = source if names.state == names.source else s3_client_of(names.state)
    return Doors(source=source, state=state, weaviate=weaviate_of(names.index))


def s3_client_of(conn_id: str) -> S3Client:
    """A client as Airflow's AWS hook makes it; the connection's own botocore settings win over Nightjar's."""
    if conn_id != _AMBIENT:
        _connection(conn_id)
    hook = AwsBaseHook(aws_conn_id=conn_id, client_type="s3")
    try:
        client: S3Client = hook.get_client_type(config=S3_CONFIG.merge(hook.config))
    except (AirflowException, ValueError) as error:
        raise Misconfigured(
            f"no S3 client from Airflow's connection {conn_id} ({bounded(str(error))}): correct that connection"
        ) from error
    return client


def weaviate_of(conn_id: str) -> Weaviate:
    """Addresses and key as in the fields of Airflow's own connection type `weaviate`.

    Extra headers of the connection are for embedding inside Weaviate, which never happens here.
    """
    return weaviate_from(_connection(conn_id), conn_id=conn_id)


def weaviate_from(connection: Any, *, conn_id: str) -> Weaviate:
    """The same from a connection in hand.

    Raises:
        Misconfigured: no host, or a login other than by API key.
    """
    extra: Mapping[str, Any] = connection.extra_dejson
    if not connection.host:
        raise Misconfigured(f"Airflow's connection {conn_id} has no host: enter Weaviate's host name there")
    _require_api_key_login(connection, extra, conn_id=conn_id)
    written = urlsplit(connection.host if "://" in connection.host else f"//{connection.host}")
    secure = written.scheme == "https" or _is_true(extra.get("http_secure"))
    port = connection.port or written.port
    http_url = f"http{'s' if secure else ''}://{written.hostname}" + (f":{port}" if port else "")
    return Weaviate(
        http_url=http_url,
        grpc_url=_grpc_url(extra, host=str(written.hostname)),
        api_key=extra.get("api_key") or extra.get("token") or connection.password or None,
    )


def _grpc_url(extra: Mapping[str, Any], *, host: str) -> str | None:
    """None where the connection says nothing of gRPC: then its usual place is assumed."""
    named, port, secure = extra.get("grpc_host"), extra.get("grpc_port"), _is_true(extra.get("grpc_secure"))
    if not (named or port or secure):
        return None
    scheme = "grpcs" if secure else "grpc"
    return f"{scheme}://{named or host}:{port or (_TLS_PORT if secure else _GRPC_PORT)}"


def _require_api_key_login(connection: Any, extra: Mapping[str, Any], *, conn_id: str) -> None:
    given = [name for name in _UNSUPPORTED if extra.get(name)]
    if connection.login:
        given.append("login")
    if given and not (extra.get("api_key") or extra.get("token")):
        raise Misconfigured(
            f"Airflow's connection {conn_id} logs in by {' and '.join(given)}: Nightjar uses API keys only;"
            f" enter one as that connection's API key (token)"
        )


def _connection(conn_id: str) -> Any:
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise Misconfigured(
            f"Airflow has no connection {conn_id}: create it, or name another under connections in the corpus file"
        ) from error


def _is_true(value: object) -> bool:
    """Connections written as addresses carry words where forms carry booleans."""
    return str(value).strip().lower() in {"true", "1", "yes", "on"}
