"""A sentence-transformers model run by torch: on a GPU, or where a processor has no OpenVINO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import numpy as np

from nightjar.adapters.embedder.cores import usable_cores
from nightjar.adapters.embedder.model_files import ModelFiles
from nightjar.adapters.embedder.tokenizer import Batch
from nightjar.adapters.quiet import silence_telemetry
from nightjar.errors import Misconfigured, Transient, bounded
from nightjar.model import Vector

_FIRST_WITH_TF32: Final = (8, 0)  # compute capability


class TorchRuntime:
    """The whole model, pooling included, on one device; in float32, or with bfloat16 autocast around it.

    A GPU multiplies float32 matrices in its TF32 units where it has them: `precision` is bf16, tf32 or f32.

    Raises:
        Misconfigured: sentence-transformers cannot load the files, or the device does not exist.
    """

    def __init__(self, files: ModelFiles, *, device: str, bfloat16: bool) -> None:
        silence_telemetry()
        import torch  # noqa: PLC0415 - heavy, and only needed where torch does the work
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - as above

        torch.set_num_threads(usable_cores())
        self._torch: Any = torch
        self._device = device
        self._bfloat16 = bfloat16
        try:
            tf32 = device.startswith("cuda") and torch.cuda.get_device_capability(device) >= _FIRST_WITH_TF32
            self._model: Any = SentenceTransformer(
                str(files.path),
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": "float32"},  # weights saved in half precision would be computed in it
            ).eval()
        except (OSError, ValueError, KeyError, ImportError, RuntimeError, AssertionError) as error:
            raise Misconfigured(
                f"embed.model {files.name!r} cannot be loaded on {device}: {bounded(str(error))}"
            ) from error
        if tf32:
            torch.set_float32_matmul_precision("high")
        self.precision: str = "bf16" if bfloat16 else "tf32" if tf32 else "f32"
        accepted = set(self._model[0].tokenizer.model_input_names)
        self._names = accepted | {"input_ids", "attention_mask"}

    def run(self, batches: Iterable[Batch]) -> Iterator[Vector]:
        """Vectors of each batch, shape (texts, dimensions), float32, in the order of `batches`."""
        return (self.vectors(batch) for batch in batches)

    def vectors(self, batch: Batch) -> Vector:
        """Vectors of one batch, shape (texts, dimensions), float32."""
        torch = self._torch
        features = {n: torch.from_numpy(v).to(self._device) for n, v in batch.inputs.items() if n in self._names}
        try:
            with torch.inference_mode(), self._precision():
                embedded = self._model(features)["sentence_embedding"]
        except torch.OutOfMemoryError as error:
            raise Transient(f"{self._device} has no memory left for a batch: {bounded(str(error))}") from error
        return np.asarray(embedded.float().cpu().numpy(), dtype=np.float32)

    def _precision(self) -> AbstractContextManager[object]:
        if not self._bfloat16:
            return nullcontext()
        autocast: AbstractContextManager[object] = self._torch.autocast(
            self._device.split(":")[0], dtype=self._torch.bfloat16
        )
        return autocast
