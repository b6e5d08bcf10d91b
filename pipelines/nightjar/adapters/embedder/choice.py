"""Which runtime does the work on which device: decided from what the machine has, before anything heavy is loaded."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nightjar.errors import Misconfigured

BACKENDS: Final = ("auto", "openvino", "torch")

_BFLOAT16_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16"})


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is: `cuda` a usable GPU, `openvino` with its exporter installed, `bfloat16` units in the processor."""

    cuda: bool
    openvino: bool
    bfloat16: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """`runtime` is openvino or torch; `bfloat16` says whether torch runs under autocast; `reason` is for the log."""

    runtime: str
    device: str
    bfloat16: bool
    reason: str


def choose(backend: str, device: str, *, machine: Machine) -> Choice:
    """The fastest that keeps every vector within a cosine of 0.9999 of float32.

    Raises:
        Misconfigured: a backend or device that does not exist, or that this machine lacks.
    """
    if backend not in BACKENDS:
        raise Misconfigured(f"embed.backend is {backend!r}: it must be one of {', '.join(BACKENDS)}.")
    if device.startswith("cuda") and not machine.cuda:
        raise Misconfigured(f"embed.device is {device!r} but torch sees no GPU here: use auto or cpu.")
    if backend == "openvino" and not machine.openvino:
        raise Misconfigured("embed.backend is openvino but it is not installed: install nightjar[embed], or use auto.")
    if backend == "openvino" and device not in {"auto", "cpu"}:
        raise Misconfigured(f"embed.backend openvino runs on the processor, not on {device!r}: use embed.device cpu.")
    if device not in {"auto", "cpu"}:
        return Choice("torch", device, bfloat16=False, reason="the corpus file names the device")
    if device == "auto" and machine.cuda and backend != "openvino":
        return Choice("torch", "cuda", bfloat16=False, reason="torch sees a GPU")
    if machine.openvino and backend != "torch":
        return Choice("openvino", "cpu", bfloat16=False, reason="OpenVINO is the fastest on a processor")
    reason = "the processor has bfloat16 units" if machine.bfloat16 else "the processor has no bfloat16 units"
    return Choice("torch", "cpu", bfloat16=machine.bfloat16, reason=reason)


def this_machine(*, ask_torch: bool) -> Machine:
    """Look around; without `ask_torch` torch is only imported where a GPU's device file stands."""
    openvino = all(importlib.util.find_spec(name) is not None for name in ("openvino", "optimum"))
    return Machine(cuda=_cuda(ask_torch=ask_torch), openvino=openvino, bfloat16=bool(_flags() & _BFLOAT16_FLAGS))


def _cuda(*, ask_torch: bool) -> bool:
    if not ask_torch and not Path("/dev/nvidiactl").exists() and not Path("/dev/dxg").exists():
        return False
    import torch  # noqa: PLC0415 - seconds of imports, spared where there can be no GPU

    return bool(torch.cuda.is_available())


def _flags() -> frozenset[str]:
    """The processor's feature flags as Linux lists them; none elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())
