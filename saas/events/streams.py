"""A stream: somebody who follows a brand's events, with a short queue between the log and its connection."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from saas.base.errors import DomainError
from saas.events.errors import FollowedTooSlowly
from saas.events.rules import Numbered, Wanted
from tenants.actors import Actor

QUEUE_MOST = 256
"""Events that wait for a slow connection at most."""
GRACE = timedelta(seconds=5)
"""How long a connection that takes nothing may still take the reason why its stream has ended."""


class Stream:
    """What one subscription waits for. ``cut`` is called when even the end of it is not taken."""

    def __init__(self, actor: Actor, token: str | None, wanted: Wanted, cut: Callable[[], None]) -> None:
        self.actor = actor
        self.token = token
        self.wanted = wanted
        self._cut = cut
        self._queue: asyncio.Queue[Numbered | None] = asyncio.Queue(QUEUE_MOST + 1)
        self._why: DomainError | None = None

    def offer(self, event: Numbered) -> None:
        """Give it an event, if that is among what it wants. One that is too slow ends."""
        if self._why is not None or not self.wanted.has(event):
            return
        if self._queue.qsize() >= QUEUE_MOST:
            self.end(FollowedTooSlowly(None))
        else:
            self._queue.put_nowait(event)

    def end(self, why: DomainError) -> None:
        """Have it end; what waits is dropped, and can be had again by the cursor."""
        if self._why is not None:
            return
        self._why = why
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)
        asyncio.get_running_loop().call_later(GRACE.total_seconds(), self._cut_if_stuck)

    async def next(self) -> Numbered:
        """The next event, when there is one. Raises why the stream has ended."""
        event = await self._queue.get()
        if event is None:
            if self._why is None:
                raise RuntimeError("a stream ended for no reason")
            raise self._why
        return event

    def _cut_if_stuck(self) -> None:
        if not self._queue.empty():
            self._cut()
