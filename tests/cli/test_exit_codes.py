"""What a shell script sees: CONTRACTS' exit codes, one sentence on standard error, children ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cli.shell import Shell

from nightjar.cli.faults import Terminated, exit_code, sentence
from nightjar.cli.main import main
from nightjar.errors import BadDocument, Code, HeldBack, Misconfigured, Superseded, Transient
from nightjar.flows.services import Services
from nightjar.recipe import Recipe
from nightjar.registers import Moved


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Transient("the bucket did not answer"), 1),
        (BadDocument("d", Code.EMPTY, "nothing in it"), 1),
        (ZeroDivisionError("division by zero"), 1),
        (Misconfigured("set WEAVIATE_URL"), 2),
        (HeldBack("another run"), 3),
        (Superseded("another run went live"), 3),
        (Moved("somebody else was first"), 3),
        (KeyboardInterrupt(), 130),
        (Terminated(signal.SIGTERM), 143),
    ],
)
def test_exit_code_says_what_to_do(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def _raising(error: BaseException) -> Callable[[Services], Services]:
    def recipe() -> Recipe:
        raise error

    return lambda services: replace(services, recipe=recipe)


@pytest.mark.parametrize(
    ("error", "code"), [(Misconfigured("set it"), 2), (ValueError("odd"), 1), (HeldBack("wait"), 3)]
)
def test_a_failing_command_ends_with_the_code_of_its_error(shell: Shell, error: Exception, code: int) -> None:
    shell.change = _raising(error)
    assert shell("plan", "handbook").exit_code == code


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["run"], "missing argument 'CORPUS'; `nightjar run --help` shows how it is used"),
        (["frobnicate"], "no such command 'frobnicate'; `nightjar --help` shows how it is used"),
        (["--frobnicate"], "no such option '--frobnicate'; `nightjar --help` shows how it is used"),
        (
            ["rollback", "handbook", "--to", "0"],
            "invalid value for '--to': 0 is not in the range x>=1; `nightjar rollback --help` shows how it is used",
        ),
    ],
)
def test_wrong_usage_is_one_line_on_standard_error(words: list[str], found: str) -> None:
    command = str(Path(sys.executable).with_name("nightjar"))
    result = subprocess.run([command, *words], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"nightjar: {found}\n")


def test_no_words_at_all_show_the_help(shell: Shell) -> None:
    result = shell()
    assert "Commands:" in result.output
    assert "nightjar:" not in result.stderr


def test_a_failure_is_one_line_on_standard_error(shell: Shell) -> None:
    shell.change = _raising(Misconfigured("set WEAVIATE_URL"))
    result = shell("plan", "handbook")
    assert (result.stdout, result.stderr) == ("", "nightjar: set WEAVIATE_URL\n")


class Closed:
    """An index whose server does not answer."""

    def check(self) -> str:
        raise Misconfigured("Weaviate does not answer: start the server")


@pytest.mark.parametrize("words", [("search", "handbook", "leave"), ("audit", "handbook"), ("evaluate", "handbook")])
def test_a_server_that_does_not_answer_is_a_matter_of_settings(shell: Shell, words: tuple[str, ...]) -> None:
    shell.run()
    shell.change = lambda services: replace(services, open_index=Closed)  # type: ignore[arg-type]
    told = shell(*words)
    assert (told.exit_code, told.stderr) == (2, "nightjar: Weaviate does not answer: start the server\n")


@pytest.mark.parametrize("words", [("--debug", "plan", "handbook"), ("plan", "handbook", "--debug")])
def test_debug_shows_the_traceback_wherever_it_stands(shell: Shell, words: tuple[str, ...]) -> None:
    shell.change = _raising(ValueError("odd"))
    assert "Traceback (most recent call last)" in shell(*words).stderr


def test_without_debug_there_is_no_traceback(shell: Shell) -> None:
    shell.change = _raising(ValueError("odd"))
    assert "Traceback" not in shell("plan", "handbook").stderr


def test_an_unforeseen_error_is_named_and_points_at_debug() -> None:
    assert sentence(ValueError("a\nb")) == "unforeseen ValueError: a b; --debug shows where"


def test_an_error_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in sentence(Transient("\x1b[2Jgone"))


@pytest.mark.parametrize(
    "words",
    [
        ("nosuch",),
        ("plan",),
        ("run", "handbook", "--recompute", "everything"),
        ("run", "handbook", "--where", "team"),
        ("search", "handbook", "leave", "-k", "0"),
        ("search", "handbook", " "),
        ("show", "handbook", "zero"),
    ],
)
def test_wrong_usage_exits_2(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell(*words).exit_code == 2


@pytest.mark.parametrize("command", ["plan", "run", "versions", "show", "quarantine"])
def test_an_unknown_corpus_exits_2_and_suggests_one(shell: Shell, command: str) -> None:
    result = shell(command, "handbok")
    assert (result.exit_code, "did you mean handbook?" in result.stderr) == (2, True)


@pytest.mark.parametrize("change", [(), ("--detailed-exitcode",)])
def test_plan_exits_4_for_changes_only_where_asked(shell: Shell, change: tuple[str, ...]) -> None:
    assert shell("plan", "handbook", *change).exit_code == (4 if change else 0)


def test_plan_exits_0_when_nothing_differs(shell: Shell) -> None:
    shell.run()
    assert shell("plan", "handbook", "--detailed-exitcode").exit_code == 0


def test_plan_exits_0_once_a_run_took_a_sidecar_that_changes_groups_alone(shell: Shell) -> None:
    sidecar = "2024/hr/leave.txt.metadata.json"
    shell.world.put(sidecar, '{"acl": ["staff"]}')
    shell.run()
    shell.world.put(sidecar, '{"acl": ["hr"]}')
    assert shell.run()["state"] == "unchanged"
    assert shell("plan", "handbook", "--detailed-exitcode").exit_code == 0


def test_an_interrupted_command_closes_its_doors(shell: Shell) -> None:
    shell.change = _raising(KeyboardInterrupt())
    result = shell("plan", "handbook")
    assert (result.exit_code, shell.closed) == (130, ["handbook"])


def test_sigterm_unwinds_a_command(shell: Shell) -> None:
    def asked_to_end(services: Services) -> Services:
        os.kill(os.getpid(), signal.SIGTERM)
        return services

    shell.change = asked_to_end
    before = signal.getsignal(signal.SIGTERM)
    assert shell("plan", "handbook").exit_code == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_help_loads_no_library_but_click() -> None:
    code = (
        "import sys; from nightjar.cli.main import main; main(['--help'], standalone_mode=False);"
        "print([m for m in ('boto3', 'weaviate', 'pyarrow', 'numpy', 'pydantic', 'rich') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.splitlines()[-1] == "[]"


def test_every_command_of_the_table_can_be_loaded(shell: Shell) -> None:
    for name in main.list_commands(None):  # type: ignore[attr-defined]
        assert shell(name, "--help").exit_code == 0, name


@pytest.mark.slow
def test_a_command_that_loaded_the_model_by_torch_ends_without_a_word() -> None:
    code = "from nightjar.cli.main import main; main(['schema'], standalone_mode=False); import sentence_transformers"
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True)
    assert ended.stderr == ""
