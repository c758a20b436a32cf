"""What has a certain amount: from a figure on a bank statement to the things in the books it may be (docs/rules.md §5).

Only the amount is known, and about when. What became of one that is found is told by its trail. The days bound the
search, so that it costs what they hold, and no index on amounts has to be kept while money moves.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from saas.base import clock
from saas.base.db import Row, as_time, reading
from saas.base.errors import InvalidInput, Said
from saas.base.ids import DistributorId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.ledger.rules import DISTRIBUTOR_ACCOUNTS, Account, Kind
from saas.reconciliation.rules import SEARCH_DAYS_MOST, days_to_search
from tenants.program.calendar import start_of_day
from tenants.registry import this_brand


class FoundKind(StrEnum):
    """What has the amount."""

    PAYOUT = "PAYOUT"
    BATCH = "BATCH"
    STATEMENT = "STATEMENT"
    ORDER = "ORDER"
    RETURN = "RETURN"
    ADJUSTMENT = "ADJUSTMENT"
    PENALTY = "PENALTY"
    WRITE_OFF = "WRITE_OFF"
    MOVEMENT = "MOVEMENT"


class FoundPart(StrEnum):
    """Which amount of it; the first that fits, where several do."""

    NET = "NET"
    REQUESTED = "REQUESTED"
    WITHHELD = "WITHHELD"
    FEE = "FEE"
    PAID = "PAID"
    CLOSING = "CLOSING"
    COMMISSION = "COMMISSION"
    AWARDS = "AWARDS"
    ADJUSTMENTS = "ADJUSTMENTS"
    PENALTIES = "PENALTIES"
    TOTAL = "TOTAL"
    GOODS = "GOODS"
    REFUND = "REFUND"
    AMOUNT = "AMOUNT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """An amount in minor units of the brand's currency, in whosever favour, and days ``[since, until)`` of the brand's.

    Without a distributor movements in the ledger are those of the brand's own accounts, such as cash; with one they are
    those of its accounts, and all else is its own too. ``kinds`` of None are all.
    """

    amount_minor: int
    since: date | None = None
    until: date | None = None
    distributor_id: DistributorId | None = None
    kinds: Collection[FoundKind] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A thing with the amount: when it came about, whose it is, and the number people know it by.

    The number of a payout is that of its batch, of a return that of its order, of an adjustment or a penalty
    its reference. ``movement`` tells why money moved, of movements; all else has a ``status`` except statements.
    """

    kind: FoundKind
    id: UUID
    part: FoundPart
    amount_minor: int
    currency: str
    at: datetime
    distributor_id: DistributorId | None
    number: str | None
    status: str | None
    movement: Kind | None


async def find_amount(wanted: Search, page: PageRequest) -> Page[Found]:
    """Everything that has the amount, the latest first. Raises ``InvalidInput``."""
    if wanted.amount_minor <= 0:
        remedy = Said("give an amount above zero, in minor units", "请填写大于零的金额，以最小货币单位计")
        raise InvalidInput("amountMinor", value=wanted.amount_minor, remedy=remedy)
    async with reading() as tx:
        brand = await this_brand()
        since, until = _days(wanted, clock.local_day(clock.now(), brand.time_zone))
        bounds = (start_of_day(since, brand.time_zone), start_of_day(until, brand.time_zone))
        args: list[object] = [tx.tenant_id, wanted.amount_minor, brand.currency, *bounds]
        if of_one := wanted.distributor_id is not None:
            args.append(wanted.distributor_id)
        wishes = [kind for kind in _SOURCES if wanted.kinds is None or kind in wanted.kinds]
        parts = [source.of(kind, of_one=of_one) for kind in wishes for source in _SOURCES[kind]]
        after = ""
        if page.after:
            args += decode_cursor(page.after, datetime, UUID, str)
            after = f" WHERE (at, id, part) < (${len(args) - 2}, ${len(args) - 1}, ${len(args)})"
        everything = f"SELECT * FROM ({' UNION '.join(parts)}) AS found{after}"
        order = f" ORDER BY at DESC, id DESC, part DESC LIMIT {page.first + 1}"
        rows = await tx.rows(everything + order, *args) if parts else []
    found = [_found(row, wanted.amount_minor, brand.currency) for row in rows]
    return page_of(found, page, [encode_cursor(one.at, one.id, one.part) for one in found])


