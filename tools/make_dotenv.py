"""Writes `.env` for docker-compose.yml: the example with a fresh secret for every empty value."""

from __future__ import annotations

import base64
import secrets
import sys
from pathlib import Path

from tools.stack.place import REPOSITORY
from tools.stack.secret import write_private

_BYTES = 64  # HS512, which signs Airflow's tokens, wants that many; hexadecimal is safe inside addresses


def filled(example: str) -> str:
    """The example's lines, each `NAME=` completed."""
    return "\n".join(_filled_line(line) for line in example.splitlines()) + "\n"


def _filled_line(line: str) -> str:
    if not line.endswith("=") or line.startswith("#"):
        return line
    if line.startswith("AIRFLOW_FERNET_KEY"):
        return line + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return line + secrets.token_hex(10 if line.startswith("S3_ACCESS_KEY") else _BYTES)


def main(target: Path) -> int:
    """Exit code 0 also when `.env` exists: its passwords are in use."""
    if target.exists():
        print(f"{target} exists and is kept")
        return 0
    write_private(target, filled((REPOSITORY / ".env.example").read_text()))
    print(f"{target} written; the login is admin with AIRFLOW_ADMIN_PASSWORD")
    return 0


if __name__ == "__main__":
    sys.exit(main(REPOSITORY / ".env"))
