"""Double entry, decided without a database: accounts, kinds of movement, and what makes a posting sound.

A positive entry is a credit: in the favour of the account's owner. What a distributor is owed is positive on its own
accounts and negative on the brand's, so that every posting adds up to zero (docs/rules.md §5).
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from saas.base.ids import DistributorId
from saas.ledger.errors import UnsoundPosting

ReferenceKind: TypeAlias = Literal[
    "order", "settlement", "payout", "exit", "adjustment", "award", "return", "write_off"
]
"""What a movement is about; ``reference_id`` is the identifier of that thing."""


class Account(StrEnum):
    """Where money stands. The first five are kept per distributor, the others are the brand's own."""

    PENDING = "pending"
    AVAILABLE = "available"
    SETTLED = "settled"
    PAYOUT = "payout"
    DEBT = "debt"
    COMMISSION_EXPENSE = "commission_expense"
    CASH = "cash"
    FEE_INCOME = "fee_income"
    WITHHOLDING = "withholding"
    FORFEITED = "forfeited"
    STOCK = "stock"
    PENALTIES = "penalties"


DISTRIBUTOR_ACCOUNTS = frozenset({Account.PENDING, Account.AVAILABLE, Account.SETTLED, Account.PAYOUT, Account.DEBT})
"""Accounts with an owner and a balance of its own; a new account of a distributor is added here."""

NEVER_NEGATIVE = frozenset({Account.PENDING, Account.PAYOUT})
"""Accounts that no movement may leave below zero; the table's CHECK says the same."""


class Kind(StrEnum):
    """Why money moved."""

    ACCRUAL = "accrual"
    REBATE = "rebate"
    BONUS = "bonus"
    REVERSAL = "reversal"
    RELEASE = "release"
    SETTLEMENT = "settlement"
    PAYOUT_REQUEST = "payout_request"
    PAYOUT_CANCEL = "payout_cancel"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    FORFEIT = "forfeit"
    BUY_BACK = "buy_back"
    CLAWBACK = "clawback"
    WRITE_OFF = "write_off"
    ADJUSTMENT = "adjustment"
    PENALTY = "penalty"
    RECOVERY = "recovery"


EARNING_KINDS = (Kind.ACCRUAL, Kind.REBATE, Kind.BONUS)
"""Kinds that give a distributor something it did not have; each needs an order or a period behind it."""

AWARD_KINDS = (Kind.REBATE, Kind.BONUS)
"""Kinds that pay for a period, by the award behind them."""

REVERSING_KINDS = (Kind.REVERSAL, Kind.FORFEIT, Kind.CLAWBACK)
"""Kinds that take earnings back."""

DECIDED_KINDS = (Kind.ADJUSTMENT, Kind.PENALTY)
"""Kinds that give or take because two people said so; each is on a statement."""

PAYOUT_KINDS = (Kind.PAYOUT_REQUEST, Kind.PAYOUT_CANCEL, Kind.PAYOUT_FAILED)
"""Kinds that move the settled balance for the sake of a payout."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a movement. ``owner_id`` names the distributor of a distributor's account, else None."""

    account: Account
    owner_id: DistributorId | None
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A balanced movement with its reason. The key makes it happen once; all else is its content."""

    kind: Kind
    reference_kind: ReferenceKind
    reference_id: UUID
    idempotency_key: str
    effective_at: datetime
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What one kind of movement did to one account, all of it together."""

    account: Account
    kind: Kind
    currency: str
    amount_minor: int


def check_balanced(posting: Posting) -> None:
    """Refuse a posting that is empty, carries a zero, misplaces an owner, or does not add up to zero per currency.

    Raises ``UnsoundPosting``, a programming error: no input of a caller may get this far.
    """
    if not posting.entries:
        raise UnsoundPosting(posting.idempotency_key, "it has no entries")
    if posting.effective_at.tzinfo is None:
        raise UnsoundPosting(posting.idempotency_key, "effective_at has no time zone")
    sums: defaultdict[str, int] = defaultdict(int)
    for entry in posting.entries:
        if entry.amount_minor == 0:
            raise UnsoundPosting(posting.idempotency_key, f"an entry of {entry.account} is zero")
        if (entry.owner_id is None) == (entry.account in DISTRIBUTOR_ACCOUNTS):
            raise UnsoundPosting(posting.idempotency_key, f"an entry of {entry.account} has the wrong owner")
        sums[entry.currency] += entry.amount_minor
    for currency, total in sums.items():
        if total != 0:
            raise UnsoundPosting(posting.idempotency_key, f"its {currency} entries add up to {total}, not to 0")


def transfer(
    owner_id: DistributorId, source: Account, target: Account, amount_minor: int, currency: str
) -> list[Entry]:
    """The two entries that move a distributor's own money from one of its accounts to another."""
    return [Entry(source, owner_id, -amount_minor, currency), Entry(target, owner_id, amount_minor, currency)]
