"""The row of simulations: a million orders under a program, beside the same rows summed by hand."""

import orjson

from bench.databases import Databases
from bench.figures import Figure, Size
from bench.history import make_history
from bench.processes import run

_SUFFIX = {"postgresql": "", "sqlite": "_sqlite"}


async def simulate_history(databases: Databases, kind: str, size: Size) -> Figure:
    """The job from its start to its result; memory is the peak of all of its processes together."""
    history = await make_history(databases, kind, size.history_orders)
    ours = await run("-m", "bench.simulate", str(history.tenant_id), database_url=history.url)
    ceiling = await run("-m", "bench.bare_simulation", str(history.tenant_id), database_url=history.url)
    told, bare = orjson.loads(ours.output), orjson.loads(ceiling.output)
    if told["sums"] != bare["sums"]:
        raise RuntimeError(f"the simulation came to {told['sums']}, by hand it is {bare['sums']}")
    return Figure(
        name=f"simulation_1m_orders{_SUFFIX[kind]}",
        ours=history.orders / told["seconds"],
        ceiling=history.orders / bare["seconds"],
        unit="orders/s",
        memory_mb=ours.peak_mb,
    )
