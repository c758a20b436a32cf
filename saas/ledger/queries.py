"""Reading the ledger: balances now and at any moment, entries with the balance each one left, whole movements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.base.db import Row, reading
from saas.base.ids import DistributorId
from saas.base.paging import Int32, Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.ledger.rules import Account, Kind, Movement


@dataclass(frozen=True, slots=True)
class Balances:
    """What one distributor has, by account and currency, in minor units."""

    owner_id: DistributorId
    amounts: Mapping[tuple[Account, str], int]

    def of(self, account: Account, currency: str) -> int:
        """The amount of one account; 0 when nothing was ever booked there."""
        return self.amounts.get((account, currency), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries to read; None does not restrict. The period is half-open: ``[since, until)``."""

    account: Account | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """An entry with its reason, and the balance of its account and currency after it."""

    transaction_id: UUID
    entry_no: int
    kind: Kind
    reference_kind: str
    reference_id: UUID
    account: Account
    currency: str
    amount_minor: int
    balance_minor: int
    effective_at: datetime
    recorded_at: datetime


async def balances_of(owner_ids: Collection[DistributorId]) -> Mapping[DistributorId, Balances]:
    """The present balances of each distributor asked for, in one statement."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT owner_id, account, currency, amount_minor FROM balance "
            f"WHERE tenant_id = $1 AND owner_id {tx.within(2, 'uuid')} ORDER BY owner_id, account, currency",
            tx.tenant_id,
            list(owner_ids),
        )
    amounts: dict[DistributorId, dict[tuple[Account, str], int]] = {owner_id: {} for owner_id in owner_ids}
    for row in rows:
        amounts[row["owner_id"]][Account(row["account"]), row["currency"]] = row["amount_minor"]
    return {owner_id: Balances(owner_id, of_owner) for owner_id, of_owner in amounts.items()}


async def owners_with(account: Account, currency: str, least_minor: int) -> Sequence[DistributorId]:
    """Distributors whose balance of an account is at least that much."""
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT owner_id FROM balance WHERE tenant_id = $1 AND account = $2 AND currency = $3 "
            "AND amount_minor >= $4 ORDER BY owner_id",
            tx.tenant_id,
            account,
            currency,
            least_minor,
        )
    return [row["owner_id"] for row in rows]


async def balance_as_of(owner_id: DistributorId, moment: datetime) -> Balances:
    """The balances that everything effective up to and including ``moment`` adds up to."""
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT account, currency, CAST(sum(amount_minor) AS bigint) AS amount_minor FROM ledger_entry "
            "WHERE tenant_id = $1 AND owner_id = $2 AND effective_at <= $3 GROUP BY account, currency",
            tx.tenant_id,
            owner_id,
            moment,
        )
    return Balances(owner_id, {(Account(row["account"]), row["currency"]): row["amount_minor"] for row in rows})


async def movements_since(owner_id: DistributorId, moment: datetime) -> Sequence[Movement]:
    """What was booked to a distributor at ``moment`` or later, by account and kind."""
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT e.account, t.kind, e.currency, CAST(sum(e.amount_minor) AS bigint) AS amount_minor "
            "FROM ledger_entry e JOIN ledger_transaction t ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id "
            "WHERE e.tenant_id = $1 AND e.owner_id = $2 AND t.recorded_at >= $3 "
            "GROUP BY e.account, t.kind, e.currency ORDER BY e.currency, e.account, t.kind",
            tx.tenant_id,
            owner_id,
            moment,
        )
    return [
        Movement(
            account=Account(row["account"]),
            kind=Kind(row["kind"]),
            currency=row["currency"],
            amount_minor=row["amount_minor"],
        )
        for row in rows
    ]


async def entries_of(owner_id: DistributorId, wanted: EntryFilter, page: PageRequest) -> Page[EntryLine]:
    """A distributor's entries, latest first. The balance after each counts every entry, filtered out or not."""
    async with reading() as tx:
        args: list[object] = [tx.tenant_id, owner_id, page.first + 1]

        def bind(value: object) -> str:
            args.append(value)
            return f"${len(args)}"

        inner = f" AND account = {bind(wanted.account)}" if wanted.account else ""
        outer = ""
        if wanted.kind:
            outer += f" AND t.kind = {bind(wanted.kind)}"
        if wanted.since:
            outer += f" AND e.effective_at >= {bind(wanted.since)}"
        if wanted.until:
            outer += f" AND e.effective_at < {bind(wanted.until)}"
        if page.after:
            after = ", ".join(bind(key) for key in decode_cursor(page.after, datetime, UUID, Int32))
            outer += f" AND (e.effective_at, e.transaction_id, e.entry_no) < ({after})"
        rows = await tx.rows(
            f"SELECT e.transaction_id, e.entry_no, e.account, e.currency, e.amount_minor, e.effective_at, "
            f"e.balance_minor, t.kind, t.reference_kind, t.reference_id, t.recorded_at FROM ("
            f"SELECT tenant_id, transaction_id, entry_no, account, currency, amount_minor, effective_at, "
            f"CAST(sum(amount_minor) OVER (PARTITION BY account, currency "
            f"ORDER BY effective_at, transaction_id, entry_no) AS bigint) AS balance_minor "
            f"FROM ledger_entry WHERE tenant_id = $1 AND owner_id = $2{inner}) AS e "
            f"JOIN ledger_transaction t ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id "
            f"WHERE e.tenant_id = $1{outer} "
            f"ORDER BY e.effective_at DESC, e.transaction_id DESC, e.entry_no DESC LIMIT $3",
            *args,
        )
    lines = [_line(row) for row in rows]
    return page_of(lines, page, [encode_cursor(x.effective_at, x.transaction_id, x.entry_no) for x in lines])


def _line(row: Row) -> EntryLine:
    return EntryLine(
        transaction_id=row["transaction_id"],
        entry_no=row["entry_no"],
        kind=Kind(row["kind"]),
        reference_kind=row["reference_kind"],
        reference_id=row["reference_id"],
        account=Account(row["account"]),
        currency=row["currency"],
        amount_minor=row["amount_minor"],
        balance_minor=row["balance_minor"],
        effective_at=row["effective_at"],
        recorded_at=row["recorded_at"],
    )
