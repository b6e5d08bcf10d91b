from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)

from nightjar.adapters.s3_client import s3_client
from nightjar.adapters.s3_errors import concerns_one_object, translated
from nightjar.errors import Misconfigured, NightjarError, Transient

ENDPOINT = "https://s3.example"


def service_error(code: str, status: int, said: str = "the store's words") -> ClientError:
    reply = {"Error": {"Code": code, "Message": said}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(reply, "GetObject")  # type: ignore[arg-type]  # the stubs want every field of a reply


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [
        ("NoSuchBucket", 404, Misconfigured, "does not exist: create it"),
        ("AccessDenied", 403, Misconfigured, "access to bucket documents at https://s3.example is denied"),
        ("403", 403, Misconfigured, "denied"),
        ("InvalidAccessKeyId", 403, Misconfigured, "correct the access key"),
        ("SignatureDoesNotMatch", 403, Misconfigured, "correct the access key"),
        ("PermanentRedirect", 301, Misconfigured, "another region"),
        ("RequestTimeTooSkewed", 403, Misconfigured, "set the clock"),
        ("NotImplemented", 501, Misconfigured, "lacks an operation"),
        ("InvalidBucketName", 400, Misconfigured, "InvalidBucketName the store's words"),
        ("ExpiredToken", 400, Transient, "have expired"),
        ("SlowDown", 503, Transient, "try again later"),
        ("InternalError", 500, Transient, "try again later"),
        ("502", 502, Transient, "try again later"),
        ("Whatever", 429, Transient, "try again later"),
    ],
)
def test_what_the_service_says_becomes_what_to_do(
    code: str, status: int, kind: type[NightjarError], words: str
) -> None:
    with pytest.raises(kind, match=words), translated("documents", endpoint=ENDPOINT):
        raise service_error(code, status)


def test_a_request_that_the_store_could_not_read_is_worth_a_retry() -> None:
    garbled = service_error("BadRequest", 400, "An error occurred when parsing the HTTP request.")
    with pytest.raises(Transient, match="without --keep-alive"), translated("documents", endpoint=ENDPOINT):
        raise garbled


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (NoCredentialsError(), Misconfigured, "AWS_ACCESS_KEY_ID"),
        (SSLError(endpoint_url=ENDPOINT, error=OSError("bad certificate")), Misconfigured, "AWS_CA_BUNDLE"),
        (ParamValidationError(report="Invalid bucket name"), Misconfigured, "Invalid bucket name"),
        (EndpointConnectionError(endpoint_url=ENDPOINT), Transient, f"S3 at {ENDPOINT} cannot be reached"),
        (ReadTimeoutError(endpoint_url=ENDPOINT), Transient, "cannot be reached"),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), Transient, "cannot be reached"),
        (CredentialRetrievalError(provider="p", error_msg="m"), Transient, "could not be fetched"),
    ],
)
def test_what_the_client_says_becomes_what_to_do(error: BotoCoreError, kind: type[NightjarError], words: str) -> None:
    with pytest.raises(kind, match=words), translated("documents", endpoint=ENDPOINT):
        raise error


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("NoSuchKey", 404, True),
        ("404", 404, True),
        ("AccessDenied", 403, True),
        ("InvalidObjectState", 403, True),
        ("KMS.DisabledException", 400, True),
        ("NoSuchBucket", 404, False),
        ("InvalidAccessKeyId", 403, False),
        ("ExpiredToken", 400, False),
        ("SlowDown", 503, False),
        ("TooManyRequests", 429, False),
    ],
)
def test_one_document_is_told_from_the_whole_bucket(code: str, status: int, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert concerns_one_object(service_error(code, status)) == expected


@pytest.mark.parametrize(
    ("variable", "value"), [("AWS_PROFILE", "no-such-profile"), ("AWS_ENDPOINT_URL_S3", "no url at all")]
)
def test_an_environment_that_makes_no_client_is_misconfigured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match="correct the AWS_ variables"):
        s3_client()


def test_a_given_endpoint_overrules_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL_S3": "http://elsewhere.example",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "id",  # else boto3 would ask the network for some
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    assert s3_client(endpoint_url=ENDPOINT).meta.endpoint_url == ENDPOINT
