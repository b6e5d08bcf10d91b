"""What a library imports at its start and Nightjar seldom or never uses: half of a command's first seconds.

`postponed` and `postponed_classes` stand in for what is imported once somebody needs it; `barred` is for what a library
does without where it is not installed; `models_built_late` for models that a library defines by the hundred.
`importlib.util.LazyLoader` does not serve: an import statement that meets its module loads it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

_BUILDS_UNDER_A_LOCK: Final = (2, 14)  # the first such release of pydantic


@contextmanager
def postponed(*names: str) -> Iterator[None]:
    """Whoever imports one of `names` while the block runs gets a stand-in, unless it is imported already.

    The stand-in imports the module when it is asked for the first of its contents. After the block, imports are what
    they were.
    """
    stand_ins = {name: _stand_in(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            _leave(name, module)


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name)

    def asked(attribute: str) -> Any:
        _leave(name, module)
        return getattr(importlib.import_module(name), attribute)

    vars(module)["__getattr__"] = asked
    return module


def _leave(name: str, module: ModuleType) -> None:
    if sys.modules.get(name) is module:
        del sys.modules[name]


@contextmanager
def postponed_classes(module: str, *names: str) -> Iterator[None]:
    """Whoever writes `from module import Name` while the block runs gets a stand-in, unless it is imported already.

    Calling the stand-in imports the module and makes one of the real class; what the real class made is an instance
    of the stand-in, too. That is all it can: it is nothing to derive from.
    """
    if module in sys.modules:
        yield
        return
    stand_in = ModuleType(module)
    vars(stand_in).update({name: _Later(name, (), {"__module__": module}) for name in names})
    sys.modules[module] = stand_in
    try:
        yield
    finally:
        _leave(module, stand_in)


class _Later(type):
    """The class of the same name and module, once somebody needs it."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(cls.__module__), cls.__name__)(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        module = sys.modules.get(cls.__module__)
        return module is not None and isinstance(instance, getattr(module, cls.__name__))


class _Bar:
    """A finder of modules that says of some that there is none."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> None:
        if name in self._names:
            raise ImportError(name)


@contextmanager
def barred(*names: str) -> Iterator[None]:
    """Whoever imports one of `names` while the block runs gets an ImportError, unless it is imported already.

    None in `sys.modules` does not serve: compiled modules take that for the module itself.
    """
    bar = _Bar(names)
    sys.meta_path.insert(0, bar)
    try:
        yield
    finally:
        sys.meta_path.remove(bar)


@contextmanager
def models_built_late() -> Iterator[None]:
    """Pydantic models that are defined while the block runs get their validators when they are first used.

    Releases that let two threads build the same model at once build them as ever.
    """
    from pydantic import VERSION, BaseModel  # noqa: PLC0415 - who only bars or postpones needs none of it

    if tuple(map(int, VERSION.split(".")[:2])) < _BUILDS_UNDER_A_LOCK:
        yield
        return
    before = BaseModel.model_config.get("defer_build", False)
    BaseModel.model_config["defer_build"] = True  # every model starts from the settings of its bases
    try:
        yield
    finally:
        BaseModel.model_config["defer_build"] = before
