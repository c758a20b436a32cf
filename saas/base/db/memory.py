"""Answers that are asked for often and change rarely, remembered while their database is open."""

import time
from collections.abc import Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from saas.base.db.database import Database, current_database
from saas.base.db.tx import current_tx

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Up to ``most`` values by key, the oldest leaving first, each for ``seconds`` or without end.

    The key of a tenant's value names the tenant. Every process remembers for itself: what another one changes is
    seen after ``seconds``, so only what never changes may be remembered without end.
    """

    def __init__(self, *, most: int, seconds: float | None = None) -> None:
        self._most = most
        self._seconds = seconds
        self._kept: WeakKeyDictionary[Database, dict[K, tuple[float, V]]] = WeakKeyDictionary()

    def get(self, key: K) -> V | None:
        """What is remembered under ``key``, if anything."""
        found = self._kept.get(current_database(), {}).get(key)
        if found is None or (self._seconds is not None and time.monotonic() - found[0] > self._seconds):
            return None
        return found[1]

    def put(self, key: K, value: V) -> None:
        """Remember ``value`` once the running transaction has been committed: what is rolled back never was."""
        database = current_database()

        def keep() -> None:
            kept = self._kept.setdefault(database, {})
            kept.pop(key, None)
            while len(kept) >= self._most:
                kept.pop(next(iter(kept)))
            kept[key] = (time.monotonic(), value)

        current_tx().after_commit(keep)

    def forget(self) -> None:
        """Drop everything remembered of the current database."""
        self._kept.pop(current_database(), None)
