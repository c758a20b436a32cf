"""The ledger beside the statements, returns and payouts, distributor by distributor (docs/rules.md §5, §6).

It reads the tables of other features on purpose, and trusts no code of theirs: what they compare are the entries of the
ledger with the rows that made them. The moment of each is that of its movement in the ledger, so that a span of time
cuts both books at the same place.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from saas.base import clock
from saas.base.db import Row, Tx, reading
from saas.base.documents import MEDIA_TYPES, Cell, Document, Download, Form, Table, as_csv
from saas.base.ids import DistributorId, SettlementId
from saas.base.money import Money
from saas.base.paging import PAGE_MAX, Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.network.queries import find
from saas.reconciliation.rules import WHAT, Difference, Reconciled
from saas.settlement.queries import settlement_by_id
from tenants.registry import this_brand

_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """After ``since``, up to and including ``until``."""

    since: datetime
    until: datetime


async def span_of(settlement_id: SettlementId | None, since: datetime | None, until: datetime | None) -> Span:
    """The span of a settlement, from the closing before to its own; of ``[since, until)``; or of all time until now.

    Raises ``NotFound``.
    """
    if settlement_id is None:
        end = clock.now() if until is None else until - timedelta.resolution
        return Span(_BEGINNING if since is None else since - timedelta.resolution, end)
    async with reading() as tx:
        closed = await settlement_by_id(settlement_id)
        before = await tx.row(
            "SELECT closed_at FROM settlement WHERE tenant_id = $1 AND currency = $2 AND period_until <= $3 "
            "ORDER BY period_until DESC LIMIT 1",
            tx.tenant_id,
            closed.currency,
            closed.period.since,
        )
    return Span(_BEGINNING if before is None else before["closed_at"], closed.closed_at)


_LEDGER = """
SELECT e.owner_id, 'ledger' AS book, CASE t.kind WHEN 'settlement' THEN 'earned' WHEN 'adjustment' THEN 'adjustments'
    WHEN 'penalty' THEN 'penalties' WHEN 'clawback' THEN 'clawed_back' WHEN 'write_off' THEN 'written_off'
    WHEN 'buy_back' THEN 'bought_back' WHEN 'payout_paid' THEN 'paid' ELSE 'unknown' END AS what, '' AS detail,
    t.recorded_at AS at, e.amount_minor
