"""A process that dies at a numbered point: around a commit, or around what it sends."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from saas.base.db import Database, Point


class Crash(BaseException):
    """The process is gone."""


class Points:
    """Passes so many points, and dies at one."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.passed = 0
        self.seen: Counter[Point] = Counter()
        self.sends: set[int] = set()
        """The numbers of the points around what is sent."""

    def __call__(self, point: Point) -> None:
        self.passed += 1
        self.seen[point] += 1
        if point in {Point.BEFORE_SEND, Point.UNHEARD}:
            self.sends.add(self.passed)
        if self.passed == self.at:
            raise Crash(f"{self.passed}: {point}")


@contextmanager
def dying(db: Database, points: Points) -> Iterator[Points]:
    """Have the process die there within the block."""
    db.points = points
    try:
        yield points
    finally:
        db.points = None
