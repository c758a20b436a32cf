"""What an exit comes to, and its steps (docs/rules.md §7)."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.errors import DomainError, WrongState
from saas.base.ids import DistributorId, new_id
from saas.exits.errors import ExitNotVoluntary
from saas.exits.rules import ExitKind, ExitState, ExitStep, Position, next_state, quote_of, terms_of
from tenants.program.document import ExitTerms
from tenants.program.presets import preset

HOLD = datetime(2026, 4, 1, tzinfo=UTC)
SPONSOR = DistributorId(new_id())
POSITION = Position(
    currency="CNY",
    sponsor_id=SPONSOR,
    direct_downline=2,
    team=5,
    open_orders=1,
    open_orders_minor=9900,
    pending_minor=3000,
    available_minor=500,
    settled_minor=20_000,
    in_payout_minor=10_000,
    payouts_in_flight=1,
    last_hold_until=HOLD,
    undelivered=0,
)
KEEP = ExitTerms(downline_to="sponsor", pending="keep")
FORFEIT = ExitTerms(downline_to="brand", pending="forfeit")
amounts = st.integers(-(10**9), 10**9)


def test_kept_commission_is_part_of_the_final_amount_and_of_its_date() -> None:
    quote = quote_of(POSITION, KEEP)
    assert (quote.final_minor, quote.forfeited_minor, quote.owed_minor) == (33_500, 0, 0)
    assert (quote.heir_id, quote.final_at) == (SPONSOR, HOLD)


def test_forfeited_commission_is_not() -> None:
    quote = quote_of(POSITION, FORFEIT)
    assert (quote.final_minor, quote.forfeited_minor) == (30_500, 3000)
    assert (quote.heir_id, quote.final_at) == (None, None)


def test_the_date_is_not_known_while_something_awaits_its_delivery() -> None:
    assert quote_of(replace(POSITION, undelivered=1), KEEP).final_at is None
    assert quote_of(replace(POSITION, undelivered=1), FORFEIT).undelivered == 0


def test_a_negative_balance_is_owed() -> None:
    quote = quote_of(replace(POSITION, available_minor=-30_000, in_payout_minor=0), FORFEIT)
    assert (quote.owed_minor, quote.final_minor) == (10_000, -10_000)


@given(st.integers(0, 10**9), amounts, amounts, st.integers(0, 10**9), st.sampled_from([KEEP, FORFEIT]))
def test_nothing_is_lost_between_what_is_there_and_what_is_quoted(
    pending: int, available: int, settled: int, in_payout: int, terms: ExitTerms
) -> None:
    position = replace(
        POSITION, pending_minor=pending, available_minor=available, settled_minor=settled, in_payout_minor=in_payout
    )
    quote = quote_of(position, terms)
    assert quote.final_minor + quote.forfeited_minor == pending + available + settled + in_payout
    assert quote.owed_minor >= 0


def test_the_terms_are_those_of_the_kind() -> None:
    lotus = preset("lotus")
    assert terms_of(lotus, ExitKind.VOLUNTARY) == lotus.exit.voluntary
    assert terms_of(lotus, ExitKind.BREACH) == lotus.exit.breach


ALLOWED = {
    (ExitState.QUOTED, ExitStep.APPROVE): ExitState.APPROVED,
    (ExitState.QUOTED, ExitStep.REJECT): ExitState.REJECTED,
    (ExitState.APPROVED, ExitStep.REJECT): ExitState.REJECTED,
    (ExitState.QUOTED, ExitStep.WITHDRAW): ExitState.WITHDRAWN,
    (ExitState.APPROVED, ExitStep.WITHDRAW): ExitState.WITHDRAWN,
    (ExitState.APPROVED, ExitStep.EXECUTE): ExitState.EXECUTED,
    (ExitState.EXECUTED, ExitStep.CLOSE): ExitState.CLOSED,
}


@pytest.mark.parametrize(("kind", "state", "step"), list(product(ExitKind, ExitState, ExitStep)))
def test_every_step_from_every_state(kind: ExitKind, state: ExitState, step: ExitStep) -> None:
    target = ALLOWED.get((state, step))
    if kind is ExitKind.BREACH and step is ExitStep.WITHDRAW:
        refusal: type[DomainError] = ExitNotVoluntary
    elif target is not None:
        assert next_state(kind, state, step) is target
        return
    else:
        refusal = WrongState
    with pytest.raises(refusal):
        next_state(kind, state, step)
