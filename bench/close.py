"""``python -m bench.close TENANT``: all commission released and a period closed, as the job does it; prints seconds."""

import asyncio
import sys
from time import perf_counter

import orjson

from bench.closing import CLOSED_AT
from saas.base import clock
from saas.base.db import open_database
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope
from saas.base.settings import get_settings
from saas.settlement.commands import CloseSettlement, close, release_due
from tenants.actors import system


async def main(tenant_id: TenantId) -> None:
    """Release, close, print."""
    async with open_database(get_settings().database_url):
        with tenant_scope(tenant_id), clock.at(CLOSED_AT):
            actor = system(tenant_id, "bench")
            began = perf_counter()
            released = await release_due(actor)
            between = perf_counter()
            closed = await close(CloseSettlement(idempotency_key="bench"), actor)
            ended = perf_counter()
    told = {"release": between - began, "settle": ended - between, "rows": released, "statements": closed.statements}
    print(orjson.dumps(told).decode())


if __name__ == "__main__":
    asyncio.run(main(TenantId(int(sys.argv[1]))))
