"""What has an amount: every kind of thing once, its parts by name, in its days, and nothing of another brand."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import InvalidInput
from saas.base.ids import DistributorId, ReturnId
from saas.base.paging import PageRequest
from saas.ledger.rules import Kind
from saas.orders.commands import place_order
from saas.payouts.commands import record_result
from saas.payouts.queries import PayoutFilter, payouts
from saas.payouts.rules import Outcome
from saas.reconciliation.rules import SEARCH_DAYS, SEARCH_DAYS_MOST, days_to_search
from saas.reconciliation.search import Found, FoundKind, FoundPart, Search, find_amount
from saas.reconciliation.trail import trail
from saas.returns.commands import RefundReturn, refund_return
from saas.returns.write_offs import RequestWriteOff, request_write_off
from saas.settlement.adjustments import request_adjustments
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import NOON, order, two_shops
from tests.payouts.people import MAKER, ask, give_card, result, sent_batch
from tests.returns.test_money import _owes
from tests.returns.world import APRIL, delivered, finance
from tests.settlement.test_adjustments import asked, line

MAY = APRIL + timedelta(days=30)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


FIRST, LAST = date(2026, 3, 1), date(2026, 5, 1)


async def found(amount: int, *, since: date = FIRST, until: date = LAST, **rest: Any) -> list[Found]:
    """Everything with the amount, page by page of two."""
    wanted = Search(amount_minor=amount, since=since, until=until, **rest)
    all_: list[Found] = []
    after = None
    while True:
        page = await find_amount(wanted, PageRequest(2, after))
        all_ += page.items
        if not page.has_next:
            return all_
        after = page.cursors[-1]


def said(items: Sequence[Found]) -> list[tuple[str, str]]:
    return sorted((one.kind, one.part) for one in items)


@given(days, st.one_of(st.none(), days), st.one_of(st.none(), days))
def test_days_end_today_and_are_no_more_than_a_year(today: date, since: date | None, until: date | None) -> None:
    end = until or today + timedelta(days=1)
    start = since or end - timedelta(days=SEARCH_DAYS)
    within = 1 <= (end - start).days <= SEARCH_DAYS_MOST
    assert days_to_search(since, until, today) == ((start, end) if within else None)


def test_a_quarter_until_today_is_searched_by_default_and_a_leap_year_at_most() -> None:
    assert days_to_search(None, None, date(2026, 4, 1)) == (date(2025, 12, 31), date(2026, 4, 2))
    assert days_to_search(date(2024, 1, 1), date(2025, 1, 1), date(2026, 1, 1)) is not None
    assert days_to_search(date(2024, 1, 1), date(2025, 1, 2), date(2026, 1, 1)) is None
    assert days_to_search(date(2024, 1, 1), date(2024, 1, 1), date(2026, 1, 1)) is None


async def _month(lotus: dict[str, DistributorId]) -> None:
    """D sold for 1,000.00 and was paid its 100.00 less a fee of 0.60; the payout of B failed; the goods came back."""
    await delivered(lotus["B"], 200_000)
    await _owes(lotus)
    with clock.at(APRIL + timedelta(days=1)):
        await give_card(lotus["B"])
        await ask(lotus["B"])
        batch = await sent_batch()
        sent = (await payouts(PayoutFilter(batch_id=batch), PageRequest())).items
        assert sorted(one.amounts.net_minor for one in sent) == [9_940, 15_880]
    with clock.at(APRIL + timedelta(days=2)):
        for one in sent:
            paid = one.distributor_id == lotus["D"]
            await record_result(result(one, Outcome.PAID if paid else Outcome.FAILED), MAKER)


async def test_a_figure_on_a_bank_statement_leads_to_what_it_is(db: Database) -> None:
    lotus, cedar = await two_shops()
    with as_tenant(LOTUS):
        await _month(lotus)
        with clock.at(MAY):
            assert said(await found(9_940)) == [("BATCH", "PAID"), ("MOVEMENT", "AMOUNT"), ("PAYOUT", "NET")]
            assert said(await found(9_940 + 15_880)) == [("BATCH", "NET")]
            assert said(await found(60)) == [("MOVEMENT", "AMOUNT"), ("PAYOUT", "FEE")]
            assert said(await found(4_000)) == [("PAYOUT", "WITHHELD")]
            assert said(await found(10_000)) == [("PAYOUT", "REQUESTED"), ("STATEMENT", "CLOSING")]
            assert [(one.kind, one.movement) for one in await found(45_000)] == [
                ("MOVEMENT", Kind.CLAWBACK),
                ("MOVEMENT", Kind.ACCRUAL),
            ]
            assert await found(9_941) == []
            (payout,) = await found(9_940, kinds=[FoundKind.PAYOUT])
            assert (payout.at, payout.distributor_id, payout.status) == (APRIL + timedelta(days=2), lotus["D"], "paid")
            assert payout.number is not None and payout.currency == "CNY"
            shares = await trail("Payout", payout.id)
            assert sum(use.amount_minor for share in shares for use in share.uses) == 10_000
            assert await found(9_940, kinds=[]) == []
    with as_tenant(CEDAR), clock.at(MAY):
        for amount in (9_940, 10_000, 45_000, 100_000, 4_000, 60):
            assert await found(amount) == []
            assert await found(amount, distributor_id=lotus["D"]) == []
            assert await found(amount, distributor_id=cedar["D"]) == []


async def test_of_one_distributor_every_movement_of_its_money_is_found_once(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _month(lotus)
        with clock.at(MAY):
            mine = await found(10_000, distributor_id=lotus["D"])
            assert [one.movement for one in mine if one.kind is FoundKind.MOVEMENT] == [
                Kind.PAYOUT_PAID,
                Kind.CLAWBACK,
                Kind.PAYOUT_REQUEST,
                Kind.SETTLEMENT,
                Kind.RELEASE,
                Kind.ACCRUAL,
            ]
            assert [one.at for one in mine] == sorted((one.at for one in mine), reverse=True)
            assert len({(one.kind, one.id) for one in mine}) == len(mine) == 8
            assert await found(9_940, distributor_id=lotus["C"]) == []
            for one in mine:
                if one.kind is FoundKind.MOVEMENT:
                    assert await trail("LedgerTransaction", one.id)


async def test_orders_returns_adjustments_and_write_offs_are_found(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _month(lotus)
        with clock.at(APRIL + timedelta(days=3)):
            back = (await found(100_000, kinds=[FoundKind.RETURN]))[0]
            assert (back.part, back.at) == (FoundPart.GOODS, APRIL)
            await refund_return(RefundReturn(return_id=ReturnId(back.id), idempotency_key="r"), finance(LOTUS))
            waiting = await place_order(order(lotus["D"], amount_minor=5_555, freight_minor=1_234), staff())
            await request_adjustments(asked(line(lotus["D"], -333)), MAKER)
            debt = RequestWriteOff(distributor_id=lotus["D"], amount_minor=6_000, reason="gone", idempotency_key="w")
            await request_write_off(debt, MAKER)
            assert said(await found(100_000)) == [("ORDER", "TOTAL"), ("RETURN", "REFUND")]
            assert [(one.id, one.part, one.status) for one in await found(6_789)] == [(waiting, "TOTAL", "placed")]
            assert [(one.id, one.part) for one in await found(5_555)] == [(waiting, "GOODS")]
            (adjusted,) = await found(333)
            assert (adjusted.kind, adjusted.number) == ("ADJUSTMENT", "S20260301-CNY-000001")
            assert said(await found(6_000)) == [("WRITE_OFF", "AMOUNT")]
            for amount in (100_000, 333, 6_000):
                for one in await found(amount):
                    assert one.distributor_id == lotus["D"]


async def test_days_are_the_brands_and_half_open(db: Database) -> None:
    """The period was closed at midnight of Shanghai, which is the 31st of March in Greenwich."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _owes(lotus)
        first = APRIL.date()
        with clock.at(MAY):
            only: Any = {"kinds": [FoundKind.STATEMENT]}
            assert said(await found(10_000, since=first, until=first + timedelta(days=1), **only)) == [
                ("STATEMENT", "CLOSING")
            ]
            assert await found(10_000, since=first - timedelta(days=1), until=first, **only) == []
            assert await found(10_000, since=first + timedelta(days=1), **only) == []
            assert len((await find_amount(Search(amount_minor=100_000), PageRequest())).items) == 2
            for wrong in (Search(amount_minor=0), Search(amount_minor=5, since=first, until=first)):
                with pytest.raises(InvalidInput):
                    await find_amount(wrong, PageRequest())
        with clock.at(NOON + timedelta(days=200)):
            assert (await find_amount(Search(amount_minor=100_000), PageRequest())).items == []
