"""Aliases: the only names that applications use, moved at one stroke."""

from __future__ import annotations

import time
from typing import Final

from weaviate.exceptions import UnexpectedStatusCodeError

from nightjar.adapters.weaviate_index.connection import Connection
from nightjar.adapters.weaviate_index.errors import translated
from nightjar.errors import Transient
from nightjar.model import CollectionName

_ATTEMPTS: Final = 10
_PAUSE_S: Final = 0.2  # other nodes follow milliseconds later
_EXISTS: Final = 422


class Aliases:
    """Reads and moves the aliases of one server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def target(self, alias: str) -> CollectionName | None:
        """What the alias names, None when there is no such alias."""
        with translated(self._connection.url):
            found = self._connection.client().alias.get(alias_name=alias)
        return CollectionName(found.collection) if found else None

    def naming(self, name: CollectionName) -> list[str]:
        """Every alias that names this collection."""
        with translated(self._connection.url):
            standing = self._connection.client().alias.list_all()
        return sorted(alias for alias, found in standing.items() if found.collection == name)

    def point(self, alias: str, name: CollectionName) -> None:
        """Set, read back, and set again until it says `name`.

        Raises:
            Transient: it still says something else, so someone else moves it too.
        """
        for _ in range(_ATTEMPTS):
            standing = self.target(alias)
            if standing == name:
                return
            self._set(alias, name, exists=standing is not None)
            if self.target(alias) == name:
                return
            time.sleep(_PAUSE_S)
        raise Transient(f"alias {alias} does not stay on {name}: something else moves it")

    def _set(self, alias: str, name: CollectionName, *, exists: bool) -> None:
        """One attempt; an alias that came or went meanwhile is left to the next one."""
        aliases = self._connection.client().alias
        with translated(self._connection.url):
            if exists:
                aliases.update(alias_name=alias, new_target_collection=name)  # false, and no error, when it is gone
                return
            try:
                aliases.create(alias_name=alias, target_collection=name)
            except UnexpectedStatusCodeError as error:
                if error.status_code != _EXISTS or self.target(alias) is None:
                    raise
