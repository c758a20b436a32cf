"""How many pieces a seller sold in a period, for the components that pay by them (docs/rules.md §3.2).

Beside them stands what of their lift is open: after orders were undone, the next one makes up for it. A counter is a
cache of what the orders say, made for one program version: missing, or of another version, it is made again from the
orders. A seller's counters of the periods that begin on a day are locked together, by the row without a component;
whoever pays or undoes an order takes that row first, so no piece is counted twice or lost.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple, TypeAlias, get_args

import orjson

from saas.base.db import current_tx
from saas.base.ids import DistributorId
from tenants.program.calendar import period_days
from tenants.program.parts import PeriodLength

Periods: TypeAlias = Collection[tuple[DistributorId, date]]
"""Sellers, each with the first day of a period; a month and a year that begin on a day are one."""

UNMADE = 0
"""The program version of a counter that is to be made from the orders when it is next asked for."""

_COLUMNS = ("distributor_id", "component", "period_from", "program_number", "pieces", "open_minor")
_KEY = "(tenant_id, distributor_id, component, period_from)"
_LOCK = ""


class Counter(NamedTuple):
    """The pieces one seller sold in one period, as a component counts them."""

    seller_id: DistributorId
    component: str
    period_from: date


class Count(NamedTuple):
    """The pieces a counter stands at, and the lift of them that is open, in minor units (``lifts.open_minor``)."""

    pieces: int
    open_minor: int


def periods_of(days: Iterable[tuple[DistributorId, date]]) -> Periods:
    """Every period in which a seller's day is, whatever its length."""
    return {(seller_id, period_days(length, day)[0]) for seller_id, day in days for length in get_args(PeriodLength)}


async def lock(periods: Periods) -> None:
    """Let nobody else count these sellers' pieces until the running transaction ends.

    A statement of its own, before anything is read; every transaction takes the rows in one order.
    """
    await current_tx().insert_many(
        "period_volume",
        _COLUMNS,
        [(seller_id, _LOCK, first, UNMADE, 0, 0) for seller_id, first in sorted(set(periods))],
        or_update=f"{_KEY} DO UPDATE SET pieces = period_volume.pieces",
    )


async def known(periods: Periods, program_number: int) -> Mapping[Counter, Count]:
    """The counters there are of a program version."""
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT c.distributor_id, c.component, c.period_from, c.pieces, c.open_minor "
        f"FROM period_volume c JOIN {_listed(2)} ON c.distributor_id = v.seller_id AND c.period_from = v.first "
        f"WHERE c.tenant_id = $1 AND c.program_number = $3",
        tx.tenant_id,
        _json(periods),
        program_number,
    )
    return {
        Counter(row["distributor_id"], row["component"], row["period_from"]): Count(row["pieces"], row["open_minor"])
        for row in rows
    }


async def keep(counts: Mapping[Counter, Count], program_number: int) -> None:
    """Write counters back; their periods are locked."""
    await current_tx().insert_later(
        "period_volume",
        _COLUMNS,
        [(*counter, program_number, *counts[counter]) for counter in sorted(counts)],
        or_update=f"{_KEY} DO UPDATE SET pieces = excluded.pieces, program_number = excluded.program_number, "
        f"open_minor = excluded.open_minor",
    )


async def forget(periods: Periods) -> None:
    """Have counters made again: orders they counted are undone. Locks the periods."""
    await lock(periods)
    tx = current_tx()
    await tx.execute(
        f"DELETE FROM period_volume WHERE tenant_id = $1 AND component <> '{_LOCK}' "
        f"AND (distributor_id, period_from) IN (SELECT v.seller_id, v.first FROM {_listed(2)})",
        tx.tenant_id,
        _json(periods),
    )


def _listed(number: int) -> str:
    return f"{current_tx().recordset(number, seller_id='uuid', first='date')} AS v"


def _json(periods: Periods) -> str:
    listed = [{"seller_id": str(seller_id), "first": first} for seller_id, first in sorted(set(periods))]
    return orjson.dumps(listed).decode()
