"""No library that Nightjar uses reports home: call `silence_telemetry` before importing any of them."""

from __future__ import annotations

import os
import sys
from typing import Final

_SWITCHES: Final = {
    "DO_NOT_TRACK": "1",
    "SCARF_NO_ANALYTICS": "true",  # unstructured
    "UNSTRUCTURED_DISABLE_NOTICE": "1",
    "GX_ANALYTICS_ENABLED": "false",  # Great Expectations
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",  # threads of its own would fight with the model's, and warn after a fork
    "DISABLE_TELEMETRY": "true",  # Weaviate, where a server is started
}


def silence_telemetry() -> None:
    """Set every vendor's own switch, unless the environment already says otherwise; harmless when repeated.

    OpenVINO has no switch short of a file in the home directory, and counts silence as consent; without its telemetry
    module it falls back to a stub of its own.
    """
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None is how a module is barred
