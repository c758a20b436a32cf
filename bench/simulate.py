"""``python -m bench.simulate TENANT``: a simulation of a whole brand as a worker does it; prints what it came to."""

import asyncio
import sys
from datetime import timedelta
from time import perf_counter

import orjson

from bench.history import FROM, UNTIL
from saas.base.db import open_database
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope
from saas.base.settings import get_settings
from saas.jobs.worker import run_due
from saas.simulation.commands import KIND, Simulate, run_simulation, simulate
from saas.simulation.queries import finished, simulation
from tenants.actors import system


async def main(tenant_id: TenantId) -> None:
    """Ask for it, do it, print seconds and sums."""
    async with open_database(get_settings().database_url):
        with tenant_scope(tenant_id):
            whole = Simulate(number=1, since=FROM.date(), until=(UNTIL + timedelta(days=1)).date())
            asked = await simulate(whole, system(tenant_id, "bench"))
            began = perf_counter()
            await run_due({KIND: run_simulation})
            seconds = perf_counter() - began
            found = finished(await simulation(asked.id))
    sums = [found.orders, found.draft.paid_minor, found.real.paid_minor, found.winners, found.losers]
    print(orjson.dumps({"seconds": seconds, "sums": sums}).decode())


if __name__ == "__main__":
    asyncio.run(main(TenantId(int(sys.argv[1]))))
