"""Proof that what a period awarded is what the rules give: its awards decided again, as of its close.

Sums follow moments and paths that orders keep, tiers and states are those of the period's end, and what was known at
the close is told by when it was booked. So nothing that happened since makes a difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import orjson

from saas.base.db import Row, Tx, as_time
from saas.network.history import Roll
from saas.performance.firsts import taken
from saas.performance.gathering import fill, holders_of
from saas.performance.planning import Reigns, reigns
from saas.performance.reads import calendar_period
from saas.performance.rules import Award, PeriodBook
from tenants.program.calendar import period_label
from tenants.program.versions import program

_Key = tuple[str, UUID, str]
"""Component, distributor and scope of an award."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardDifference:
    """An award that is not what the rules give; ``stored`` or ``computed`` is none when only the other one is there."""

    period: str
    component: str
    distributor_id: UUID
    stored: str | None
    computed: str | None

    def __str__(self) -> str:
        where = f"period {self.period}, {self.component} of {self.distributor_id}"
        return f"{where}: stored {self.stored or 'nothing'}, computed {self.computed or 'nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardProof:
    """How many closed periods and awards were decided again, and everything that differs."""

    periods: int
    awards: int
    differences: Sequence[AwardDifference]


async def recompute_awards(
    tx: Tx, period: str, settlements: Sequence[UUID], people: Roll, time_zone: str
) -> AwardProof:
    """Decide again the awards of periods that were closed, told by label or day, and of those on these settlements."""
    closes = [row for row in await _closes(tx, settlements) if row["stated"] or _meant(row, period)]
    in_force = await reigns() if closes else None
    awards = 0
    differences: list[AwardDifference] = []
    for close in closes:
        stored = await _stored(tx, close)
        computed = await _computed(close, in_force, people, time_zone) if in_force else {}
        awards += len(stored)
        for key in sorted(stored.keys() | computed.keys(), key=str):
            if stored.get(key) != computed.get(key):
                found = AwardDifference(
                    period=period_label(close["length"], close["period_from"]),
                    component=key[0],
                    distributor_id=key[1],
                    stored=stored.get(key),
                    computed=computed.get(key),
                )
                differences.append(found)
    return AwardProof(periods=len(closes), awards=awards, differences=differences)


async def _closes(tx: Tx, settlements: Sequence[UUID]) -> Sequence[Row]:
    return await tx.rows(
        f"SELECT p.id, p.length, p.period_from, p.period_until, p.program_number, p.closed_at, EXISTS ("
        f"SELECT 1 FROM award a JOIN statement s ON s.tenant_id = a.tenant_id AND s.id = a.statement_id "
        f"WHERE a.tenant_id = $1 AND a.close_id = p.id AND s.settlement_id {tx.within(2, 'uuid')}) AS stated "
        f"FROM period_close p WHERE p.tenant_id = $1 ORDER BY p.period_until, p.length",
        tx.tenant_id,
        list(settlements),
    )


def _meant(close: Row, period: str) -> bool:
    try:
        day = date.fromisoformat(period)
    except ValueError:
        return period_label(close["length"], close["period_from"]) == period
    return bool(close["period_from"] <= day < close["period_until"])


async def _stored(tx: Tx, close: Row) -> Mapping[_Key, str]:
    rows = await tx.rows(
        "SELECT component, distributor_id, scope, kind, program_number, tier, measured, amount_minor, detail, "
        "order_id, once_key FROM award WHERE tenant_id = $1 AND close_id = $2",
        tx.tenant_id,
        close["id"],
    )
    return {
        (row["component"], row["distributor_id"], row["scope"]): _told(
            row["amount_minor"],
            row["kind"],
            row["measured"],
            row["tier"],
            orjson.loads(row["detail"]),
            row["order_id"],
            row["once_key"],
            row["program_number"],
        )
        for row in rows
    }


async def _computed(close: Row, in_force: Reigns, people: Roll, time_zone: str) -> Mapping[_Key, str]:
    period, closed_at = calendar_period(close["length"], close["period_from"], time_zone), as_time(close["closed_at"])
    number = in_force.at(period.judged_at)
    content = (await program(number)).program
    book = PeriodBook(content, period.length)
    await fill(book, content, period, closed_at)
    holders = holders_of(people, book, period)
    used = await taken(book, content, period, holders, known_at=closed_at)
    return {(one.component, one.holder.id, one.scope): _award_told(one, number) for one in book.awards(holders, used)}


def _award_told(one: Award, number: int) -> str:
    detail = orjson.loads(orjson.dumps({"reason": one.reason, **one.detail}))
    return _told(one.amount_minor, one.kind, one.measured, one.tier, detail, one.order_id, one.once_key, number)


def _told(
    amount_minor: int,
    kind: str,
    measured: int,
    tier: str | None,
    detail: Mapping[str, object],
    order_id: UUID | None,
    once_key: str | None,
    number: int,
) -> str:
    """Everything that an award says, for comparing and for reading."""
    numbers = ", ".join(f"{name} {detail[name]}" for name in sorted(detail))
    order = f", order {order_id}, once {once_key}" if order_id else ""
    return f"{amount_minor} ({kind} of {measured}, tier {tier}, {numbers}{order}, program {number})"
