"""Hearing what other processes say over PostgreSQL (LISTEN), on one connection of its own for as long as it takes."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import asyncpg

from saas.base.db.ddl import APP_ROLE

log = logging.getLogger("banyan.listening")

AGAIN_AFTER = timedelta(seconds=1)
"""How long to wait before a lost connection is opened anew."""
ALIVE_EVERY = timedelta(seconds=20)
"""How often the connection is tried: one that a firewall has forgotten is silent for ever otherwise."""
ANSWER_WITHIN = timedelta(seconds=10)


async def listen(url: str, channel: str, heard: Callable[[str], None]) -> None:
    """Call ``heard`` with every text told on ``channel``, until cancelled.

    With an empty text whenever a connection was opened: what was told before that is missing.
    """
    while True:
        try:
            await _hear(url, channel, heard)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as lost:
            log.warning("listening on %s was interrupted: %s", channel, lost)
        await asyncio.sleep(AGAIN_AFTER.total_seconds())


async def _hear(url: str, channel: str, heard: Callable[[str], None]) -> None:
    settings = {"role": APP_ROLE, "application_name": "banyan listener"}
    connection = await asyncpg.connect(url, server_settings=settings, timeout=ANSWER_WITHIN.total_seconds())
    ended = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: ended.set())
        await connection.add_listener(channel, lambda *told: heard(str(told[3])))
        heard("")
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), ALIVE_EVERY.total_seconds())
                return
            await connection.execute("SELECT 1", timeout=ANSWER_WITHIN.total_seconds())
    finally:
        connection.terminate()
