"""The converted graph on a processor: one stream a core, fed ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nightjar.adapters.embedder.cores import usable_cores
from nightjar.adapters.embedder.tokenizer import Batch
from nightjar.adapters.quiet import silence_telemetry
from nightjar.errors import Misconfigured, bounded
from nightjar.model import Vector


class OpenVinoRuntime:
    """Batches run side by side, a core each, so that no core waits for another at every layer.

    The processor's own precision is used: bfloat16 where it has matrix units for it, else float32.

    Raises:
        Misconfigured: the graph is damaged.
    """

    def __init__(self, graph: Path) -> None:
        silence_telemetry()
        import openvino as ov  # noqa: PLC0415 - a second of imports that other backends never need

        cores = usable_cores()
        try:
            compiled = ov.Core().compile_model(graph, "CPU", {"NUM_STREAMS": cores, "INFERENCE_NUM_THREADS": cores})
        except RuntimeError as error:
            raise Misconfigured(
                f"the converted model cannot be loaded, delete {graph.parent}: {bounded(str(error))}"
            ) from error
        self._names = {given.any_name for given in compiled.inputs}
        self._idle: deque[Any] = deque(compiled.create_infer_request() for _ in range(cores + 1))
        self.precision: str = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()

    def run(self, batches: Iterable[Batch]) -> Iterator[Vector]:
        """Vectors of each batch, shape (texts, dimensions), float32, in the order of `batches`, read lazily."""
        under_way: deque[Any] = deque()
        for batch in batches:
            if not self._idle:
                yield self._finished(under_way.popleft())
            request = self._idle.popleft()
            request.start_async({name: value for name, value in batch.inputs.items() if name in self._names})
            under_way.append(request)
        while under_way:
            yield self._finished(under_way.popleft())

    def _finished(self, request: Any) -> Vector:
        request.wait()
        vectors = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        self._idle.append(request)
        return vectors
