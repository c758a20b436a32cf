"""The hub of a process: makes events known as soon as they are committed, and hands them to those who follow.

What this process committed it learns at once, what another one did by a notice of the database; where neither comes (a
command that ended, SQLite with several processes) it looks now and then. Nobody gets an event whose session does not
hold at that moment.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from saas.base import clock
from saas.base.db.database import current_database
from saas.base.ids import TenantId
from saas.base.scope import current_tenant, tenant_scope
from saas.events import commands, queries
from saas.events.errors import SessionOver, StreamBroken, TooManyStreams
from saas.events.publishing import CHANNEL, Follower, publish
from saas.events.streams import Stream
from tenants import sessions
from tenants.actors import Actor

log = logging.getLogger("banyan.events")

LOOK_EVERY = {"sqlite": timedelta(seconds=1), "postgresql": timedelta(seconds=5)}
"""How often the log of a brand that is followed is looked at when nobody says that there is news."""
APART = timedelta(milliseconds=200)
"""From one look to the next at least: what a busy brand commits meanwhile becomes known together."""
CHECK_EVERY = timedelta(seconds=15)
"""How long a stream on which nothing happens may outlive its session."""
READ_AT_ONCE = 200
STREAMS_OF_ONE_MOST = 20
"""Subscriptions that one member or key may have open in a process."""
STREAMS_MOST = 5_000
"""Subscriptions that a process has open."""


class Hub:
    """Who follows which brand in this process, and how far each brand's log was handed on."""

    def __init__(self, followers: Sequence[Follower] = ()) -> None:
        self._followers = followers
        self._streams: dict[TenantId, set[Stream]] = {}
        self._places: dict[TenantId, int] = {}
        self._checked: dict[TenantId, datetime] = {}
        self._news: set[TenantId] = set()
        self._called = asyncio.Event()

    @property
    def count(self) -> int:
        """How many streams are open."""
        return sum(map(len, self._streams.values()))

    async def join(self, stream: Stream) -> None:
        """Hand events on to a stream from here on. Raises ``TooManyStreams``."""
        actor = stream.actor
        if self.count >= STREAMS_MOST:
            raise TooManyStreams(None, most=STREAMS_MOST)
        if self._open_of(actor) >= STREAMS_OF_ONE_MOST:
            raise TooManyStreams(None, most=STREAMS_OF_ONE_MOST)
        self._streams.setdefault(actor.tenant_id, set()).add(stream)
        self._places.setdefault(actor.tenant_id, await queries.head())

    def leave(self, stream: Stream) -> None:
        """Hand on no more."""
        brand = stream.actor.tenant_id
        followed = self._streams.get(brand, set())
        followed.discard(stream)
        if not followed:
            for kept in (self._streams, self._places, self._checked):
                kept.pop(brand, None)

    def news(self, brand: TenantId) -> None:
        """Have a brand looked at now."""
        self._news.add(brand)
        self._called.set()

    def heard(self, text: str) -> None:
        """What another process tells: which brand has news, or that some of that may have been missed."""
        for brand in [TenantId(int(text))] if text else list(self._streams):
            if brand in self._streams:
                self.news(brand)

    async def run(self) -> None:
        """Work until cancelled."""
        loop, every = asyncio.get_running_loop(), LOOK_EVERY[current_database().kind].total_seconds()
        round_at = loop.time() + every
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._called.wait(), max(0, round_at - loop.time()))
            self._called.clear()
            brands, self._news = self._news, set()
            if loop.time() >= round_at:
                brands, round_at = brands | self._streams.keys(), loop.time() + every
            next_at = loop.time() + APART.total_seconds()
            for brand in brands:
                await self._look_at(brand)
            if brands:
                await asyncio.sleep(max(0, next_at - loop.time()))

    async def look(self) -> None:
        """Make the active brand's events known, and hand them to its streams."""
        await publish(self._followers)
        while streams := list(self._streams.get(current_tenant(), ())):
            place = self._places.get(current_tenant())
            found = [] if place is None else await queries.after(place, READ_AT_ONCE)
            if found or self._is_time():
                streams = await self._holding(streams)
            if not found:
                return
            for stream in streams:
                for event in found:
                    stream.offer(event)
            if current_tenant() in self._places:
                self._places[current_tenant()] = found[-1].seq

    def end_all(self) -> None:
        """End every stream: the process stops."""
        for stream in [one for followed in self._streams.values() for one in followed]:
            stream.end(StreamBroken(None))

    async def _look_at(self, brand: TenantId) -> None:
        with tenant_scope(brand):
            try:
                await self.look()
            except Exception:
                log.exception("events of brand %d could not be handed on; trying again", brand)
                self._news.add(brand)  # looked at in the next round

    def _open_of(self, actor: Actor) -> int:
        return sum(one.actor.id == actor.id for one in self._streams.get(actor.tenant_id, ()))

    def _is_time(self) -> bool:
        return clock.now() - self._checked.setdefault(current_tenant(), clock.now()) >= CHECK_EVERY

    async def _holding(self, streams: Sequence[Stream]) -> list[Stream]:
        """Those whose session still says the same of them; the others are ended."""
        actors = await sessions.holding({stream.token for stream in streams if stream.token})
        self._checked[current_tenant()] = clock.now()
        for stream in streams:
            now = actors.get(stream.token) if stream.token else None
            if now is None or now != stream.actor or now.must_enrol != stream.actor.must_enrol:
                stream.end(SessionOver(None))
                self.leave(stream)
        return [stream for stream in streams if stream in self._streams.get(current_tenant(), ())]


_open: list[Hub] = []


@asynccontextmanager
async def open_hub(followers: Sequence[Follower] = ()) -> AsyncIterator[Hub]:
    """Run a hub and make it the one of this process, within the block; a database must be open."""
    hub = Hub(followers)
    _open.append(hub)
    commands.listeners.append(hub.news)
    working = asyncio.create_task(hub.run())
    try:
        async with current_database().listening(CHANNEL, hub.heard):
            yield hub
    finally:
        commands.listeners.remove(hub.news)
        _open.remove(hub)
        hub.end_all()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


def current_hub() -> Hub:
    """The hub of this process. Raises ``StreamBroken`` where none runs."""
    if not _open:
        raise StreamBroken(None)
    return _open[-1]
