"""What a process keeps of texts: so many, and so many characters of them; the one unused for longest goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Values by key, each with the characters it counts for."""

    def __init__(self, *, most: int, text_most: int) -> None:
        self._most = most
        self._text_most = text_most
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._text = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """What is kept, which is the latest used from now on."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, characters: int) -> V:
        """Keep a value, and let go of others where it is too much. The latest always stays."""
        self._text += characters - self._kept.pop(key, (None, 0))[1]
        self._kept[key] = value, characters
        while len(self._kept) > self._most or (self._text > self._text_most and len(self._kept) > 1):
            self._text -= self._kept.popitem(last=False)[1][1]
        return value
