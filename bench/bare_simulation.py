"""``python -m bench.bare_simulation TENANT``: the ceiling of a simulation, by hand over the same two processes.

It reads the same orders and the same commission, and knows the program by heart: three levels in percent, nobody ever
suspended or moved, nothing limited and nothing explained.
"""

import asyncio
import os
import pickle
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import asyncpg
import orjson

from bench.history import FROM, RATES, UNTIL

PARTS = 2
WIDTH = 6
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"

Sums = dict[str, int]


def statement(part: int, tenant: int, *, sqlite: bool) -> str:
    """The lines of one part of the sellers."""
    since, until = (FROM.isoformat(" "), UNTIL.isoformat(" "))
    digits = ", ".join(f"'{digit}'" for digit in DIGITS[part::PARTS])
    last = "substr(o.path, -1)" if sqlite else "right(o.path, 1)"
    return (
        f"SELECT o.path, o.paid_at, l.sku, l.quantity, l.amount_minor FROM sales_order o "
        f"JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id WHERE o.tenant_id = {tenant} "
        f"AND o.paid_at >= '{since}' AND o.paid_at < '{until}' AND o.status <> 'cancelled' AND {last} IN ({digits})"
    )


def real(tenant: int) -> str:
    """What was paid, by distributor and level."""
    return (
        f"SELECT beneficiary_id, level, count(*), CAST(sum(amount_minor) AS bigint) FROM commission "
        f"WHERE tenant_id = {tenant} AND status NOT IN ('nothing', 'reversed') GROUP BY beneficiary_id, level"
    )


def share_out(rows: Sequence[Any], sums: Sums) -> int:
    """Three levels of each line."""
    first, second, third = RATES
    for path, _, _, _, amount in rows:
        for rate, at in ((first, 12), (second, 6), (third, 0)):
            seat = path[at : at + WIDTH]
            sums[seat] = sums.get(seat, 0) + (amount * rate + 5000) // 10000
    return len(rows)


async def part(number: int, url: str, tenant: int) -> tuple[int, Sums]:
    """Read and share out one part."""
    sums: Sums = {}
    orders = 0
    if url.startswith("sqlite:"):
        for rows in _from_file(url, statement(number, tenant, sqlite=True)):
            orders += share_out(rows, sums)
        return orders, sums
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("SET LOCAL cursor_tuple_fraction = 1")
        cursor = await connection.cursor(statement(number, tenant, sqlite=False))
        while rows := await cursor.fetch(5_000):
            orders += share_out(rows, sums)
    await connection.close()
    return orders, sums


def _from_file(url: str, sql: str) -> Iterator[list[Any]]:
    cursor = sqlite3.connect(url.removeprefix("sqlite:///")).execute(sql)
    while rows := cursor.fetchmany(5_000):
        yield rows


async def _in_a_process(number: int, tenant: int) -> tuple[int, Sums]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bare_simulation", str(tenant), str(number), stdout=PIPE
    )
    output, _ = await process.communicate()
    found: tuple[int, Sums] = pickle.loads(output)  # noqa: S301  # written by our own process
    return found


async def main(url: str, tenant: int) -> None:
    """The whole: both parts, then what was really paid."""
    began = perf_counter()
    parts = await asyncio.gather(*(_in_a_process(number, tenant) for number in range(PARTS)))
    draft: Sums = {}
    for _, sums in parts:
        for seat, amount in sums.items():
            draft[seat] = draft.get(seat, 0) + amount
    if url.startswith("sqlite:"):
        paid: Sequence[Any] = [row for rows in _from_file(url, real(tenant)) for row in rows]
    else:
        connection = await asyncpg.connect(url)
        paid = await connection.fetch(real(tenant))
        await connection.close()
    seconds = perf_counter() - began
    sums_told = [sum(orders for orders, _ in parts), sum(draft.values()), sum(row[3] for row in paid), 0, 0]
    print(orjson.dumps({"seconds": seconds, "sums": sums_told}).decode())


if __name__ == "__main__":
    address, brand = os.environ["DATABASE_URL"], int(sys.argv[1])
    if len(sys.argv) > 2:
        sys.stdout.buffer.write(pickle.dumps(asyncio.run(part(int(sys.argv[2]), address, brand))))
    else:
        asyncio.run(main(address, brand))
