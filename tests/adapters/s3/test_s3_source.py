from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from contract_source import PAGE, PREFIX, ROOMY, Bucket, SourceContract, fetched, listed, wanted
from s3_servers import Gateway, client_of

from nightjar.adapters.s3_source import S3Source
from nightjar.errors import BadDocument, Code, Misconfigured, Transient
from nightjar.model import sha256

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.services, pytest.mark.enable_socket]


def in_small_pages(params: dict[str, object], **_: object) -> dict[str, object]:
    return {**params, "MaxKeys": PAGE}


@dataclass(frozen=True, slots=True)
class S3Bucket:
    client: S3Client
    name: str
    source: S3Source

    @classmethod
    def fresh(cls, endpoint: str) -> S3Bucket:
        client, name = client_of(endpoint), f"documents-{uuid4().hex[:12]}"
        client.create_bucket(Bucket=name)
        client.meta.events.register("provide-client-params.s3.ListObjectsV2", in_small_pages)  # type: ignore[arg-type]  # handlers may answer
        return cls(client, name, S3Source(client, bucket=name, prefix=PREFIX))

    def put(self, key: str, data: bytes, *, content_type: str = "", metadata: Mapping[str, str] | None = None) -> None:
        if content_type:
            self.client.put_object(
                Bucket=self.name, Key=key, Body=data, Metadata=dict(metadata or {}), ContentType=content_type
            )
        else:
            self.client.put_object(Bucket=self.name, Key=key, Body=data, Metadata=dict(metadata or {}))

    def remove(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)


class TestOnMoto(SourceContract):
    @pytest.fixture
    def bucket(self, moto: str) -> Bucket:
        return S3Bucket.fresh(moto)

    @pytest.mark.parametrize("name", ["a/../b.txt", "../up.txt", "a//b.txt", "./a.txt", "folder/"])
    def test_keys_that_are_no_paths_survive(self, bucket: Bucket, name: str, tmp_path: Path) -> None:
        key = PREFIX + name
        bucket.put(key, b"odd")
        assert listed(bucket.source)["key"].to_pylist() == [key]
        assert fetched(bucket.source, key, tmp_path).digest == sha256(b"odd")


class TestOnVersitygw(SourceContract):
    @pytest.fixture
    def bucket(self, gateway: Gateway) -> Bucket:
        return S3Bucket.fresh(gateway.endpoint)


class TestFolderBehindTheGateway:
    """People drop files into the gateway's folder; nobody tells it."""

    @pytest.fixture
    def bucket(self, gateway: Gateway) -> S3Bucket:
        return S3Bucket.fresh(gateway.endpoint)

    @pytest.fixture
    def folder(self, bucket: S3Bucket, gateway: Gateway) -> Path:
        folder = gateway.folder / bucket.name / PREFIX
        folder.mkdir(parents=True)
        return folder

    def test_a_dropped_file_has_an_empty_etag_and_is_read(self, bucket: S3Bucket, folder: Path, tmp_path: Path) -> None:
        (folder / "a.txt").write_bytes(b"dropped")
        assert listed(bucket.source)["etag"].to_pylist() == [""]
        assert fetched(bucket.source, "handbook/a.txt", tmp_path).digest == sha256(b"dropped")

    def test_a_key_with_a_line_feed_survives(self, bucket: S3Bucket, folder: Path, tmp_path: Path) -> None:
        (folder / "line\nfeed.txt").write_bytes(b"odd")
        assert fetched(bucket.source, "handbook/line\nfeed.txt", tmp_path).digest == sha256(b"odd")

    def test_a_file_overwritten_in_place_is_read_with_its_new_fingerprint(
        self, bucket: S3Bucket, folder: Path, tmp_path: Path
    ) -> None:
        bucket.put("handbook/a.txt", b"old")
        old = wanted(bucket.source, "handbook/a.txt")
        (folder / "a.txt").write_bytes(b"newer")
        document = bucket.source.fetch(old, into=tmp_path / "bytes", max_bytes=ROOMY)
        assert document.digest == sha256(b"newer")
        assert document.fingerprint.etag == old.fingerprint.etag
        assert document.fingerprint.size == 5

    def test_a_file_that_changes_under_one_read_is_read_again(
        self, bucket: S3Bucket, folder: Path, tmp_path: Path
    ) -> None:
        (folder / "a.txt").write_bytes(b"old")
        wish = wanted(bucket.source, "handbook/a.txt")
        rewritten_before_heads(bucket, folder / "a.txt", [b"newer"])
        document = bucket.source.fetch(wish, into=tmp_path / "bytes", max_bytes=ROOMY)
        assert document.digest == sha256(b"newer") == sha256((tmp_path / "bytes").read_bytes())

    def test_a_file_that_changes_under_every_read_is_set_aside(
        self, bucket: S3Bucket, folder: Path, tmp_path: Path
    ) -> None:
        (folder / "a.txt").write_bytes(b"old")
        wish = wanted(bucket.source, "handbook/a.txt")
        rewritten_before_heads(bucket, folder / "a.txt", [b"newer", b"newest"])
        with pytest.raises(BadDocument) as caught:
            bucket.source.fetch(wish, into=tmp_path / "bytes", max_bytes=ROOMY)
        assert caught.value.code is Code.CHANGED_WHILE_READ


