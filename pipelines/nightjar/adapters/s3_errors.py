"""What S3 and its client say, in the words of `nightjar.errors`.

Sources for the codes: the S3 API reference's list of error responses, and botocore's `exceptions` module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name for it
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    SSOError,
)
from botocore.parsers import ResponseParserError

from nightjar.errors import Misconfigured, NightjarError, Transient, bounded

_TOO_MANY: Final = 429
_NEVER: Final = 501  # not implemented
_AGAIN: Final = frozenset(
    {
        "InternalError",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
    }
)
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_WRONG_KEY: Final = frozenset(
    {"AuthFailure", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "UnrecognizedClientException"}
)
_WRONG_REGION: Final = frozenset(
    {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect", "301"}
)
_DENIED: Final = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "403"})
_ABSENT: Final = frozenset({"NoSuchKey", "NotFound", "404"})
_REMEDIES: Final = (
    (_ABSENT | {"NoSuchBucket"}, "{where} does not exist: create it, or correct the s3:// address"),
    (
        _DENIED,
        "access to {where} is denied ({said}): let these credentials list and read it, and write and delete state",
    ),
    (_WRONG_KEY, "{where} does not accept these credentials ({said}): correct the access key and secret"),
    (_WRONG_REGION, "{where} lies in another region ({said}): set AWS_REGION, or the connection's region, to its own"),
    ({"RequestTimeTooSkewed"}, "this machine's clock differs too much from that of {where}: set the clock"),
    ({"NotImplemented", "501"}, "{where} lacks an operation that Nightjar needs ({said}): use a store that has it"),
)
_GARBLED: Final = "parsing the HTTP request"  # in the message: `BadRequest` alone may be about one object
_LOST_RACE: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


def code_of(error: ClientError) -> str:
    """The service's own word for it; a HEAD has no body, there it is the status as text."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status, 0 when the reply carried none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def says_absent(error: ClientError) -> bool:
    """The key is not there (a missing bucket is another matter)."""
    return code_of(error) in _ABSENT


def says_lost_race(error: ClientError) -> bool:
    """A condition of the request did not hold: 412, or 409 while another write was under way."""
    return code_of(error) in _LOST_RACE


def concerns_one_object(error: ClientError) -> bool:
    """Refused for what this object is (gone, private, archived, under a foreign key), not for who asks or where."""
    of_all = _AGAIN | _EXPIRED | _WRONG_KEY | _WRONG_REGION | {"NoSuchBucket", "RequestTimeTooSkewed"}
    status = status_of(error)
    return 400 <= status < 500 and status != _TOO_MANY and code_of(error) not in of_all  # noqa: PLR2004 - HTTP


@contextmanager
def translated(bucket: str, *, endpoint: str) -> Iterator[None]:
    """Any exception of boto3 leaves as `Transient` or `Misconfigured`, one sentence that names bucket and endpoint."""
    try:
        yield
    except ClientError as error:
        raise _from_service(error, bucket=bucket, endpoint=endpoint) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise _from_client(error, endpoint=endpoint) from error


def _from_service(error: ClientError, *, bucket: str, endpoint: str) -> NightjarError:
    code, status = code_of(error), status_of(error)
    where = f"bucket {bucket} at {endpoint}"
    said = bounded(str(error.response.get("Error", {}).get("Message", "")), limit=160)
    if code in _AGAIN or status == _TOO_MANY or (status >= 500 and status != _NEVER):  # noqa: PLR2004 - HTTP
        return Transient(f"S3 ({where}) asks to try again later: {code} {said}".rstrip())
    if _GARBLED in said:
        advice = "if this comes back, let the store close connections (versitygw: start it without --keep-alive)"
        return Transient(f"{where} could not read a request ({said or code}): try again; {advice}")
    if code in _EXPIRED:
        return Transient(f"the credentials for {where} have expired ({code}): try again with fresh ones")
    return Misconfigured(_remedy(code, where=where, said=said))


def _remedy(code: str, *, where: str, said: str) -> str:
    for codes, sentence in _REMEDIES:
        if code in codes:
            return sentence.format(where=where, said=said or code)
    return f"{where} refuses the request ({code} {said}): check the s3:// address and the endpoint"


def _from_client(error: BotoCoreError | ResponseParserError, *, endpoint: str) -> NightjarError:
    said = bounded(str(error), limit=200)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound | SSOError):
        return Misconfigured(
            f"no usable AWS credentials ({said}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        )
    if isinstance(error, SSLError):
        return Misconfigured(f"TLS with {endpoint} fails ({said}): correct the endpoint's scheme, or AWS_CA_BUNDLE")
    if isinstance(error, ResponseParserError):
        return Transient(f"{endpoint} does not answer as S3 does: check the endpoint if this stays so")
    if isinstance(error, ConnectionError | HTTPClientError | IncompleteReadError):
        return Transient(
            f"S3 at {endpoint} cannot be reached ({said}): check that it runs and that the endpoint is right"
        )
    if isinstance(error, CredentialRetrievalError | MetadataRetrievalError):
        return Transient(f"AWS credentials could not be fetched: {said}")
    return Misconfigured(f"the S3 client for {endpoint} refuses: {said}")