FROM ledger_entry e JOIN ledger_transaction t ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id
WHERE e.tenant_id = $1 AND e.currency = $2 AND e.account IN ('settled', 'debt', 'payout') AND {owner}
"""
"""What only moves between those three accounts comes to nothing together, and is among what is unknown."""


def _moved(kind: str, reference: str) -> str:
    """SQL of the movement that a row made in the ledger, as ``t``."""
    return f"LEFT JOIN ledger_transaction t ON t.tenant_id = $1 AND t.kind = '{kind}' AND t.reference_id = {reference}"


_ELSEWHERE = (
    "SELECT s.distributor_id AS owner_id, 'elsewhere' AS book, 'earned' AS what, 'commission' AS detail, "
    "s.created_at AS at, s.commission_minor AS amount_minor FROM statement s "
    "WHERE s.tenant_id = $1 AND s.currency = $2 AND {owner}",
    "SELECT s.distributor_id AS owner_id, 'elsewhere', 'earned', 'awards', s.created_at, s.awards_minor "
    "FROM statement s WHERE s.tenant_id = $1 AND s.currency = $2 AND {owner}",
    "SELECT s.distributor_id AS owner_id, 'elsewhere', 'adjustments', '', s.created_at, s.adjusted_minor "
    "FROM statement s WHERE s.tenant_id = $1 AND s.currency = $2 AND {owner}",
    "SELECT s.distributor_id AS owner_id, 'elsewhere', 'penalties', '', s.created_at, s.penalties_minor "
    "FROM statement s WHERE s.tenant_id = $1 AND s.currency = $2 AND {owner}",
    f"SELECT v.beneficiary_id AS owner_id, 'elsewhere', 'clawed_back', '', coalesce(t.recorded_at, v.reversed_at), "
    f"-v.amount_minor FROM commission_reversal v {_moved('clawback', 'v.return_id')} "
    f"WHERE v.tenant_id = $1 AND v.currency = $2 AND v.account = 'settled' AND {{owner}}",
    f"SELECT v.beneficiary_id AS owner_id, 'elsewhere', 'clawed_back', '', coalesce(t.recorded_at, v.evened_at), "
    f"-v.amount_minor FROM commission_evening v {_moved('clawback', 'v.order_id')} "
    f"WHERE v.tenant_id = $1 AND v.currency = $2 AND v.account = 'settled' AND {{owner}}",
    f"SELECT w.distributor_id AS owner_id, 'elsewhere', 'written_off', '', coalesce(t.recorded_at, w.decided_at), "
    f"w.amount_minor FROM write_off w {_moved('write_off', 'w.id')} "
    f"WHERE w.tenant_id = $1 AND w.currency = $2 AND w.status = 'approved' AND {{owner}}",
    f"SELECT x.distributor_id AS owner_id, 'elsewhere', 'bought_back', '', coalesce(t.recorded_at, x.executed_at), "
    f"CAST(coalesce(x.quote ->> 'buy_back_minor', '0') AS bigint) FROM exit_case x {_moved('buy_back', 'x.id')} "
    f"WHERE x.tenant_id = $1 AND x.quote ->> 'currency' = $2 AND x.executed_at IS NOT NULL AND {{owner}}",
    *(
        f"SELECT p.distributor_id AS owner_id, 'elsewhere', 'paid', '{detail}', "
        f"coalesce(t.recorded_at, p.finished_at), -p.{column} FROM payout p {_moved('payout_paid', 'p.id')} "
        f"WHERE p.tenant_id = $1 AND p.currency = $2 AND p.status = 'paid' AND {{owner}}"
        for detail, column in (("net", "net_minor"), ("fees", "fee_minor"), ("withheld", "withheld_minor"))
    ),
)
_OWNERS = (
    ("s.distributor_id",) * 4
    + ("v.beneficiary_id",) * 2
    + ("w.distributor_id", "x.distributor_id")
    + ("p.distributor_id",) * 3
)


def _books(tx: Tx, number: int | None) -> str:
    """SQL of both books, line by line; of the owners in the list ``$number``, or of everybody."""

    def of(column: str) -> str:
        return "true" if number is None else f"{column} {tx.within(number, 'uuid')}"

    ledger = _LEDGER.format(owner=of("e.owner_id"))
    rest = [part.format(owner=of(column)) for part, column in zip(_ELSEWHERE, _OWNERS, strict=True)]
    return " UNION ALL ".join([ledger, *rest])


def _sums(books: str, group: str) -> str:
    return (
        f"SELECT {group}what, detail, book, "
        f"CAST(sum(CASE WHEN at <= $3 THEN amount_minor ELSE 0 END) AS bigint) AS before_minor, "
        f"CAST(sum(CASE WHEN at > $3 THEN amount_minor ELSE 0 END) AS bigint) AS amount_minor "
        f"FROM ({books}) AS books WHERE at <= $4 GROUP BY {group}what, detail, book"
    )


async def reconcile(span: Span, page: PageRequest) -> Page[Reconciled]:
    """Both books of a page of distributors, by their ids: everybody who ever had anything settled."""
    async with reading() as tx:
        currency = (await this_brand()).currency
        after = decode_cursor(page.after, UUID)[0] if page.after else UUID(int=0)
        owners = await tx.rows(
            "SELECT DISTINCT owner_id FROM balance WHERE tenant_id = $1 AND currency = $2 "
            "AND account IN ('settled', 'debt', 'payout') AND owner_id > $3 ORDER BY owner_id "
            f"LIMIT {page.first + 1}",
            tx.tenant_id,
            currency,
            after,
        )
        ids = [DistributorId(row["owner_id"]) for row in owners]
        rows = await tx.rows(
            _sums(_books(tx, 5), "owner_id, "), tx.tenant_id, currency, span.since, span.until, list(ids)
        )
    by_owner: defaultdict[DistributorId, list[Row]] = defaultdict(list)
    for row in rows:
        by_owner[_owner(row)].append(row)
    found = [_reconciled(id_, by_owner[id_]) for id_ in ids]
    return page_of(found, page, [encode_cursor(id_) for id_ in ids])


async def totals(span: Span) -> Reconciled:
    """Both books of everybody together."""
    async with reading() as tx:
        currency = (await this_brand()).currency
        rows = await tx.rows(_sums(_books(tx, None), ""), tx.tenant_id, currency, span.since, span.until)
    return _reconciled(None, rows)


async def differing(span: Span) -> Sequence[DistributorId]:
    """Distributors of whom the books say different things, at most a hundred; there must be none."""
    async with reading() as tx:
        currency = (await this_brand()).currency
        signed = "CASE book WHEN 'ledger' THEN amount_minor ELSE -amount_minor END"
        rows = await tx.rows(
            f"SELECT DISTINCT owner_id FROM (SELECT owner_id, what FROM ({_books(tx, None)}) AS books WHERE at <= $3 "
            f"GROUP BY owner_id, what HAVING sum({signed}) <> 0) AS d ORDER BY owner_id LIMIT 100",
            tx.tenant_id,
            currency,
            span.until,
        )
    return [_owner(row) for row in rows]


def _owner(row: Row) -> DistributorId:
    """SQLite answers text for a column of several statements put together."""
    return DistributorId(UUID(str(row["owner_id"])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Both books in a span: everybody together, and of whom they say different things."""

    currency: str
    totals: Reconciled
    differing: Sequence[DistributorId]

    @property
    def agrees(self) -> bool:
        """Whether they say the same of everybody."""
        return not self.differing and not self.totals.differences


