"""Server programs: taken from PATH, else as installed before, else the project's release, else built with Go."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.stack.place import Place, Refused
from tools.stack.release import Unavailable, fetch_release

_HEARTBEAT_S = 15


@dataclass(frozen=True, slots=True)
class Program:
    """A server that is not a Python package.

    Args:
        name: its file in `.nightjar/bin`.
        version: pinned; a release or build of another version is replaced.
        module: what `go install` builds.
        aliases: other names under which it may stand on PATH.
        archive: address of the release for (system, machine), None where none is published.
        checksums: address of the SHA-256 sums published beside that archive.
    """

    name: str
    version: str
    module: str
    aliases: tuple[str, ...] = ()
    archive: str | None = None
    checksums: str | None = None


def _released() -> tuple[str, str]:
    """(system, machine) as Go releases spell them."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return platform.system().lower(), machine


def _weaviate() -> Program:
    system, machine = _released()
    base = "https://github.com/weaviate/weaviate/releases/download/v1.39.0"
    archive = f"{base}/weaviate-v1.39.0-{system}-{machine}.tar.gz" if system == "linux" else None
    return Program(
        "weaviate-server",
        "v1.39.0",
        "github.com/weaviate/weaviate/cmd/weaviate-server",
        aliases=("weaviate",),
        archive=archive,
        checksums=f"{archive}.sha256",
    )


def _versitygw() -> Program:
    system, machine = _released()
    base = "https://github.com/versity/versitygw/releases/download/v1.7.0"
    machine = {"amd64": "x86_64"}.get(machine, machine)
    return Program(
        "versitygw",
        "v1.7.0",
        "github.com/versity/versitygw/cmd/versitygw",
        archive=f"{base}/versitygw_v1.7.0_{system.title()}_{machine}.tar.gz",
        checksums=f"{base}/checksums.txt",
    )


WEAVIATE = _weaviate()
VERSITYGW = _versitygw()
COMPOSE_GO = Program("compose-go", "v2.16.2", "github.com/compose-spec/compose-go/v2/cmd")
PROGRAMS = {program.name: program for program in (WEAVIATE, VERSITYGW, COMPOSE_GO)}


def require_program(program: Program, place: Place) -> Path:
    """The program's path in `.nightjar/bin`, which afterwards holds it under its own name.

    Raises:
        Refused: it is neither there nor to be had; the sentence says what to install.
    """
    target = place.programs / program.name
    if found := _on_path(program, place):
        _link(target, found)
        say(f"{program.name}: {found} (from PATH)")
        return target
    if target.exists() and _stamp(target).exists() and _stamp(target).read_text() == program.version:
        return target
    place.programs.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if not _download(program, target):
        _build(program, target, place)
    _stamp(target).write_text(program.version)
    return target


def _on_path(program: Program, place: Place) -> str | None:
    for name in (program.name, *program.aliases):
        found = shutil.which(name)
        if found and Path(found).parent != place.programs:
            return found
    return None


def _link(target: Path, found: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    _stamp(target).unlink(missing_ok=True)
    target.symlink_to(found)


def _stamp(target: Path) -> Path:
    return target.with_name(f"{target.name}.version")


def _download(program: Program, target: Path) -> bool:
    """Whether the release was fetched, and its checksum was the published one."""
    if not program.archive or not program.checksums:
        return False
    try:
        fetch_release(
            program.archive, checksums=program.checksums, names=(program.name, *program.aliases), target=target
        )
    except Unavailable as reason:
        say(f"{program.name}: no release archive ({reason}); building it instead")
        return False
    say(f"{program.name}: {program.version} from {program.archive}, checksum verified")
    return True


def _build(program: Program, target: Path, place: Place) -> None:
    go = shutil.which("go")
    if not go:
        raise Refused(
            f"{program.name} {program.version} is neither on PATH nor downloadable, and there is no Go to build it: "
            "install Go 1.26 or newer, or put the program on PATH"
        )
    wanted = f"{program.module}@{program.version}"
    say(f"{program.name}: go install {wanted} (takes minutes, once)")
    log = place.data("logs") / f"build-{program.name}.log"
    with log.open("wb") as output:
        build = subprocess.Popen([go, "install", wanted], env=_go_environment(place), stdout=output, stderr=output)
        code = _with_heartbeat(build.wait, program.name)
    if code:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
        raise Refused(
            f"{program.name} could not be built; install it yourself and put it on PATH. The end of {log}:\n{end}"
        )
    built = place.programs / _go_name(program.module)
    if built != target:
        built.replace(target)


def _go_name(module: str) -> str:
    return module.rpartition("/")[2]


def _go_environment(place: Place) -> dict[str, str]:
    """Go's own folders stay below `.nightjar` unless the person chose others; modules stay deletable.

    Its telemetry lies where the person's settings for Go do, and cannot be sent elsewhere alone.
    """
    flags = f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip()
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    go = place.home / "go"
    chosen = {"GOPATH": str(go), "GOCACHE": str(go / "build"), "GOENV": str(settings / "go" / "env")}
    ours = {"GOBIN": str(place.programs), "GOFLAGS": flags, "CGO_ENABLED": "0", "XDG_CONFIG_HOME": str(go / "config")}
    return {**chosen, **os.environ, **ours}


def _with_heartbeat(work: Callable[[], int], name: str) -> int:
    """Run `work` to its end, with a sign of life now and then: builds are silent for minutes."""
    done = threading.Event()
    begun = time.monotonic()

    def beat() -> None:
        while not done.wait(_HEARTBEAT_S):
            say(f"{name}: still building, {time.monotonic() - begun:.0f} s")

    threading.Thread(target=beat, daemon=True).start()
    try:
        return work()
    finally:
        done.set()


def say(line: str) -> None:
    """One line of progress, on standard error."""
    print(line, file=sys.stderr, flush=True)
