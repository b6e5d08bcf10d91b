"""Keys of the local stack, and the file through which programs learn them."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
from pathlib import Path

from tools.stack.environment import write_environment
from tools.stack.place import Place
from tools.stack.secret import local_secrets


def test_secrets_stay_the_same_from_start_to_start(tmp_path: Path) -> None:
    assert local_secrets(tmp_path) == local_secrets(tmp_path)


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    local_secrets(tmp_path)
    write_environment(Place(tmp_path, tmp_path, 18080), local_secrets(tmp_path))
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("secrets.json", "env")} == {0o600}


def test_a_secret_that_an_older_checkout_lacked_is_added_and_the_others_kept(tmp_path: Path) -> None:
    before = local_secrets(tmp_path)
    kept = json.loads((tmp_path / "secrets.json").read_text())
    del kept["weaviate_node_password"]
    (tmp_path / "secrets.json").write_text(json.dumps(kept))
    after = local_secrets(tmp_path)
    assert after.weaviate_api_key == before.weaviate_api_key
    assert after.weaviate_node_password


def test_keys_have_the_lengths_that_airflow_wants(tmp_path: Path) -> None:
    secrets = local_secrets(tmp_path)
    assert len(secrets.airflow_jwt_secret.encode()) >= 64
    assert len(base64.urlsafe_b64decode(secrets.airflow_fernet_key)) == 32


def test_the_environment_file_can_be_sourced_by_bash(tmp_path: Path) -> None:
    folder = tmp_path / "a folder with 'quotes'"
    secrets = local_secrets(folder)
    write_environment(Place(folder, folder, 19000), secrets)
    script = '. ./env; env | grep -E "^(WEAVIATE_URL|AWS_SECRET_ACCESS_KEY|NIGHTJAR_CORPORA)=" | sort'
    seen = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert seen.splitlines() == [
        f"AWS_SECRET_ACCESS_KEY={secrets.s3_secret_key}",
        f"NIGHTJAR_CORPORA={folder}/dags/corpora",
        "WEAVIATE_URL=http://127.0.0.1:19001",
    ]
