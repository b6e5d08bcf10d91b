from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from nightjar.adapters.embedder.choice import this_machine
from nightjar.adapters.embedder.model_files import locate
from nightjar.adapters.embedder.openvino_runtime import OpenVinoRuntime
from nightjar.adapters.embedder.tokenizer import ModelTokenizer
from nightjar.adapters.embedder.torch_runtime import TorchRuntime
from nightjar.adapters.embedder.transformer import TransformerEmbedder
from nightjar.adapters.memory.embedder import MemoryEmbedder
from nightjar.errors import Misconfigured
from nightjar.ports import Embedder

FILES = locate("sentence-transformers/all-MiniLM-L6-v2", revision=None)
GPU = this_machine(ask_torch=False).cuda
RUNTIMES = ("torch", "openvino", *(("cuda",) if GPU else ()))
TEXTS = ["A cat sat on the mat.", "Revenue rose by 4 %. " * 30, "A cat sat on the mat.", "東京"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def torch_embedder(cache: Path) -> Embedder:
    return TransformerEmbedder(FILES, backend="torch", device="cpu", cache_folder=cache)


@pytest.fixture(scope="module")
def openvino_embedder(cache: Path) -> Embedder:
    return TransformerEmbedder(FILES, backend="openvino", cache_folder=cache)


@pytest.fixture(scope="module")
def cuda_embedder(cache: Path) -> Embedder:
    if not GPU:
        pytest.skip("this machine has no GPU")
    return TransformerEmbedder(FILES, cache_folder=cache)


@pytest.fixture(
    scope="module",
    params=["memory", *(pytest.param(name, marks=pytest.mark.slow) for name in RUNTIMES)],
)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "memory":
        return MemoryEmbedder()
    chosen: Embedder = request.getfixturevalue(f"{request.param}_embedder")
    return chosen


def test_vectors_have_unit_length(embedder: Embedder) -> None:
    assert np.linalg.norm(embedder.embed(TEXTS), axis=1) == pytest.approx(1, abs=1e-5)


def test_there_is_one_row_a_text(embedder: Embedder) -> None:
    assert embedder.embed(TEXTS).shape == (len(TEXTS), embedder.dimensions)


def test_vectors_are_single_precision(embedder: Embedder) -> None:
    assert embedder.embed(TEXTS).dtype == np.float32


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_equal_texts_have_equal_vectors(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert np.array_equal(vectors[0], vectors[2])


def test_rows_come_in_the_order_of_the_texts(embedder: Embedder) -> None:
    forwards, backwards = embedder.embed(TEXTS), embedder.embed(TEXTS[::-1])
    assert (forwards * backwards[::-1]).sum(axis=1) == pytest.approx(1, abs=1e-4)


def test_a_question_is_embedded_like_a_document(embedder: Embedder) -> None:
    assert float(embedder.embed_query(TEXTS[3]) @ embedder.embed(TEXTS)[3]) == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_openvino_agrees_with_torch(torch_embedder: Embedder, openvino_embedder: Embedder) -> None:
    assert (torch_embedder.embed(TEXTS) * openvino_embedder.embed(TEXTS)).sum(axis=1).min() >= 0.9999


@pytest.mark.slow
def test_a_gpu_is_used_where_there_is_one_and_agrees_with_the_processor(
    torch_embedder: Embedder, cuda_embedder: Embedder
) -> None:
    assert cuda_embedder.backend.startswith("torch/cuda/")
    assert (torch_embedder.embed(TEXTS) * cuda_embedder.embed(TEXTS)).sum(axis=1).min() >= 0.9999


@pytest.mark.slow
def test_weights_that_were_saved_in_half_precision_are_computed_in_single(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - loads torch

    half = locate(str(shutil.copytree(FILES.path, tmp_path / "half")), revision=None)
    weights = load_file(half.path / "model.safetensors")
    for name in weights:
        weights[name] = weights[name].bfloat16() if weights[name].is_floating_point() else weights[name]
    save_file(weights, half.path / "model.safetensors", metadata={"format": "pt"})
    single = locate(str(shutil.copytree(half.path, tmp_path / "single")), revision=None)
    save_file(
        {name: weight.float() if weight.is_floating_point() else weight for name, weight in weights.items()},
        single.path / "model.safetensors",
        metadata={"format": "pt"},
    )
    batch = ModelTokenizer(FILES).batch(ModelTokenizer(FILES).encode(TEXTS))
    ours, wanted = (TorchRuntime(files, device="cpu", bfloat16=False).vectors(batch) for files in (half, single))
    assert ours == pytest.approx(wanted, abs=1e-6)


@pytest.mark.slow
def test_a_converted_model_is_used_again(openvino_embedder: Embedder, cache: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in cache.rglob("*.xml")}
    TransformerEmbedder(FILES, backend="openvino", cache_folder=cache)
    assert {file: file.stat().st_mtime_ns for file in cache.rglob("*.xml")} == before != {}


@pytest.mark.slow
def test_the_document_prompt_is_part_of_what_is_read(openvino_embedder: Embedder, cache: Path) -> None:
    prompted = TransformerEmbedder(FILES, backend="openvino", document_prompt="passage: ", cache_folder=cache)
    assert prompted.embed(["cats"])[0] == pytest.approx(openvino_embedder.embed(["passage: cats"])[0], abs=1e-5)


@pytest.mark.slow
def test_the_query_prompt_is_part_of_what_is_asked(openvino_embedder: Embedder, cache: Path) -> None:
    prompted = TransformerEmbedder(FILES, backend="openvino", query_prompt="query: ", cache_folder=cache)
    assert prompted.embed_query("cats") == pytest.approx(openvino_embedder.embed_query("query: cats"), abs=1e-5)


def test_a_damaged_conversion_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("<net")
    with pytest.raises(Misconfigured, match="delete"):
        OpenVinoRuntime(tmp_path / "model.xml")


@pytest.mark.slow
def test_tokens_that_the_model_would_not_read_are_counted(openvino_embedder: TransformerEmbedder) -> None:
    assert openvino_embedder.truncated_tokens(["word " * 300, "short"]) == 46