async def compared(span: Span) -> Compared:
    """Both books as a whole, seen at one moment."""
    async with reading():
        currency = (await this_brand()).currency
        return Compared(currency=currency, totals=await totals(span), differing=await differing(span))


async def reconciliation_csv(span: Span) -> Download:
    """Everybody's line as CSV, with what differs in words."""
    head = [*(name for name in _COLUMNS if name != "distributor_id"), "difference"]
    rows: list[list[Cell]] = []
    async with reading():
        brand = await this_brand()
        after = None
        while True:
            page = await reconcile(span, PageRequest(PAGE_MAX, after))
            people = await find([one.distributor_id for one in page.items if one.distributor_id])
            for one in page.items:
                if one.distributor_id is not None:
                    who = people[one.distributor_id]
                    rows.append([who.code, who.name, *_line(one, brand.currency)])
            if not page.has_next:
                break
            after = page.cursors[-1]
    document = Document(
        title="Reconciliation",
        subject=brand.name,
        facts=[("after", span.since.isoformat()), ("until", span.until.isoformat()), ("currency", brand.currency)],
        tables=[Table(title="distributors", head=["code", "name", *head], widths=[10] * (len(head) + 2), rows=rows)],
    )
    name = f"reconciliation-{span.until:%Y%m%d}-{brand.currency}.csv"
    return Download(file_name=name, media_type=MEDIA_TYPES[Form.CSV], content=as_csv(document))


_COLUMNS = tuple(name for name in Reconciled.__dataclass_fields__ if name not in {"distributor_id", "differences"})


def _line(one: Reconciled, currency: str) -> list[Cell]:
    said = "; ".join(f"{d.what}: {d.ledger_minor} / {d.elsewhere_minor}" for d in one.differences)
    return [*(Money(getattr(one, name), currency) for name in _COLUMNS), said]


def _reconciled(distributor_id: DistributorId | None, rows: Iterable[Row]) -> Reconciled:
    """Both books of one distributor, compared part by part."""
    now: defaultdict[tuple[str, str], int] = defaultdict(int)
    before: defaultdict[str, int] = defaultdict(int)
    details: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        now[row["book"], row["what"]] += row["amount_minor"]
        before[row["book"]] += row["before_minor"]
        details[row["detail"]] += row["amount_minor"]
    moved = {book: sum(now[book, what] for what in WHAT) for book in ("ledger", "elsewhere")}
    return Reconciled(
        distributor_id=distributor_id,
        opening_minor=before["ledger"],
        commission_minor=details["commission"],
        awards_minor=details["awards"],
        adjustments_minor=now["ledger", "adjustments"],
        penalties_minor=now["ledger", "penalties"],
        clawed_back_minor=now["ledger", "clawed_back"],
        written_off_minor=now["ledger", "written_off"],
        bought_back_minor=now["ledger", "bought_back"],
        paid_minor=details["net"],
        fees_minor=details["fees"],
        withheld_minor=details["withheld"],
        closing_minor=before["ledger"] + moved["ledger"],
        elsewhere_minor=before["elsewhere"] + moved["elsewhere"],
        differences=_differences(now, before),
    )


def _differences(now: Mapping[tuple[str, str], int], before: Mapping[str, int]) -> list[Difference]:
    pairs = [("opening", before["ledger"], before["elsewhere"])]
    pairs += [(what, now["ledger", what], now["elsewhere", what]) for what in WHAT]
    return [
        Difference(what=what, ledger_minor=ledger, elsewhere_minor=elsewhere)
        for what, ledger, elsewhere in pairs
        if ledger != elsewhere
    ]
