"""A replay over two processes, each with its own connection and half of the sellers; small ones stay in this process.

The parts talk by pipe: one line of JSON asks, lines of numbers tell how far a part is, and its sums end the answer.
"""

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson

from saas.base.db.database import current_database, finish
from saas.base.scope import current_tenant
from saas.simulation.replay import Span
from saas.simulation.source import count_orders, replay_part
from saas.simulation.sums import Sums
from tenants.program.compile import compile_program
from tenants.program.document import Program
from tenants.program.parse import as_data

PARTS = 2
"""In how many processes a large replay runs."""

SMALL = 20_000
"""Up to so many orders the start of processes is not worth it."""

Report = Callable[[int, int], Awaitable[None]]
"""Told how many orders of how many have been replayed; whatever it raises ends the replay."""

_ROOT = Path(__file__).parents[2]


class PartFailed(RuntimeError):
    """A part ended without sums; the message is the last it said."""


async def replay(program: Program, span: Span, report: Report, *, small: int = SMALL) -> Sums:
    """Replay the orders of a span under a program."""
    known = Span(since=span.warm_from(compile_program(program)), until=span.until, time_zone=span.time_zone)
    total = await count_orders(known, program.currency)
    if total <= small:

        async def tell(done: int) -> None:
            await report(done, total)

        return await replay_part(program, span, part=0, parts=1, report=tell)
    return await _replay_in_parts(program, span, total, report)


async def _replay_in_parts(program: Program, span: Span, total: int, report: Report) -> Sums:
    done = [0] * PARTS

    async def run(part: int) -> Sums:
        async def tell(orders: int) -> None:
            done[part] = orders
            await report(sum(done), total)

        return await _run_part(_asked(program, span, part), tell)

    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(run(part)) for part in range(PARTS)]
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None  # the first one; the others were only told to stop
    sums = Sums()
    for one in running:
        sums.merge(one.result())
    return sums


def _asked(program: Program, span: Span, part: int) -> bytes:
    return orjson.dumps(
        {
            "url": current_database().url,
            "tenant": current_tenant(),
            "program": as_data(program),
            "since": span.since,
            "until": span.until,
            "time_zone": span.time_zone,
            "part": part,
            "parts": PARTS,
        }
    )


async def _run_part(asked: bytes, tell: Callable[[int], Awaitable[None]]) -> Sums:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "saas.simulation.part",
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    try:
        return await _listen(process, asked, tell)
    finally:
        if process.returncode is None:
            process.kill()
        await finish(_ended(process))


async def _listen(process: Process, asked: bytes, tell: Callable[[int], Awaitable[None]]) -> Sums:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise PartFailed("the part has no pipes")
    process.stdin.write(asked + b"\n")
    while line := await process.stdout.readline():
        word, _, number = line.decode().partition(" ")
        if word == "sums":
            return _sums(await process.stdout.readexactly(int(number)))
        await tell(int(number))
    raise PartFailed((await process.stderr.read()).decode(errors="replace").strip()[-500:])


def _sums(written: bytes) -> Sums:
    sums: Sums = pickle.loads(written)  # noqa: S301  # written by our own process, over its own pipe
    return sums


async def _ended(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