def _days(wanted: Search, today: date) -> tuple[date, date]:
    days = days_to_search(wanted.since, wanted.until, today)
    if days is None:
        most = SEARCH_DAYS_MOST
        remedy = Said(f"ask for 1 to {most} days that end before until", f"请查询 until 之前的 1 至 {most} 天")
        raise InvalidInput("since", value=wanted.since, remedy=remedy)
    return days


def _found(row: Row, amount_minor: int, currency: str) -> Found:
    """SQLite answers text for ids and moments where statements are put together."""
    kind, owner = FoundKind(row["kind"]), row["distributor_id"]
    moved = kind is FoundKind.MOVEMENT
    known = {
        "kind": kind,
        "id": UUID(str(row["id"])),
        "part": FoundPart(row["part"]),
        "at": as_time(row["at"]),
        "distributor_id": None if owner is None else UUID(str(owner)),
        "status": None if moved else row["status"],
        "movement": Kind(row["status"]) if moved else None,
    }
    return Found(**{**row, **known}, amount_minor=amount_minor, currency=currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """SQL of where things are found: the amounts by the name of the part, the moment, and what is told of each.

    ``main`` is the alias of the table that carries tenant and currency. ``only`` is a further condition, ``one`` and
    ``all`` are those of a search for one distributor and of one for the whole brand.
    """

    tables: str
    main: str
    parts: Mapping[FoundPart, str]
    at: str
    id: str
    owner: str
    number: str
    status: str
    only: str = "true"
    one: str = "true"
    all: str = "true"

    def of(self, kind: FoundKind, *, of_one: bool) -> str:
        """The statement. ``$1`` is the tenant, then come the amount, the currency, two moments, the distributor."""
        named = " ".join(f"WHEN {sql} = $2 THEN '{part}'" for part, sql in self.parts.items())
        whose = f"{self.owner} = $6 AND {self.one}" if of_one else self.all
        return (
            f"SELECT '{kind}' AS kind, {self.id} AS id, CASE {named} END AS part, {self.at} AS at, "
            f"{self.owner} AS distributor_id, {self.number} AS number, {self.status} AS status FROM {self.tables} "
            f"WHERE {self.main}.tenant_id = $1 AND $2 IN ({', '.join(self.parts.values())}) "
            f"AND {self.main}.currency = $3 AND {self.at} >= $4 AND {self.at} < $5 AND {self.only} AND {whose}"
        )


def _of_accounts(names: Collection[Account]) -> str:
    return "e.account IN (" + ", ".join(f"'{name}'" for name in sorted(names)) + ")"


_PAID_ORDER = _Source(
    tables="sales_order o",
    main="o",
    parts={FoundPart.TOTAL: "o.goods_minor + o.freight_minor + o.tax_minor", FoundPart.GOODS: "o.goods_minor"},
    at="o.paid_at",
    id="o.id",
    owner="o.seller_id",
    number="o.number",
    status="o.status",
)
_DECIDED = _Source(
    tables="adjustment a",
    main="a",
    parts={FoundPart.AMOUNT: "abs(a.amount_minor)"},
    at="a.requested_at",
    id="a.id",
    owner="a.distributor_id",
    number="a.reference",
    status="a.status",
    only="a.kind = 'adjustment'",
)
_SOURCES: Mapping[FoundKind, Sequence[_Source]] = {
    FoundKind.PAYOUT: [
        _Source(
            tables="payout p LEFT JOIN payout_batch b ON b.tenant_id = p.tenant_id AND b.id = p.batch_id",
            main="p",
            parts={
                FoundPart.NET: "p.net_minor",
                FoundPart.REQUESTED: "p.requested_minor",
                FoundPart.WITHHELD: "p.withheld_minor",
                FoundPart.FEE: "p.fee_minor",
            },
            at="coalesce(p.finished_at, p.attempted_at, p.requested_at)",
            id="p.id",
            owner="p.distributor_id",
            number="b.number",
            status="p.status",
        )
    ],
    # A bank may book all of a file in one line, with what failed or without.
    FoundKind.BATCH: [
        _Source(
            tables="(SELECT b.tenant_id, b.id, b.currency, b.number, b.status, coalesce(b.submitted_at, b.created_at) "
            "AS at, CAST(sum(p.net_minor) AS bigint) AS net_minor, "
            "CAST(sum(CASE WHEN p.status = 'paid' THEN p.net_minor ELSE 0 END) AS bigint) AS paid_minor "
            "FROM payout_batch b JOIN payout p ON p.tenant_id = b.tenant_id AND p.batch_id = b.id "
            "WHERE b.tenant_id = $1 GROUP BY b.tenant_id, b.id, b.currency, b.number, b.status, "
            "coalesce(b.submitted_at, b.created_at)) AS b",
            main="b",
            parts={FoundPart.NET: "b.net_minor", FoundPart.PAID: "b.paid_minor"},
            at="b.at",
            id="b.id",
            owner="CAST(NULL AS uuid)",
            number="b.number",
            status="b.status",
        )
    ],
    FoundKind.STATEMENT: [
        _Source(
            tables="statement s JOIN settlement t ON t.tenant_id = s.tenant_id AND t.id = s.settlement_id",
            main="s",
            parts={
                FoundPart.CLOSING: "abs(s.closing_minor)",
                FoundPart.COMMISSION: "s.commission_minor",
                FoundPart.AWARDS: "s.awards_minor",
                FoundPart.ADJUSTMENTS: "abs(s.adjusted_minor)",
                FoundPart.PENALTIES: "abs(s.penalties_minor)",
            },
            at="t.closed_at",
            id="s.id",
            owner="s.distributor_id",
            number="s.number",
            status="NULL",
        )
    ],
    FoundKind.ORDER: [_PAID_ORDER, replace(_PAID_ORDER, at="o.placed_at", only="o.paid_at IS NULL")],
    FoundKind.RETURN: [
        _Source(
            tables="return_case r JOIN sales_order o ON o.tenant_id = r.tenant_id AND o.id = r.order_id",
            main="o",
            parts={FoundPart.REFUND: "r.refunded_minor", FoundPart.GOODS: "r.goods_minor"},
            at="coalesce(r.refunded_at, r.received_at)",
            id="r.id",
            owner="r.seller_id",
            number="o.number",
            status="r.status",
            only="r.tenant_id = $1 AND r.received_at IS NOT NULL",
        )
    ],
    FoundKind.ADJUSTMENT: [_DECIDED],
    FoundKind.PENALTY: [replace(_DECIDED, only="a.kind = 'penalty'")],
    FoundKind.WRITE_OFF: [
        _Source(
            tables="write_off w",
            main="w",
            parts={FoundPart.AMOUNT: "w.amount_minor"},
            at="coalesce(w.decided_at, w.requested_at)",
            id="w.id",
            owner="w.distributor_id",
            number="NULL",
            status="w.status",
        )
    ],
    # The brand's own accounts, and those of one distributor, are read by their days; everybody's are not.
    FoundKind.MOVEMENT: [
        _Source(
            tables="ledger_entry e JOIN ledger_transaction t ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id",
            main="e",
            parts={FoundPart.AMOUNT: "abs(e.amount_minor)"},
            at="e.effective_at",
            id="t.id",
            owner="e.owner_id",
            number="NULL",
            status="t.kind",
            one=_of_accounts(DISTRIBUTOR_ACCOUNTS),
            all=f"e.owner_id IS NULL AND {_of_accounts(set(Account) - DISTRIBUTOR_ACCOUNTS)}",
        )
    ],
}
