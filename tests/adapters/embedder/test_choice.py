from __future__ import annotations

import pytest

from nightjar.adapters.embedder.choice import Machine, choose
from nightjar.errors import Misconfigured


def a_machine(*has: str) -> Machine:
    return Machine(cuda="cuda" in has, openvino="openvino" in has, bfloat16="bfloat16" in has)


@pytest.mark.parametrize(
    ("backend", "device", "has", "runtime", "on", "bfloat16"),
    [
        ("auto", "auto", ("cuda", "openvino"), "torch", "cuda", False),
        ("auto", "auto", ("openvino", "bfloat16"), "openvino", "cpu", False),
        ("auto", "auto", ("bfloat16",), "torch", "cpu", True),
        ("auto", "auto", (), "torch", "cpu", False),
        ("auto", "cpu", ("cuda", "openvino"), "openvino", "cpu", False),
        ("auto", "cuda:1", ("cuda",), "torch", "cuda:1", False),
        ("torch", "auto", ("openvino",), "torch", "cpu", False),
        ("torch", "cpu", ("cuda", "bfloat16"), "torch", "cpu", True),
        ("openvino", "auto", ("cuda", "openvino"), "openvino", "cpu", False),
    ],
)
def test_the_fastest_faithful_runtime_is_chosen(
    *, backend: str, device: str, has: tuple[str, ...], runtime: str, on: str, bfloat16: bool
) -> None:
    choice = choose(backend, device, machine=a_machine(*has))
    assert (choice.runtime, choice.device, choice.bfloat16) == (runtime, on, bfloat16)


@pytest.mark.parametrize(
    ("backend", "device", "has", "named"),
    [
        ("onnx", "auto", (), "must be one of"),
        ("auto", "cuda", (), "no GPU"),
        ("openvino", "auto", (), "not installed"),
        ("openvino", "cuda", ("cuda", "openvino"), "runs on the processor"),
    ],
)
def test_what_the_machine_lacks_is_refused(backend: str, device: str, has: tuple[str, ...], named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        choose(backend, device, machine=a_machine(*has))
