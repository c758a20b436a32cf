"""One part of a replay, as a process of its own: ``python -m saas.simulation.part``. See ``processes``."""

import asyncio
import pickle
import sys
from datetime import datetime

import orjson

from saas.base.db import open_database
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope
from saas.simulation.replay import Span
from saas.simulation.source import replay_part
from tenants.program.document import Program


async def main(asked: bytes) -> None:
    """Replay what the line asks for, and write the sums to the output. A parent that has gone ends it, too."""
    given = orjson.loads(asked)
    span = Span(
        since=datetime.fromisoformat(given["since"]),
        until=datetime.fromisoformat(given["until"]),
        time_zone=given["time_zone"],
    )
    out = sys.stdout.buffer

    async def tell(done: int) -> None:
        out.write(b"done %d\n" % done)
        out.flush()

    with tenant_scope(TenantId(given["tenant"])):
        async with open_database(given["url"], pool_size=1):
            program = Program.model_validate(given["program"])
            sums = await replay_part(program, span, part=given["part"], parts=given["parts"], report=tell)
    written = pickle.dumps(sums, protocol=pickle.HIGHEST_PROTOCOL)
    out.write(b"sums %d\n" % len(written))
    out.write(written)
    out.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.stdin.buffer.readline()))
