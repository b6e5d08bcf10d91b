"""Who can reach the local servers: this machine, and where a server leaves no choice, nobody without the key."""

from __future__ import annotations

import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import grpc
import pytest
from airflow_stack import free_port_base
from servers import binary

from tools.stack import servers
from tools.stack.place import HOST, Place, Port
from tools.stack.ports import listening
from tools.stack.processes import family, table
from tools.stack.secret import local_secrets
from tools.stack.supervise import all_recorded, await_ready, launch, recorded, stop

pytestmark = [pytest.mark.services, pytest.mark.enable_socket]

OPEN_TO_ALL = {Port.WEAVIATE_GRPC, Port.WEAVIATE_DATA}  # the addresses are fixed in Weaviate's source


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    weaviate, versitygw = binary("weaviate-server"), binary("versitygw")
    folder = tmp_path_factory.mktemp("loopback")
    place = Place(folder, folder / ".nightjar", free_port_base())
    secrets = local_secrets(place.home)
    services = [servers.weaviate(weaviate, place, secrets), servers.s3(versitygw, place, secrets)]
    try:
        for service in services:
            launch(service, place)
        for service in services:
            await_ready(service, place)
        yield place
    finally:
        stop(all_recorded(place), place)


def heard(place: Place, name: str) -> dict[int, set[str]]:
    """Addresses on which a service listens, by port."""
    leader = recorded(place, name)
    assert leader is not None
    found: dict[int, set[str]] = {}
    for process in family(leader.pid, table()):
        for address, port in listening(process.pid):
            found.setdefault(port, set()).add(address)
    return found


def test_s3_listens_on_loopback_alone(place: Place) -> None:
    assert heard(place, "s3") == {place.port(Port.S3): {HOST}}


def test_weaviate_listens_on_loopback_but_for_two_ports(place: Place) -> None:
    found = heard(place, "weaviate")
    assert {port for port, addresses in found.items() if addresses != {HOST}} == {
        place.port(port) for port in OPEN_TO_ALL
    }


def test_weaviate_opens_no_port_that_the_stack_does_not_know(place: Place) -> None:
    assert set(heard(place, "weaviate")) <= {place.port(port) for port in Port}


def test_grpc_answers_nobody_without_the_key(place: Place) -> None:
    with grpc.insecure_channel(f"{HOST}:{place.port(Port.WEAVIATE_GRPC)}") as channel:
        for method in ("Search", "BatchObjects", "BatchDelete", "BatchReferences", "TenantsGet", "Aggregate"):
            with pytest.raises(grpc.RpcError) as refusal:
                channel.unary_unary(f"/weaviate.v1.Weaviate/{method}")(b"", timeout=10)
            assert "unauthorized" in refusal.value.details(), method


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nodes/status"),
        ("GET", "/nodes/statistics"),
        ("GET", "/indices/Handbook/shards/one/objects/_count"),
        ("POST", "/indices/Handbook/shards/one/objects"),
        ("POST", "/replicas/indices/Handbook/shards/one/objects"),
        ("POST", "/backups/can-commit"),
        ("POST", "/cluster/object_ttl/delete_expired"),
        ("POST", "/cluster/users/db/lastUsed"),
    ],
)
def test_the_port_between_nodes_answers_nobody_without_the_password(place: Place, method: str, path: str) -> None:
    request = urllib.request.Request(f"{place.url(Port.WEAVIATE_DATA)}{path}", method=method, data=b"")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=10)
    with refusal.value as answer:
        assert answer.code == 401


def test_files_between_nodes_need_the_password(place: Place) -> None:
    with grpc.insecure_channel(f"{HOST}:{place.port(Port.WEAVIATE_DATA)}") as channel:
        for method in ("FileReplicationService/CreateReplicaSnapshot", "ReplicationService/PutObject"):
            with pytest.raises(grpc.RpcError) as refusal:
                channel.unary_unary(f"/clusterapi.{method}")(b"", timeout=10)
            assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED, method


def test_listening_tells_loopback_from_all_interfaces() -> None:
    with socket.socket() as here, socket.socket() as everywhere:
        for each, address in ((here, HOST), (everywhere, "0.0.0.0")):
            each.bind((address, 0))
            each.listen()
        found = set(listening(os.getpid()))
        assert {(HOST, here.getsockname()[1]), ("0.0.0.0", everywhere.getsockname()[1])} <= found


def test_a_file_closed_while_a_process_is_looked_at_hides_no_socket() -> None:
    """The folder of open files is itself listed through one, which takes the lowest free number and is gone after."""
    with socket.socket() as lowest, socket.socket() as later:
        later.bind((HOST, 0))
        later.listen()
        lowest.close()
        assert (HOST, later.getsockname()[1]) in set(listening(os.getpid()))
