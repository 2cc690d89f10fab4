"""Numbers of the database that the writer knows by heart."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from timtw.model.limits import COUNTERS_CACHED
from timtw.shards.tables.compiling import Rows

Key = TypeVar("Key", bound=tuple[object, ...])


class Known(Generic[Key]):
    """Values by key, read when they are first needed.

    Only one process writes, so what was read or written once stays true, until a
    transaction is rolled back or the memory is full.

    Args:
        rows: Reads many from the tables; each row is the key and, last, the value.
        row_of: The parameters of one key.
        newer: What is newer than the tables; 0 where nothing is.
    """

    def __init__(
        self,
        rows: Rows,
        row_of: Callable[[Key], tuple[object, ...]],
        newer: Callable[[Key], int],
    ) -> None:
        self.values: dict[Key, int] = {}
        self._rows = rows
        self._row_of = row_of
        self._newer = newer

    def load(self, connection: sqlite3.Connection, keys: Collection[Key]) -> None:
        """Find those of ``keys`` that are not known; absent ones stay absent."""
        values = self.values
        missing = [key for key in keys if key not in values]
        if not missing:
            return
        wanted: list[object] = []
        for key in missing:
            value = self._newer(key)
            if value:
                values[key] = value
            else:
                wanted += self._row_of(key)
        for text, parameters in self._rows.split(wanted):
            for *key_of, value in connection.execute(text, parameters):
                values[tuple(key_of)] = value  # type: ignore[index]

    def committed(self) -> None:
        """
        Forget everything if it is too much.

        Never within a transaction: what it has raised stands nowhere else.
        """
        if len(self.values) > COUNTERS_CACHED:
            self.values.clear()

    def forget(self) -> None:
        """Forget everything."""
        self.values.clear()
