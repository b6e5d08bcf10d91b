from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nightjar.adapters.embedder.model_files import locate
from nightjar.errors import Misconfigured

DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"


def a_model(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"hidden_size": 8, "max_position_embeddings": 64, **config}))
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "tokenizer.json").write_text("{}")
    return folder


def test_the_default_model_needs_no_network() -> None:
    files = locate(DEFAULT, revision=None)
    assert (files.dimensions, files.max_seq_length) == (384, 256)


def test_locating_loads_no_torch() -> None:
    code = (
        "import sys; from nightjar.adapters.embedder import model_files, tokenizer, transformer;"
        f"tokenizer.ModelTokenizer(model_files.locate({DEFAULT!r}, revision=None));"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'sentence_transformers', 'openvino')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_is_a_model(tmp_path: Path) -> None:
    assert locate(str(a_model(tmp_path)), revision=None).max_seq_length == 64


def test_positions_behind_the_padding_are_not_read(tmp_path: Path) -> None:
    folder = a_model(tmp_path, model_type="xlm-roberta", max_position_embeddings=514, pad_token_id=1)
    assert locate(str(folder), revision=None).max_seq_length == 512


def test_the_limit_of_sentence_transformers_goes_first(tmp_path: Path) -> None:
    (a_model(tmp_path) / "sentence_bert_config.json").write_text('{"max_seq_length": 32}')
    assert locate(str(tmp_path), revision=None).max_seq_length == 32


def test_a_dense_layer_decides_the_dimensions(tmp_path: Path) -> None:
    a_model(tmp_path)
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense" / "config.json").write_text('{"in_features": 8, "out_features": 4}')
    (tmp_path / "modules.json").write_text(
        '[{"path": "", "type": "Transformer"}, {"path": "2_Dense", "type": "Dense"}]'
    )
    assert locate(str(tmp_path), revision=None).dimensions == 4


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_the_digest_changes_with_any_file_that_shapes_a_vector(tmp_path: Path, name: str) -> None:
    before = locate(str(a_model(tmp_path)), revision=None).digest
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b" ")
    assert locate(str(tmp_path), revision=None).digest != before


@pytest.mark.parametrize("name", ["README.md", "onnx/model.json", ".cache/etag.json", "pytorch_model.bin"])
def test_the_digest_ignores_files_that_do_not(tmp_path: Path, name: str) -> None:
    before = locate(str(a_model(tmp_path)), revision=None).digest
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    assert locate(str(tmp_path), revision=None).digest == before


def test_the_digest_is_the_same_wherever_the_model_lies(tmp_path: Path) -> None:
    here, there = a_model(tmp_path / "here"), a_model(tmp_path / "there")
    assert locate(str(here), revision=None).digest == locate(str(there), revision=None).digest


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, missing: str) -> None:
    (a_model(tmp_path) / missing).unlink()
    with pytest.raises(Misconfigured, match=r"embed\.model"):
        locate(str(tmp_path), revision=None)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="not a folder"):
        locate(str(tmp_path / "nowhere"), revision=None)


def test_a_broken_configuration_is_refused(tmp_path: Path) -> None:
    (a_model(tmp_path) / "config.json").write_text("{")
    with pytest.raises(Misconfigured, match="not valid JSON"):
        locate(str(tmp_path), revision=None)


def test_a_name_that_no_hub_could_have_is_refused() -> None:
    with pytest.raises(Misconfigured, match="correct it"):
        locate("no such/model/at all", revision=None)


def test_a_model_that_only_the_hub_has_is_refused_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(Misconfigured, match="cannot be reached"):
        locate("somebody/some-model", revision=None)
