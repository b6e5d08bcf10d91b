from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from contract_state import StateContract
from s3_servers import Gateway, client_of

from nightjar.adapters.s3_state import S3State
from nightjar.errors import Misconfigured, Transient
from nightjar.ports import StateStore
from nightjar.registers import Entry, Register

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.services, pytest.mark.enable_socket]


def fresh_bucket(client: S3Client) -> str:
    bucket = f"state-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=bucket)
    return bucket


def forget_condition(params: dict[str, dict[str, str]], **_: object) -> None:
    """What a store without conditional writes does with the header."""
    params["headers"].pop("If-Match", None)
    params["headers"].pop("If-None-Match", None)


def check_then_write(client: S3Client, condition: str) -> Callable[..., None]:
    """What a store does that looks whether `condition` holds, and writes some time after."""

    def hook(params: dict[str, Any], **_: object) -> None:
        expected = params["headers"].get(condition)
        bucket, _, key = urlsplit(params["url"]).path.strip("/").partition("/")
        if expected and _etag(client, bucket, key) == expected.replace("*", ""):
            time.sleep(0.2)
            params["headers"].pop(condition)

    return hook


def _etag(client: S3Client, bucket: str, key: str) -> str:
    """The object's; '' where there is none."""
    listed = client.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    return next((each["ETag"] for each in listed if each["Key"] == key), "")


class TestOnMoto(StateContract):
    @pytest.fixture
    def state(self, moto: str) -> StateStore:
        client = client_of(moto)
        return S3State(client, bucket=fresh_bucket(client), prefix="nightjar/handbook/")


class TestOnVersitygw(StateContract):
    @pytest.fixture
    def state(self, gateway: Gateway) -> StateStore:
        client = client_of(gateway.endpoint)
        return S3State(client, bucket=fresh_bucket(client), prefix="nightjar/handbook/")


class TestDoors:
    @pytest.fixture
    def client(self, gateway: Gateway) -> Iterator[S3Client]:
        client = client_of(gateway.endpoint)
        yield client
        client.close()

    @pytest.mark.parametrize("prefix", ["", "a", "a/b/", "/a/"])
    def test_a_prefix_is_a_folder_however_it_is_written(self, client: S3Client, prefix: str) -> None:
        bucket = fresh_bucket(client)
        state = S3State(client, bucket=bucket, prefix=prefix)
        state.write("live.json", b"x")
        (stored,) = client.list_objects_v2(Bucket=bucket)["Contents"]
        assert stored["Key"] == f"{prefix.strip('/')}/live.json".lstrip("/")
        assert list(state.keys("")) == ["live.json"]

    def test_a_store_that_ignores_conditions_fails_the_probe(self, client: S3Client) -> None:
        client.meta.events.register("before-call.s3.PutObject", forget_condition)
        state = S3State(client, bucket=fresh_bucket(client), prefix="")
        with pytest.raises(Misconfigured, match="ignores If-None-Match"):
            state.probe()
        assert list(state.keys("")) == []

    @pytest.mark.parametrize("condition", ["If-Match", "If-None-Match"])
    def test_a_store_that_checks_and_then_writes_fails_the_probe(self, client: S3Client, condition: str) -> None:
        client.meta.events.register("before-call.s3.PutObject", check_then_write(client, condition))
        state = S3State(client, bucket=fresh_bucket(client), prefix="")
        with pytest.raises(Misconfigured, match=f"simultaneous writers win under (one )?{condition}"):
            state.probe()

    @pytest.mark.parametrize("call", ["read", "write", "create", "keys", "delete", "probe"])
    def test_a_missing_bucket_is_named(self, client: S3Client, call: str) -> None:
        state = S3State(client, bucket="no-such-bucket", prefix="")
        calls = {
            "read": lambda: state.read("a"),
            "write": lambda: state.write("a", b""),
            "create": lambda: state.create("a", b""),
            "keys": lambda: list(state.keys("")),
            "delete": lambda: state.delete(["a"]),
            "probe": state.probe,
        }
        with pytest.raises(Misconfigured, match=r"bucket no-such-bucket at http.* does not exist: create it"):
            calls[call]()

    def test_a_wrong_secret_is_told(self, gateway: Gateway) -> None:
        state = S3State(client_of(gateway.endpoint, secret="wrong-secret-key"), bucket="state", prefix="")
        with pytest.raises(Misconfigured, match="does not accept these credentials"):
            state.probe()

    def test_an_endpoint_that_refuses_connections_is_named_and_worth_a_retry(self, unused_endpoint: str) -> None:
        state = S3State(client_of(unused_endpoint), bucket="state", prefix="")
        with pytest.raises(Transient, match=f"S3 at {unused_endpoint} cannot be reached"):
            state.read("a")

    def test_a_register_that_lost_its_reply_finds_that_it_won(self, client: S3Client) -> None:
        def lose_first_reply(**_: object) -> float | None:
            """The store has done it; botocore is told to ask again after so many seconds."""
            lost.append(1)
            return 0.0 if len(lost) == 1 else None

        lost: list[int] = []
        state = S3State(client, bucket=fresh_bucket(client), prefix="")
        register: Register[dict[str, int]] = Register(
            state, "live.json", dict, lambda fields: {"v": int(str(fields["v"]))}
        )
        client.meta.events.register_first("needs-retry.s3.PutObject", lose_first_reply)  # type: ignore[arg-type]  # handlers may answer
        won: Entry[dict[str, int]] = register.swap(None, {"v": 1})
        assert len(lost) == 2
        assert register.read() == won
