"""Who sold nothing for a while: distributors that the brand may propose for an exit (docs/rules.md §7)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from saas.base import clock
from saas.base.db import Tx, reading
from saas.base.db.where import Where
from saas.base.errors import InvalidInput, Said
from saas.base.ids import DistributorId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from tenants.program.calendar import start_of_day
from tenants.registry import this_brand

DAYS_MOST = 3_650


@dataclass(frozen=True, slots=True, kw_only=True)
class Inactive:
    """An active distributor without a sale of its own; ``last_sale_on`` is None when it never had one."""

    distributor_id: DistributorId
    joined_at: datetime
    last_sale_on: date | None


async def inactive_distributors(days: int, page: PageRequest) -> Page[Inactive]:
    """Active distributors that joined before the last ``days`` days and sold nothing in them, by age.

    A purchase for itself is a sale too. Who has an exit under way is left out. Raises ``InvalidInput``.
    """
    async with reading() as tx:
        where = await _inactive(tx, days)
        if page.after:
            where.add("d.id > $", decode_cursor(page.after, UUID)[0])
        found = await _rows(tx, where, f" LIMIT {page.first + 1}")
    return page_of(found, page, [encode_cursor(one.distributor_id) for one in found])


async def inactive_among(ids: Collection[DistributorId], days: int) -> frozenset[DistributorId]:
    """Those of the distributors that are on that list. Raises ``InvalidInput``."""
    async with reading() as tx:
        where = await _inactive(tx, days)
        where.within("d.id", list(ids), "uuid")
        return frozenset(one.distributor_id for one in await _rows(tx, where))


async def _inactive(tx: Tx, days: int) -> Where:
    if not 1 <= days <= DAYS_MOST:
        remedy = Said(f"give 1 to {DAYS_MOST} days", f"请填写 1 至 {DAYS_MOST} 天")
        raise InvalidInput("days", value=days, remedy=remedy)
    zone = (await this_brand()).time_zone
    since = clock.local_day(clock.now(), zone) - timedelta(days=days)
    where = Where(tx, "d")
    where.add("d.status = 'active' AND d.joined_at < $", start_of_day(since, zone))
    where.add(
        "NOT EXISTS (SELECT 1 FROM sales_day s WHERE s.tenant_id = d.tenant_id AND s.distributor_id = d.id "
        "AND s.orders > 0 AND s.day >= $)",
        since,
    )
    where.add(
        "NOT EXISTS (SELECT 1 FROM exit_case x WHERE x.tenant_id = d.tenant_id AND x.distributor_id = d.id "
        "AND x.status <> $ AND x.status <> 'rejected')",
        "withdrawn",
    )
    return where


async def _rows(tx: Tx, where: Where, limit: str = "") -> Sequence[Inactive]:
    rows = await tx.rows(
        f"SELECT d.id AS distributor_id, d.joined_at, (SELECT s.day FROM sales_day s WHERE s.tenant_id = d.tenant_id "
        f"AND s.distributor_id = d.id AND s.orders > 0 ORDER BY s.day DESC LIMIT 1) AS last_sale_on "
        f"FROM distributor d WHERE {where.sql} ORDER BY d.id{limit}",
        *where.args,
    )
    return [Inactive(**{**row, "last_sale_on": _day(row["last_sale_on"])}) for row in rows]


def _day(value: object) -> date | None:
    """A day that a subquery gave: SQLite answers text for it."""
    return date.fromisoformat(str(value)) if value is not None else None
