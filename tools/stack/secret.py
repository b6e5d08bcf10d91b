"""Passwords and keys of the local stack: made once, kept in one file that only its owner reads."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Secrets:
    """Everything that lets somebody in; good on this machine only."""

    weaviate_api_key: str
    weaviate_node_password: str
    s3_access_key: str
    s3_secret_key: str
    airflow_password: str
    airflow_secret_key: str
    airflow_jwt_secret: str  # HS512 wants 64 bytes or more
    airflow_fernet_key: str  # 32 bytes, URL-safe base64

    @classmethod
    def generated(cls) -> Self:
        """Fresh ones from the operating system's random source."""
        return cls(
            weaviate_api_key=secrets.token_urlsafe(32),
            weaviate_node_password=secrets.token_urlsafe(32),
            s3_access_key=f"nightjar{secrets.token_hex(6)}",
            s3_secret_key=secrets.token_urlsafe(32),
            airflow_password=secrets.token_urlsafe(12),
            airflow_secret_key=secrets.token_urlsafe(32),
            airflow_jwt_secret=secrets.token_urlsafe(64),
            airflow_fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        )


def local_secrets(home: Path) -> Secrets:
    """Those of this checkout, made at the first call; later calls return the same, so that data stays readable."""
    path = home / "secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    complete = asdict(Secrets.generated()) | kept
    if complete != kept:
        home.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(complete, indent=2))
    return Secrets(**complete)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; it is never readable by others, not even for a moment."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
