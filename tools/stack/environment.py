"""What programs have to know about the stack: the file `.nightjar/env`, to be sourced by bash."""

from __future__ import annotations

import shlex

from tools.stack.place import HOST, Place, Port
from tools.stack.secret import Secrets, write_private
from tools.stack.servers import REGION

QUIET = {
    "DO_NOT_TRACK": "1",
    "SCARF_NO_ANALYTICS": "true",
    "SCARF_ANALYTICS": "false",
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def shared_settings(place: Place) -> dict[str, str]:
    """What the command line and Airflow's workers have in common."""
    return {
        "NIGHTJAR_CORPORA": str(place.repository / "dags" / "corpora"),
        "NIGHTJAR_STATE": "s3://nightjar-state",
        "NIGHTJAR_BIN": str(place.programs),
    }


def client_environment(place: Place, secrets: Secrets) -> dict[str, str]:
    """What `nightjar` and boto3 need to work against the local stack."""
    return {
        "AWS_ACCESS_KEY_ID": secrets.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": secrets.s3_secret_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_S3": place.url(Port.S3),
        "WEAVIATE_URL": place.url(Port.WEAVIATE),
        "WEAVIATE_GRPC_URL": f"{HOST}:{place.port(Port.WEAVIATE_GRPC)}",
        "WEAVIATE_API_KEY": secrets.weaviate_api_key,
        **shared_settings(place),
        **QUIET,
    }


def write_environment(place: Place, secrets: Secrets) -> None:
    """Renew `.nightjar/env`; it holds keys, so only its owner reads it."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in client_environment(place, secrets).items()]
    write_private(place.home / "env", "\n".join(["# Source this file: `. .nightjar/env`", *lines, ""]))
