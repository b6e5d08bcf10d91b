"""A sentence-transformers model as one OpenVINO graph: tokens in, unit vectors out.

Transformer, pooling and normalisation are joined before saving, so that running the graph needs neither torch nor
sentence-transformers, whose imports cost more seconds than a quiet night.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from nightjar.adapters.embedder.model_files import ModelFiles
from nightjar.adapters.embedder.tokenizer import Batch, ModelTokenizer
from nightjar.adapters.quiet import silence_telemetry
from nightjar.errors import Misconfigured
from nightjar.model import Vector

log = logging.getLogger(__name__)

AGREEMENT: Final = 0.9999
"""Least cosine between a converted model's vectors and those of the original in float32."""

_FORMAT: Final = "1"  # raised when the saved graph changes shape; older files are then left alone and made anew
_PROBES: Final = (
    "A short one.",
    "Nightly reindexing turns documents into vectors, and nothing becomes visible before every gate has passed. " * 8,
    "Zürich, 東京, naïve: 42 % of 1,000!",
)


class ConversionFailed(Exception):
    """This model has no faithful OpenVINO form; torch can still run it."""


def converted(files: ModelFiles, tokenizer: ModelTokenizer, *, cache_folder: Path) -> Path:
    """The graph's .xml below `cache_folder`, converted on first use and proved against the original.

    Raises:
        ConversionFailed: the exporter gives up, or the result's vectors differ.
        Misconfigured: the result cannot be written.
    """
    folder = cache_folder / f"openvino-{_FORMAT}-{files.digest[:32]}"
    graph = folder / "model.xml"
    if graph.exists():
        return graph
    silence_telemetry()
    log.info("converting %s for OpenVINO, kept in %s", files.name, folder)
    try:
        model = _joined_model(files)
        _prove(model, files, tokenizer)
    except ConversionFailed:
        raise
    except Exception as error:  # exporters raise anything, and whatever it is, torch still runs the model
        raise ConversionFailed(f"{type(error).__name__}: {error}") from error
    try:
        _save(model, folder)
    except OSError as error:
        raise Misconfigured(
            f"{folder} cannot be written, make room or give another folder: {error.strerror}"
        ) from error
    return graph


def _joined_model(files: ModelFiles) -> Any:
    import openvino as ov  # noqa: PLC0415 - heavy, and only needed on the first use of a model
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        model = SentenceTransformer(
            str(files.path), device="cpu", backend="openvino", model_kwargs={"export": True}, local_files_only=True
        )
        head = model[0].model.model
        tail = _converted_tail(model, width=files.hidden_size)
    hidden = head.outputs[0].get_node().input_value(0)
    mask = next(given for given in head.inputs if given.any_name == "attention_mask")
    _feed(tail, "token_embeddings", hidden)
    _feed(tail, "attention_mask", mask)
    return ov.Model(tail.get_results(), head.get_parameters(), "embedder")


def _converted_tail(model: Any, *, width: int) -> Any:
    """The modules after the transformer (pooling, dense layers, normalisation) as a graph of their own."""
    import openvino as ov  # noqa: PLC0415 - heavy, and only needed on the first use of a model
    import torch  # noqa: PLC0415 - as above

    class Tail(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
        def __init__(self) -> None:
            super().__init__()
            self.steps = torch.nn.ModuleList(list(model.children())[1:])

        def forward(self, token_embeddings: Any, attention_mask: Any) -> Any:
            features = {"token_embeddings": token_embeddings, "attention_mask": attention_mask}
            for step in self.steps:
                features = step(features)
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=1)

    example = {"token_embeddings": torch.rand(2, 5, width), "attention_mask": torch.ones(2, 5, dtype=torch.int64)}
    with torch.no_grad():
        return ov.convert_model(Tail().eval(), example_input=example)


def _feed(graph: Any, name: str, source: Any) -> None:
    """Let every reader of the graph's input `name` read `source` instead."""
    given = next(given for given in graph.inputs if given.any_name == name)
    for reader in given.get_target_inputs():
        reader.replace_source_output(source)


def _prove(model: Any, files: ModelFiles, tokenizer: ModelTokenizer) -> None:
    """Compare with float32 torch on probes of several lengths, alone and padded together."""
    import openvino as ov  # noqa: PLC0415 - heavy, and only needed on the first use of a model

    compiled = ov.Core().compile_model(model, "CPU")
    names = {given.any_name for given in compiled.inputs}
    batches = [tokenizer.batch(tokenizer.encode([probe])) for probe in _PROBES]
    batches.append(tokenizer.batch(tokenizer.encode(_PROBES)))
    ours = [compiled({k: v for k, v in batch.inputs.items() if k in names})[0] for batch in batches]
    theirs = _reference(files, batches)
    least = min(float((a * b).sum(axis=1).min()) for a, b in zip(ours, theirs, strict=True))
    if not least >= AGREEMENT:
        raise ConversionFailed(f"the converted model agrees with torch only to a cosine of {least:.5f}")


def _reference(files: ModelFiles, batches: Sequence[Batch]) -> list[Vector]:
    from nightjar.adapters.embedder.torch_runtime import TorchRuntime  # noqa: PLC0415 - loads torch

    runtime = TorchRuntime(files, device="cpu", bfloat16=False)
    return [np.asarray(runtime.vectors(batch), dtype=np.float32) for batch in batches]


def _save(model: Any, folder: Path) -> None:
    """Written aside and moved, so that two workers who convert at once both end with a whole model."""
    import openvino as ov  # noqa: PLC0415 - heavy, and only needed on the first use of a model

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".converting-") as aside:
        made = Path(aside) / "model"
        ov.save_model(model, made / "model.xml", compress_to_fp16=False)
        try:
            made.rename(folder)
        except OSError:
            if not (folder / "model.xml").exists():
                raise