def rewritten_before_heads(bucket: S3Bucket, file: Path, contents: list[bytes]) -> None:
    """Between each GET and the HEAD after it, the file takes the next of `contents`, until none is left."""

    def rewrite(**_: object) -> None:
        if contents:
            file.write_bytes(contents.pop(0))

    bucket.client.meta.events.register("before-call.s3.HeadObject", rewrite)


class TestMetadata:
    @pytest.fixture
    def bucket(self, moto: str) -> S3Bucket:
        return S3Bucket.fresh(moto)

    def test_encoded_words_become_text(self, bucket: S3Bucket, tmp_path: Path) -> None:
        bucket.put("handbook/a.txt", b"x", metadata={"Team": "=?UTF-8?B?w4RybXRl?= und =?UTF-8?Q?B=C3=BCro?="})
        assert fetched(bucket.source, "handbook/a.txt", tmp_path).object_metadata == {"team": "Ärmte und Büro"}

    @pytest.mark.parametrize(
        "written",
        ["a=?b", "=?no-such-charset?Q?x?=", "=?undefined?Q?x?=", "=?idna?Q?xn--a-?=", "=?euc-jp?Q?=8F=A2=C3?="],
    )
    def test_what_only_looks_like_an_encoded_word_stays(self, bucket: S3Bucket, tmp_path: Path, written: str) -> None:
        bucket.put("handbook/a.txt", b"x", metadata={"odd": written})
        assert fetched(bucket.source, "handbook/a.txt", tmp_path).object_metadata == {"odd": written}

    def test_all_of_two_kilobytes_of_metadata_are_read(self, bucket: S3Bucket, tmp_path: Path) -> None:
        many = {f"k{number:03}": "v" for number in range(400)}
        bucket.put("handbook/a.txt", b"x", metadata=many)
        assert fetched(bucket.source, "handbook/a.txt", tmp_path).object_metadata == many


NO_LISTINGS = [
    b"",
    b"<html>",
    b"<html></html>",
    b"<ListBucketResult><Contents>",
    b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
]


class TestDoors:
    def test_a_listing_takes_nothing_from_other_users_of_its_client(self, moto: str) -> None:
        bucket = S3Bucket.fresh(moto)
        bucket.put("handbook/a.txt", b"x")
        listed(bucket.source)
        (found,) = bucket.client.list_objects_v2(Bucket=bucket.name)["Contents"]
        assert found["Key"] == "handbook/a.txt"

    @pytest.mark.parametrize("answer", NO_LISTINGS)
    def test_a_page_that_is_no_listing_is_never_taken_for_an_empty_one(self, moto: str, answer: bytes) -> None:
        def spoil(response_dict: dict[str, object], **_: object) -> None:
            response_dict["body"] = answer

        bucket = S3Bucket.fresh(moto)
        bucket.client.meta.events.register_first("before-parse.s3.ListObjectsV2", spoil)
        with pytest.raises(Transient, match=r"does not (answer|list bucket .*) as S3 does"):
            listed(bucket.source)

    def test_a_missing_bucket_is_named(self, moto: str) -> None:
        source = S3Source(client_of(moto), bucket="no-such-bucket", prefix="")
        with pytest.raises(Misconfigured, match=r"bucket no-such-bucket at .* does not exist"):
            listed(source)

    def test_a_missing_bucket_is_not_a_missing_document(self, moto: str, tmp_path: Path) -> None:
        bucket = S3Bucket.fresh(moto)
        bucket.put("handbook/a.txt", b"x")
        wish = wanted(bucket.source, "handbook/a.txt")
        bucket.remove("handbook/a.txt")
        bucket.client.delete_bucket(Bucket=bucket.name)
        with pytest.raises(Misconfigured, match="does not exist"):
            bucket.source.fetch(wish, into=tmp_path / "bytes", max_bytes=ROOMY)

    def test_a_wrong_secret_is_not_an_unreadable_document(self, gateway: Gateway, tmp_path: Path) -> None:
        bucket = S3Bucket.fresh(gateway.endpoint)
        bucket.put("handbook/a.txt", b"x")
        wish = wanted(bucket.source, "handbook/a.txt")
        stranger = S3Source(client_of(gateway.endpoint, secret="wrong-secret"), bucket=bucket.name, prefix=PREFIX)
        with pytest.raises(Misconfigured, match="credentials"):
            stranger.fetch(wish, into=tmp_path / "bytes", max_bytes=ROOMY)

    def test_an_endpoint_that_refuses_connections_is_named_and_worth_a_retry(self, unused_endpoint: str) -> None:
        source = S3Source(client_of(unused_endpoint), bucket="documents", prefix="")
        with pytest.raises(Transient, match=f"{unused_endpoint} cannot be reached"):
            listed(source)
