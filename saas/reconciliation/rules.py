"""Which credit a debit is taken from, and what two books say of the same money, decided without a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from saas.base.ids import DistributorId


class Part(NamedTuple):
    """So much of a credit was taken by a debit; both by their place in their list."""

    credit: int
    debit: int
    amount_minor: int


def first_in_first_out(given: Sequence[int], taken: Sequence[int]) -> list[Part]:
    """Let each debit take from the oldest credits given that are left, in the order they are given.

    A debit that came before the credits that pay for it waits for them, as a debt does. What later happens never
    changes an earlier part. Amounts are in minor units, none below zero.
    """
    parts: list[Part] = []
    at, left = 0, given[0] if given else 0
    for number, debit in enumerate(taken):
        wanted = debit
        while wanted and at < len(given):
            part = min(wanted, left)
            if part:
                parts.append(Part(at, number, part))
            wanted, left = wanted - part, left - part
            if not left:
                at += 1
                left = given[at] if at < len(given) else 0
    return parts


SEARCH_DAYS = 92
"""Days that are searched for an amount unless others are asked for: a quarter."""
SEARCH_DAYS_MOST = 366


def days_to_search(since: date | None, until: date | None, today: date) -> tuple[date, date] | None:
    """The days ``[since, until)`` to search for an amount: what is not given ends today, and is ``SEARCH_DAYS`` long.

    None when they are none, or more than ``SEARCH_DAYS_MOST``.
    """
    end = today + timedelta(days=1) if until is None else until
    start = end - timedelta(days=SEARCH_DAYS) if since is None else since
    return (start, end) if start < end <= start + timedelta(days=SEARCH_DAYS_MOST) else None


WHAT = ("earned", "adjustments", "penalties", "clawed_back", "written_off", "bought_back", "paid", "unknown")
"""What moves the money between a brand and a distributor once it is settled; the last is anything nobody expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where the ledger and the other books part. ``what`` is one of ``WHAT``, or the opening."""

    what: str
    ledger_minor: int
    elsewhere_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """One distributor, or all together (None), in a span of time. Amounts in minor units, in its favour when positive.

    The position is what stands on the settled, the debt and the payout account together. ``earned_minor`` is the sum of
    ``commission_minor`` and ``awards_minor``; what left is the sum of ``paid_minor``, ``fees_minor`` and
    ``withheld_minor``, all negative.
    """

    distributor_id: DistributorId | None
    opening_minor: int
    commission_minor: int
    awards_minor: int
    adjustments_minor: int
    penalties_minor: int
    clawed_back_minor: int
    written_off_minor: int
    bought_back_minor: int
    paid_minor: int
    fees_minor: int
    withheld_minor: int
    closing_minor: int
    elsewhere_minor: int
    differences: Sequence[Difference]
