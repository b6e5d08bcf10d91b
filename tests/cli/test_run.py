"""`run` for people: options reach the night, trouble outside is waited for, the end is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest
from cli.shell import Shell

from nightjar.adapters.memory.parser import MemoryParser
from nightjar.errors import Transient
from nightjar.flows.services import Services


class Shaky:
    """A source whose first `failures` listings do not answer."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def before(self, services: Services) -> Services:
        listing = services.source.listing

        def shaky() -> Iterator[pa.Table]:
            if self.failures:
                self.failures -= 1
                raise Transient("the bucket did not answer")
            return listing()

        source = type("Source", (), {"listing": staticmethod(shaky), "__getattr__": _of(services.source)})()
        return replace(services, source=source)


def _of(door: object) -> object:
    return lambda _self, name: getattr(door, name)


@pytest.mark.parametrize(("failures", "slept", "code"), [(0, [], 0), (1, [5.0], 0), (2, [5.0, 20.0], 0)])
def test_a_night_that_did_not_get_through_is_tried_again(
    shell: Shell, failures: int, slept: list[float], code: int
) -> None:
    shell.change = Shaky(failures).before
    assert (shell("run", "handbook").exit_code, shell.slept) == (code, slept)


def test_after_three_tries_the_run_ends_and_the_next_one_resumes(shell: Shell) -> None:
    shell.change = Shaky(3).before
    result = shell("run", "handbook")
    assert (result.exit_code, shell.slept) == (1, [5.0, 20.0])
    assert "the bucket did not answer (tried 3 times; what was done is kept, and the next run resumes)" in result.stderr
    assert shell("run", "handbook").exit_code == 0


def test_the_summary_names_version_and_quarantine_codes(shell: Shell) -> None:
    told = shell("run", "handbook").stdout
    assert "handbook: version 1 is live" in told
    assert "quarantine  1: corrupt 1" in told


def test_the_summary_names_the_verdicts_of_gates_that_judged(shell: Shell) -> None:
    told = shell("run", "handbook").stdout.splitlines()
    assert "  verdicts    quality pass" in told


def test_a_quiet_night_says_unchanged(shell: Shell) -> None:
    shell.run()
    assert "handbook: unchanged" in shell("run", "handbook").stdout


def test_a_version_that_waits_says_why(shell: Shell) -> None:
    result = shell("run", "handbook", "--no-promote")
    assert result.exit_code == 3
    assert "handbook: version 1 is waiting (run cli-" in result.stdout
    assert result.stderr.endswith("nightjar: version 1 waits: the run was asked not to promote\n")


def test_a_prefix_may_be_a_whole_address(shell: Shell) -> None:
    told = shell.json("plan", "handbook", "--prefix", "s3://documents/h/2024/")
    assert told["documents"]["added"] == 1


def test_a_prefix_outside_the_corpus_is_refused(shell: Shell) -> None:
    result = shell("plan", "handbook", "--prefix", "s3://documents/other/")
    assert (result.exit_code, "lies outside s3://documents/h/" in result.stderr) == (2, True)


def test_an_unknown_field_is_refused_with_the_known_ones(shell: Shell) -> None:
    result = shell("run", "handbook", "--where", "tame=hr")
    assert (result.exit_code, "it has team, year" in result.stderr) == (2, True)


def test_a_value_that_no_document_can_have_is_refused(shell: Shell) -> None:
    result = shell("run", "handbook", "--where", "year=abc")
    assert result.exit_code == 2
    assert result.stderr == "nightjar: year=abc cannot be compared: year is int, and this is not a whole number\n"


def test_recompute_reaches_the_night(shell: Shell) -> None:
    shell.world.source.remove("h/2025/ops/broken.txt")
    shell.run()
    assert shell.json("plan", "handbook", "--recompute", "embed")["to_embed"] == 2


def test_failed_documents_are_tried_again_on_request(shell: Shell) -> None:
    shell.run()
    told = shell.json("plan", "handbook", "--failed", "--documents")
    assert [(c["change"], c["reason"]) for c in told["changes"]] == [("retried", "failed before (corrupt)")]


