"""Models of the Hugging Face hub; the only module here that uses the network."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nightjar.adapters.quiet import silence_telemetry
from nightjar.errors import Misconfigured, Transient, bounded

_WANTED: Final = ["*.json", "*.txt", "*.model", "*.safetensors"]
_UNWANTED: Final = ["onnx/*", "openvino/*"]


def downloaded(model: str, *, revision: str | None) -> Path:
    """The folder of a snapshot in the hub's own cache: weights as safetensors, else as .bin; never code.

    Raises:
        Misconfigured: no such model or revision, no permission, or offline without a copy in the cache.
        Transient: the hub was reached and failed.
    """
    folder = _snapshot(model, revision=revision, patterns=_WANTED)
    if list(folder.glob("*.safetensors")):
        return folder
    return _snapshot(model, revision=revision, patterns=[*_WANTED, "*.bin"])


def _snapshot(model: str, *, revision: str | None, patterns: list[str]) -> Path:
    silence_telemetry()
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - a second of imports that the default never needs
    from huggingface_hub.errors import (  # noqa: PLC0415 - as above
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=patterns, ignore_patterns=_UNWANTED))
    except RevisionNotFoundError as error:
        raise Misconfigured(f"embed.revision {revision!r} does not exist in model {model!r}: correct it.") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise Misconfigured(
            f"embed.model {model!r} is neither a folder nor a model of the hub that this machine may read: correct it."
        ) from error
    except LocalEntryNotFoundError as error:
        raise Misconfigured(
            f"embed.model {model!r} is not on this machine and the hub cannot be reached:"
            " give a local path, or let this machine reach the hub once."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise Transient(f"the model hub failed while {model!r} was fetched: {bounded(str(error))}") from error
