"""The S3 client of the command line and the tests; inside Airflow the AWS hook makes it instead."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from nightjar.errors import Misconfigured, bounded

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Public, so that Airflow's AWS hook can be given the same. Checksums only where S3 requires them: gateways over a plain
# folder serve new bytes beside an old checksum; what changes under a read is found by comparing fingerprints instead.
S3_CONFIG: Final = Config(
    retries={"mode": "standard", "max_attempts": 5},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    user_agent_extra="nightjar",
)

# An object may have 2 KB of metadata, in far more headers than the hundred that Python's client reads.
http.client._MAXHEADERS = 2048  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way to say so


def s3_client(*, endpoint_url: str | None = None) -> S3Client:
    """Credentials, region and endpoint as boto3 reads them from the environment; `endpoint_url` overrules the last.

    Raises:
        Misconfigured: the environment names a profile, region or endpoint that cannot be used.
    """
    try:
        # A session of its own: boto3's default one keeps the first credentials that the process ever had.
        return boto3.session.Session().client("s3", endpoint_url=endpoint_url, config=S3_CONFIG)
    except (BotoCoreError, ValueError) as error:  # botocore raises ValueError for an endpoint that is no URL
        raise Misconfigured(
            f"no S3 client from this environment ({bounded(str(error))}): correct the AWS_ variables"
        ) from error