def test_a_long_plan_is_cut_for_people_and_whole_for_programs(shell: Shell) -> None:
    for number in range(250):
        shell.world.put(f"2025/ops/{number:03}.txt", f"# {number}\n\nText number {number}.")
    assert "… and 53 more: --json lists them all" in shell("plan", "handbook", "--documents").stdout
    assert len(shell.json("plan", "handbook", "--documents")["changes"]) == 253


def test_without_a_terminal_log_lines_tell_how_far_it_is(shell: Shell) -> None:
    assert "INFO nightjar.flows.promotion promoted" in shell("run", "handbook").stderr


def test_a_log_line_cannot_steer_the_terminal(shell: Shell) -> None:
    def noisy(services: Services) -> Services:
        logging.getLogger("nightjar").warning("read \x1b[2Jh/evil\nname.txt")
        return services

    shell.change = noisy
    assert "WARNING nightjar read h/evil name.txt\n" in shell("versions", "handbook").stderr


def test_a_replay_tries_quarantined_documents_again_and_nothing_else(shell: Shell) -> None:
    shell.world.put("2024/hr/worse.txt", "%BAD too")
    shell.run()
    before = {row["source_uri"]: row["attempts"] for row in shell.json("quarantine", "handbook")["documents"]}
    shell.world.put("2024/hr/later.txt", "# Later\n\nNot of this replay.")
    shell.world.parser.parsed.clear()
    assert shell("replay", "handbook", "s3://documents/h/2024/hr/worse.txt").exit_code == 0
    assert shell.world.parser.parsed == ["h/2024/hr/worse.txt"]
    assert shell.json("replay", "handbook")["documents"]["quarantined"] == len(before) > 1
    assert "h/2024/hr/later.txt" not in shell.world.parser.parsed
    tried = {row["source_uri"]: row["attempts"] for row in shell.json("quarantine", "handbook")["documents"]}
    assert tried == {uri: 3 if "worse" in uri else 2 for uri in before}


def test_a_replay_of_an_unknown_document_names_it(shell: Shell) -> None:
    shell.world.put("2024/hr/leave.txt", "# Leave\n\nThirty days.")
    shell.run()
    refused = shell("replay", "handbook", "nobody")
    assert refused.exit_code == 2
    assert "no document nobody" in refused.stderr


def test_metadata_values_that_do_not_fit_are_told_by_field(shell: Shell) -> None:
    shell.world.put("2024/hr/leave.txt.metadata.json", '{"year": "soon", "colour": "red"}')
    told = shell("run", "handbook")
    sentence = (
        'values set aside: 1 of "colour" (is not declared in metadata.fields), 1 of "year" (is not a whole number)'
    )
    assert f"  metadata    {sentence}\n" in told.stdout
    assert sentence in told.stderr
    assert f"  metadata    {sentence}\n" in shell("show", "handbook", "1").stdout


def test_documents_that_an_upgrade_left_are_told_with_the_command_that_makes_them_again(shell: Shell) -> None:
    shell.run()
    shell.world.parser = MemoryParser(version="2")
    shell.world.put("2025/ops/new.txt", "# New\n\nMade by the new parser.")
    sentence = shell.json("plan", "handbook")["upgrade"]
    assert sentence.startswith("2 documents were made by an older parser")
    assert f"  upgrade: {sentence}\n" in shell("plan", "handbook").stdout
    told = shell("run", "handbook")
    assert f"  upgrade     {sentence}\n" in told.stdout
    assert sentence in told.stderr
    assert f"  upgrade     {sentence}\n" in shell("show", "handbook").stdout


def test_a_quiet_night_tells_what_the_live_version_set_aside(shell: Shell) -> None:
    shell.world.put("2024/hr/leave.txt.metadata.json", '{"year": "soon"}')
    first, second = shell.run(), shell.run()
    assert second["state"] == "unchanged"
    assert first["set_aside"] == second["set_aside"] == [{"field": "year", "why": "is not a whole number", "values": 1}]
