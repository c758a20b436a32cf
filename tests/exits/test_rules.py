"""What an exit comes to, and its steps (docs/rules.md §7)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.errors import DomainError, WrongState
from saas.base.ids import DistributorId, new_id
from saas.exits.errors import ExitNotVoluntary, StockNotBought, StockTwice
from saas.exits.rules import (
    ExitKind,
    ExitState,
    ExitStep,
    Gone,
    Position,
    dated,
    final_statement,
    months_before,
    next_state,
    quote_of,
    stock_of,
    terms_of,
)
from saas.ledger.rules import Account, Kind, Movement
from saas.orders.rules import Purchase
from saas.settlement.rules import SettlementPolicy
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
    awards_minor=200,
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
    if kind is not ExitKind.VOLUNTARY and step is ExitStep.WITHDRAW:
        refusal: type[DomainError] = ExitNotVoluntary
    elif target is not None:
        assert next_state(kind, state, step) is target
        return
    else:
        refusal = WrongState
    with pytest.raises(refusal):
        next_state(kind, state, step)


MONTHLY = SettlementPolicy(currency="CNY", time_zone="Asia/Shanghai", period="monthly", day=1, days_to_pay=3)
NOW = datetime(2026, 3, 20, 4, tzinfo=UTC)


def test_ninety_per_cent_of_what_was_paid_for_what_is_left() -> None:
    bought = [Purchase("A", 10, 100_000), Purchase("B", 3, 1_000), Purchase("A", 5, 60_000)]
    stock = stock_of(bought, [Gone("A", 12)], HOLD, 9000)
    assert [(x.sku, x.bought, x.gone, x.quantity, x.paid_minor, x.buy_back_minor) for x in stock.lines] == [
        ("A", 15, 12, 3, 36_000, 32_400),  # the oldest are gone: 3 of the 5 at 120.00
        ("B", 3, 0, 3, 1_000, 900),
    ]
    quote = quote_of(POSITION, KEEP, stock)
    assert (quote.buy_back_minor, quote.final_minor, quote.buy_back_bps) == (33_300, 66_800, 9000)
    assert (quote.stock, quote.stock_since, quote.awards_minor) == (stock.lines, HOLD, 200)


def test_7_the_quote_tells_payouts_under_way() -> None:
    quote = quote_of(POSITION, KEEP)
    assert (quote.in_payout_minor, quote.payouts_in_flight) == (10_000, 1)


@pytest.mark.parametrize(("paid", "given"), [(333, 300), (331, 298), (5, 5), (4, 4), (1, 1), (0, 0)])
def test_7_the_price_of_stock_is_rounded_half_up(paid: int, given: int) -> None:
    (line,) = stock_of([Purchase("A", 1, paid)], [], HOLD, 9000).lines
    assert line.buy_back_minor == given


@pytest.mark.parametrize(
    ("gone", "error", "field"),
    [
        ([Gone("A", 3)], StockNotBought, "input.gone[0].quantity"),
        ([Gone("A", -1)], StockNotBought, "input.gone[0].quantity"),
        ([Gone("A", 1), Gone("X", 1)], StockNotBought, "input.gone[1].quantity"),
        ([Gone("A", 1), Gone("A", 1)], StockTwice, "input.gone[1].sku"),
    ],
)
def test_nobody_declares_more_as_gone_than_was_bought(gone: list[Gone], error: type[DomainError], field: str) -> None:
    with pytest.raises(error) as caught:
        stock_of([Purchase("A", 2, 100)], gone, HOLD, 9000)
    assert caught.value.field == field


lots = st.lists(
    st.builds(Purchase, st.sampled_from("AB"), st.integers(1, 50), st.integers(0, 10**6)), min_size=1, max_size=8
)


@given(lots, st.data(), st.integers(1, 10_000))
def test_stock_is_worth_what_was_paid_less_what_is_gone(bought: list[Purchase], data: st.DataObject, bps: int) -> None:
    pieces = {sku: sum(x.quantity for x in bought if x.sku == sku) for sku in {x.sku for x in bought}}
    away = {sku: data.draw(st.integers(0, number)) for sku, number in pieces.items()}
    stock = stock_of(bought, [Gone(sku, number) for sku, number in away.items()], HOLD, bps)
    whole = stock_of(bought, [], HOLD, bps)
    assert {x.sku: (x.bought, x.gone, x.quantity) for x in stock.lines} == {
        sku: (pieces[sku], away[sku], pieces[sku] - away[sku]) for sku in pieces
    }
    for line, all_of_it in zip(stock.lines, whole.lines, strict=True):
        assert all_of_it.paid_minor == sum(x.amount_minor for x in bought if x.sku == line.sku)
        assert 0 <= line.paid_minor <= all_of_it.paid_minor
        assert 0 <= line.buy_back_minor <= line.paid_minor
        if line.quantity == 0:
            assert (line.paid_minor, line.buy_back_minor) == (0, 0)


@pytest.mark.parametrize(
    ("now", "months", "day"),
    [
        (NOW, 12, "2025-03-20"),
        (datetime(2026, 3, 31, 4, tzinfo=UTC), 1, "2026-02-28"),
        (datetime(2024, 3, 30, 4, tzinfo=UTC), 1, "2024-02-29"),
        (datetime(2026, 1, 1, 4, tzinfo=UTC), 1, "2025-12-01"),
        (datetime(2025, 12, 31, 17, tzinfo=UTC), 12, "2025-01-01"),  # the new year has begun in Shanghai
    ],
)
def test_months_are_those_of_the_brands_calendar(now: datetime, months: int, day: str) -> None:
    start = months_before(now, months, "Asia/Shanghai")
    assert start == datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) - timedelta(hours=8)


def test_the_day_of_the_final_amount() -> None:
    held = quote_of(replace(POSITION, last_hold_until=datetime(2026, 4, 1, tzinfo=UTC)), KEEP)
    assert dated(held, MONTHLY, NOW).payable_on == date(2026, 5, 6)  # April ends on Friday the first of May, and 3 days
    available = quote_of(replace(POSITION, pending_minor=0, last_hold_until=None), KEEP)
    assert dated(available, MONTHLY, NOW).payable_on == date(2026, 4, 6)
    settled = quote_of(replace(POSITION, available_minor=0), FORFEIT)
    assert dated(settled, MONTHLY, NOW).payable_on == date(2026, 3, 25)
    nothing = quote_of(replace(POSITION, available_minor=0, settled_minor=0, in_payout_minor=0), FORFEIT)
    assert dated(nothing, MONTHLY, NOW).payable_on is None
    assert dated(quote_of(replace(POSITION, undelivered=1), KEEP), MONTHLY, NOW).payable_on is None


def test_a_final_statement_begins_with_what_left_the_accounts_since() -> None:
    def moved(account: Account, kind: Kind, amount: int) -> Movement:
        return Movement(account=account, kind=kind, currency="CNY", amount_minor=amount)

    final = final_statement(
        [
            moved(Account.PENDING, Kind.RELEASE, -500),
            moved(Account.AVAILABLE, Kind.RELEASE, 500),
            moved(Account.AVAILABLE, Kind.SETTLEMENT, -700),
            moved(Account.SETTLED, Kind.SETTLEMENT, 700),
            moved(Account.SETTLED, Kind.BUY_BACK, 300),
            moved(Account.SETTLED, Kind.PAYOUT_REQUEST, -1_000),
        ],
        NOW,
        HOLD,
    )
    assert [(x.account, x.amount_minor) for x in final.openings] == [(Account.AVAILABLE, 200), (Account.PENDING, 500)]
