"""What the vendor's client brings that no command needs, and that still works for whoever shares the process."""

from __future__ import annotations

import subprocess
import sys

_LEFT_OUT = """
import sys
import nightjar.adapters.weaviate_index
print([name for name in ("joserfc", "cryptography", "rich") if name in sys.modules])
"""
_LOGIN = """
import nightjar.adapters.weaviate_index
from weaviate.connect import authentication, v4
made = authentication.OAuth2Client(client_id="nightjar")
from authlib.integrations.httpx_client import OAuth2Client
print(type(made) is OAuth2Client, isinstance(made, v4.OAuth2Client), isinstance(made, v4.AsyncOAuth2Client))
"""


def _says(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_neither_cryptography_nor_colours_are_imported() -> None:
    assert _says(_LEFT_OUT) == "[]"


def test_a_login_by_oidc_is_still_the_real_one() -> None:
    assert _says(_LOGIN) == "True True False"
