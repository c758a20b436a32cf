"""What makes a posting sound, without a database."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.ids import DistributorId, new_id
from saas.ledger.errors import UnsoundPosting
from saas.ledger.rules import DISTRIBUTOR_ACCOUNTS, NEVER_NEGATIVE, Account, Entry, Kind, check_balanced, transfer
from tests.factories_money import accrual

ANN = DistributorId(new_id())
SOUND = accrual(new_id(), {ANN: 1000})


def test_a_sound_posting_passes() -> None:
    check_balanced(SOUND)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ((), "no entries"),
        ((Entry(Account.PENDING, ANN, 1, "CNY"), Entry(Account.CASH, None, -2, "CNY")), "add up to -1"),
        ((Entry(Account.PENDING, ANN, 1, "CNY"), Entry(Account.CASH, None, -1, "USD")), "add up to"),
        ((Entry(Account.PENDING, ANN, 0, "CNY"), Entry(Account.CASH, None, 0, "CNY")), "is zero"),
        ((Entry(Account.PENDING, None, 1, "CNY"), Entry(Account.CASH, None, -1, "CNY")), "wrong owner"),
        ((Entry(Account.PENDING, ANN, 1, "CNY"), Entry(Account.CASH, ANN, -1, "CNY")), "wrong owner"),
    ],
)
def test_an_unsound_posting_is_refused(entries: tuple[Entry, ...], why: str) -> None:
    with pytest.raises(UnsoundPosting, match=why):
        check_balanced(replace(SOUND, entries=entries))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(UnsoundPosting, match="time zone"):
        check_balanced(replace(SOUND, effective_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the very thing refused


@given(st.integers(1, 10**15), st.sampled_from(sorted(DISTRIBUTOR_ACCOUNTS)))
def test_a_transfer_always_balances(amount: int, source: Account) -> None:
    entries = tuple(transfer(ANN, source, Account.SETTLED, amount, "CNY"))
    check_balanced(replace(SOUND, kind=Kind.RELEASE, entries=entries))
    assert [entry.amount_minor for entry in entries] == [-amount, amount]


def test_only_distributor_accounts_are_guarded() -> None:
    assert NEVER_NEGATIVE < DISTRIBUTOR_ACCOUNTS
