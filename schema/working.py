"""All that goes on in a process of this installation besides answering: events made known, jobs done.

With what needs the API to be done: the messages of webhooks.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from saas.duties import CHORES, FOLLOWERS
from saas.duties import HANDLERS as DUTIES
from saas.events.hub import open_hub
from saas.jobs.worker import Handler, run_worker
from saas.webhooks.delivering import handlers
from schema.rendering import render

HANDLERS: Mapping[str, Handler] = {**DUTIES, **handlers(render)}
"""Who does which kind of job."""


@asynccontextmanager
async def at_work(*, jobs: bool) -> AsyncIterator[None]:
    """Make events known within the block, and do ``jobs``; what is under way at its end is put back."""
    async with open_hub(FOLLOWERS):
        working = asyncio.create_task(run_worker(HANDLERS, chores=CHORES)) if jobs else None
        try:
            yield
        finally:
            if working is not None:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
