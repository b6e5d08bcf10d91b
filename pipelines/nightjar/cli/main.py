"""The front door, `nightjar …`: commands are loaded when they are called, so that `--help` answers at once."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from collections.abc import Mapping
from typing import Final

import click

from nightjar.cli.faults import answering, telling_usage

# Half a million imported objects, none of them garbage: seldom searched, and not at all at the end. Two seconds.
gc.set_threshold(500_000, 10, 10)

_DEBUG: Final = "--debug"
_COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "doctor": ("doctor_command:doctor", "Is everything there that a run needs? Says what is missing, and the remedy."),
    "list": ("list_command:list_corpora", "Corpora and what is live."),
    "validate": ("corpus_commands:validate", "Check corpus files without any server."),
    "schema": ("corpus_commands:schema", "The JSON Schema of corpus files."),
    "init": ("corpus_commands:init", "Write a commented corpus file."),
    "plan": ("plan_command:plan", "What a run would do and cost; writes nothing."),
    "run": ("run_command:run", "One night in this process, as the DAG runs it."),
    "versions": ("version_commands:versions", "History of a corpus, newest first."),
    "show": ("show_command:show", "One version with its evidence."),
    "diff": ("decide_commands:diff", "Documents added, changed and removed between two versions."),
    "drift": ("drift_command:drift", "What moved between two versions: texts, vectors, composition."),
    "promote": ("decide_commands:promote", "Make a version live that waits or was rejected."),
    "reject": ("decide_commands:reject", "Decide that a version which waits never goes live."),
    "rollback": ("hold_commands:rollback", "Serve an earlier version again, and hold the corpus there."),
    "hold": ("hold_commands:hold", "Runs build and judge, and promote nothing."),
    "unhold": ("hold_commands:unhold", "Let runs promote again."),
    "search": ("search_command:search", "Ask the live index, or an earlier version."),
    "replay": ("run_command:replay", "Try quarantined documents again."),
    "quarantine": ("quarantine_command:quarantine", "Documents set aside, each with its reason."),
    "forget": ("erase_command:forget", "Erase documents everywhere, and refuse their return."),
    "evaluate": ("evaluate_command:evaluate", "How well golden questions are answered, and which got worse."),
    "questions": ("evaluate_command:questions", "Draft golden questions from a corpus (`questions suggest`)."),
    "audit": ("audit_command:audit", "The index against its manifest, object by object; mends it where asked."),
    "gc": ("gc_command:gc", "Delete what nobody needs any more and is older than a week."),
}


class Commands(click.Group):
    """Knows each command's name and one line about it without importing the command."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order in which a newcomer needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Imports the command's module now."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"nightjar.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """From the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`--debug` may stand anywhere before `--`: it is mostly added to the end of a line that failed."""
        stop = args.index("--") if "--" in args else len(args)
        if _DEBUG in args[:stop]:
            args = [_DEBUG, *(word for word in args[:stop] if word != _DEBUG), *args[stop:]]
        with telling_usage():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Errors become a sentence and an exit code here, for every command."""
        with answering(debug=bool(ctx.params.get("debug"))):
            return super().invoke(ctx)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(_DEBUG, is_flag=True, help="Tracebacks and every log line.")
@click.version_option(package_name="nightjar")
def main(*, debug: bool) -> None:  # noqa: ARG001 - read from click's context by whoever needs it
    """Documents in S3 become versioned vector indexes in Weaviate.

    CORPUS is a name in the corpora folder (NIGHTJAR_CORPORA) or a path to a corpus file.

    Exit codes: 0 done, 1 failed, 2 misconfigured or wrong usage, 3 held back by a gate, a guard, a hold or another
    run, 4 only for `plan --detailed-exitcode`: there are changes.
    """
    from nightjar.cli.logs import start_logging  # noqa: PLC0415 - `--help` and `--version` need no logging

    start_logging()
    atexit.register(_freeze)


def _freeze() -> None:
    """Nothing is searched for garbage at the end, but where Triton is loaded: it tells at length what is left of it."""
    if "triton" not in sys.modules:
        gc.freeze()
