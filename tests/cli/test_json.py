"""The shapes that scripts read: CONTRACTS' keys, one object on standard output and nothing else there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cli.shell import Shell, Tool
from contract_index import SCHEMA

from nightjar.artifacts import LEASE
from nightjar.errors import Misconfigured
from nightjar.flows.services import Services
from nightjar.lease import Lease
from nightjar.model import CollectionName
from nightjar.owner import Owner

DOCUMENTS = {"added", "changed", "deleted", "renamed", "unchanged"}
RUN = {
    "corpus", "run_id", "version", "state", "reason", "documents", "chunks", "tokens", "seconds", "verdicts", "format",
}  # fmt: skip
CHUNKS = {"total", "written", "deleted", "embedded", "reused", "truncated_tokens"}
SECONDS = {"plan", "parse", "chunk", "check", "embed", "gates", "index", "verify", "promote", "total"}


def _assert_run_shape(report: dict[str, Any]) -> None:
    assert report.keys() >= RUN
    assert report["documents"].keys() >= DOCUMENTS | {"quarantined"}
    assert report["chunks"].keys() >= CHUNKS
    assert report["seconds"].keys() >= SECONDS
    assert report["verdicts"].keys() == {"quality", "drift", "evaluation"}


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("plan", "handbook"),
        ("plan", "handbook", "--documents"),
        ("run", "handbook"),
        ("versions", "handbook"),
        ("show", "handbook"),
        ("quarantine", "handbook"),
        ("audit", "handbook"),
        ("search", "handbook", "leave"),
        ("doctor",),
    ],
)
def test_standard_output_is_one_object_of_format_1(shell: Shell, words: tuple[str, ...]) -> None:
    shell.run()
    assert json.loads(shell(*words, "--json").stdout)["format"] == 1


def test_what_libraries_print_stays_out_of_the_object(shell: Shell) -> None:
    def chatty(services: Services) -> Services:
        print("loading weights …")  # noqa: T201 - a library that does so
        return services

    shell.change = chatty
    result = shell("versions", "handbook", "--json")
    assert json.loads(result.stdout)["versions"] == []
    assert "loading weights" in result.stderr


def test_run_that_goes_live(shell: Shell) -> None:
    report = shell.run()
    _assert_run_shape(report)
    assert (report["state"], report["version"], report["documents"]["quarantined"]) == ("live", 1, 1)


def test_run_without_changes(shell: Shell) -> None:
    shell.run()
    report = shell.run()
    _assert_run_shape(report)
    assert (report["state"], report["version"]) == ("unchanged", None)


def test_run_that_waits_exits_3_with_its_report(shell: Shell) -> None:
    result = shell("run", "handbook", "--no-promote", "--json")
    report = json.loads(result.stdout)
    _assert_run_shape(report)
    assert (result.exit_code, report["state"], report["version"]) == (3, "waiting", 1)


def test_run_beside_another_run_exits_3_and_says_whose(shell: Shell) -> None:
    lease = Lease.acquire(shell.world.state, run_id="other", owner=Owner.command(), ttl_s=60.0)
    result = shell("run", "handbook", "--json")
    lease.release()
    report = json.loads(result.stdout)
    _assert_run_shape(report)
    assert (result.exit_code, report["state"], report["version"]) == (3, "held", None)
    assert "run other of cli" in report["reason"]
    assert "run other of cli" in result.stderr


def test_run_ids_tell_when_and_by_what(shell: Shell) -> None:
    first, second = shell.run()["run_id"], shell.run()["run_id"]
    assert first.startswith("cli-20260102T0200")
    assert first != second


def test_plan(shell: Shell) -> None:
    told = shell.json("plan", "handbook")
    assert told.keys() >= {
        "corpus", "documents", "to_parse", "to_chunk", "to_embed", "estimated_tokens", "estimated_seconds", "guard",
    }  # fmt: skip
    assert told["documents"] == {"added": 3, "changed": 0, "deleted": 0, "renamed": 0, "unchanged": 0}


def test_plan_lists_each_document_with_its_reason(shell: Shell) -> None:
    shell.run()
    shell.world.put("2024/hr/leave.txt", "# Leave\n\nForty days.")
    shell.world.source.remove("h/2025/ops/travel.txt")
    changes = shell.json("plan", "handbook", "--documents")["changes"]
    assert [(c["source_uri"], c["change"]) for c in changes] == [
        ("s3://documents/h/2024/hr/leave.txt", "changed"),
        ("s3://documents/h/2025/ops/travel.txt", "deleted"),
    ]


def test_plan_lists_a_renamed_document_once_with_both_keys(shell: Shell) -> None:
    shell.run()
    shell.world.source.remove("h/2025/ops/travel.txt")
    shell.world.put("2026/ops/trips.txt", "# Travel\n\nTrains before planes, always.")
    shell.world.source.remove("h/2024/hr/leave.txt")
    told = shell.json("plan", "handbook", "--documents")
    assert [(c["source_uri"], c["change"], c.get("renamed_from")) for c in told["changes"]] == [
        ("s3://documents/h/2024/hr/leave.txt", "deleted", None),
        ("s3://documents/h/2026/ops/trips.txt", "renamed", "s3://documents/h/2025/ops/travel.txt"),
    ]
    assert told["changes"][1].keys() >= {"source_uri", "change", "from_stage", "size", "reason"}
    counted = {kind: count for kind, count in told["documents"].items() if count and kind != "unchanged"}
    assert counted == {"deleted": 1, "renamed": 1}


def test_plan_writes_nothing(shell: Shell) -> None:
    shell.json("plan", "handbook", "--documents")
    assert shell.world.state.objects == {}


def test_run_beside_another_run_sums_nothing_up(shell: Shell) -> None:
    lease = Lease.acquire(shell.world.state, run_id="other", owner=Owner.command(), ttl_s=60.0)
    told = shell("run", "handbook").stdout.splitlines()
    lease.release()
    assert [line.split(" (run")[0] for line in told] == ["handbook: held"]


def test_plan_takes_no_lease(shell: Shell) -> None:
    lease = Lease.acquire(shell.world.state, run_id="other", owner=Owner.command(), ttl_s=60.0)
    before = shell.world.state.objects[LEASE]
    assert shell("plan", "handbook").exit_code == 0
    assert shell.world.state.objects[LEASE] == before
    lease.release()


def test_versions_newest_first(shell: Shell) -> None:
    shell.run()
    shell.world.put("2024/hr/pay.txt", "# Pay\n\nMonthly.")
    shell.run()
    told = shell.json("versions", "handbook")
    assert (told["corpus"], told["live"], told["held"]) == ("handbook", 2, False)
    assert [v["number"] for v in told["versions"]] == [2, 1]
    assert told["versions"][0].keys() >= {
        "number", "state", "parent", "collection", "documents", "chunks", "created_at", "promoted_at", "recipe",
        "verdicts", "reason",
    }  # fmt: skip


def test_show_carries_evidence_and_the_runs_report(shell: Shell) -> None:
    report = shell.run()
    told = shell.json("show", "handbook")
    assert (told["number"], told["state"], told["run"]["run_id"]) == (1, "live", report["run_id"])
    assert told["evidence"]["quality"] is not None


def test_quarantine(shell: Shell) -> None:
    shell.run()
    documents = shell.json("quarantine", "handbook")["documents"]
    assert [d["source_uri"] for d in documents] == ["s3://documents/h/2025/ops/broken.txt"]
    assert documents[0].keys() == {
        "document_id", "source_uri", "stage", "code", "reason", "attempts", "first_seen", "last_seen",
    }  # fmt: skip


def test_list_names_broken_files_and_keeps_the_others(shell: Shell) -> None:
    (shell.corpora / "wrong.yaml").write_text("sauce: {}\n")
    shell.run()
    told = shell.json("list")
    assert [(c["name"], c["live"], c["alias"]) for c in told["corpora"]] == [("handbook", 1, "Handbook")]
    assert [b["file"].endswith("wrong.yaml") for b in told["broken"]] == [True]


def test_list_says_why_nobody_knows_what_is_live(shell: Shell) -> None:
    def refused(_: Services) -> Services:
        raise Misconfigured("the bucket refuses this key")

    shell.change = refused
    assert shell.json("list")["corpora"][0]["error"] == "the bucket refuses this key"


def test_doctor_finds_all_there(shell: Shell) -> None:
    shell.run()
    told = shell.json("doctor")
    missing = [c for checks in told["checks"].values() for c in checks if c["standing"] == "missing"]
    assert (told["ok"], missing) == (True, [])


def test_doctor_warns_of_what_a_missing_tool_would_unlock(shell: Shell) -> None:
    shell.tools = (Tool("pandoc", present=False, unlocks=("odt", "rtf")),)
    check = shell.json("doctor", "handbook")["checks"]["machine"][0]
    assert check["standing"] == "warning"
    assert check["told"] == "not found, needed for odt, rtf: apt install it"


def test_doctor_exits_1_where_something_needed_is_missing(shell: Shell) -> None:
    shell.tools = (Tool("unstructured", present=False),)
    assert shell("doctor").exit_code == 1


def test_doctor_names_each_door_that_does_not_open(shell: Shell) -> None:
    class Closed:
        def check(self) -> str:
            raise Misconfigured("Weaviate does not answer: start the server")

    shell.change = lambda services: replace(services, open_index=Closed)  # type: ignore[arg-type]
    checks = shell.json("doctor", "handbook")["checks"]["handbook"]
    assert [c["name"] for c in checks if c["standing"] == "missing"] == ["weaviate", "alias"]


def test_doctor_tells_one_cause_once(shell: Shell) -> None:
    class Closed:
        def check(self) -> str:
            raise Misconfigured("Weaviate cannot be reached: start the server")

    shell.change = lambda services: replace(services, open_index=Closed)  # type: ignore[arg-type]
    told = {c["name"]: c["told"] for c in shell.json("doctor", "handbook")["checks"]["handbook"]}
    assert told["weaviate"] == "Weaviate cannot be reached: start the server"
    assert told["alias"] == "cannot be told without weaviate, see above"


def test_doctor_sees_a_foreign_alias(shell: Shell) -> None:
    shell.world.index.create(CollectionName("Elsewhere"), SCHEMA)
    shell.world.index.point("Handbook", CollectionName("Elsewhere"))
    checks = shell.json("doctor", "handbook")["checks"]["handbook"]
    assert [c["name"] for c in checks if c["standing"] == "missing"] == ["alias"]
