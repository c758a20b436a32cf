"""Stock that is bought back when a distributor leaves (docs/rules.md §7)."""

from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.ids import OrderId
from saas.exits.commands import ExitRequest, preview_exit
from saas.exits.errors import ExitStockChanged, StockNotBought
from saas.exits.queries import exit_by_id
from saas.exits.rules import ExitKind, ExitState, Gone
from saas.ledger.checks import earnings_have_ground
from saas.orders.commands import ship
from tests.exits.world import Ids, approved, executed, quoted, use_exit
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff, stored
from tests.orders.world import NOON, balances, paid, step, table

POLICY: dict[str, Any] = {"buy_back": {"rate_bps": 9000, "months": 12}}


async def bought(ids: Ids, code: str, amount_minor: int, *, shipped: bool = True, **changes: Any) -> OrderId:
    """A purchase of a distributor for itself."""
    order_id = await paid(ids[code], amount_minor, self_purchase=True, **changes)
    if shipped:
        with clock.at(NOON + timedelta(days=1)):
            await ship(step(order_id), staff())
    return order_id


async def test_ninety_per_cent_of_the_stock_of_twelve_months(shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    with as_tenant(CEDAR):
        await bought(theirs, "B", 70_000)
        cedar = await balances()
    with as_tenant(LOTUS):
        await use_exit(**POLICY, breach={"downline_to": "sponsor", "pending": "forfeit"})
        await bought(ids, "B", 10_000)
        await bought(ids, "B", 20_000, shipped=False)
        await bought(ids, "C", 40_000)
        await paid(ids["B"], 80_000)
        with clock.at(NOON + timedelta(days=2)):
            case = await approved(ids["B"], ExitKind.BREACH)
            quote = case.quote
            assert [(line.sku, line.quantity, line.paid_minor) for line in quote.stock] == [("PLAIN", 1, 10_000)]
            assert (quote.buy_back_minor, quote.final_minor, quote.buy_back_bps) == (9_000, 9_000, 9000)
            assert quote.stock_since is not None
            assert quote.stock_since.isoformat() == "2025-03-11T16:00:00+00:00"
            assert str(quote.payable_on) == "2026-03-17"
            await executed(case.id)
        assert (await balances())["B", "settled"] == 9_000
        assert await table(
            "SELECT t.kind, e.account, e.amount_minor FROM ledger_entry e JOIN ledger_transaction t "
            "ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id WHERE e.tenant_id = $1 AND t.kind = 'buy_back' "
            "ORDER BY e.entry_no"
        ) == [("buy_back", "settled", 9_000), ("buy_back", "stock", -9_000)]
        assert await earnings_have_ground() == []
        assert await executed(case.id) == await exit_by_id(case.id), "the same key pays once"
        assert (await balances())["B", "settled"] == 9_000
    with as_tenant(CEDAR):
        assert await balances() == cedar


async def test_what_is_gone_or_too_old_is_not_bought_back(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await use_exit(**POLICY)
        await bought(ids, "B", 10_000)
        with clock.at(NOON + timedelta(days=2)):
            gone = ExitRequest(distributor_id=ids["B"], kind=ExitKind.INACTIVITY, gone=[Gone("PLAIN", 1)])
            quote = await preview_exit(gone)
            assert [(line.gone, line.quantity, line.buy_back_minor) for line in quote.stock] == [(1, 0, 0)]
            with pytest.raises(StockNotBought):
                await quoted(ids["B"], gone=[Gone("PLAIN", 2)])
        with clock.at(NOON + timedelta(days=400)):
            later = await preview_exit(ExitRequest(distributor_id=ids["B"], kind=ExitKind.BRAND_DECISION))
            assert (later.stock, later.buy_back_minor) == ((), 0)


async def test_7_the_window_begins_with_its_day_and_the_oldest_pieces_are_gone(shops: tuple[Ids, Ids]) -> None:
    """Twelve months ago, in Shanghai, is the very moment at which the first piece was paid for."""
    ids, _ = shops
    with as_tenant(LOTUS):
        await use_exit(**POLICY)
        midnight = NOON - timedelta(hours=12)
        await bought(ids, "B", 10_000, paid_at=midnight)
        await bought(ids, "B", 30_000)
        year = timedelta(days=365)
        for moment, gone, kept in (
            (NOON + year, (), (2, 40_000)),
            (NOON + year, [Gone("PLAIN", 1)], (1, 30_000)),
            (midnight + year + timedelta(days=1), (), ()),
        ):
            with clock.at(moment):
                asked = ExitRequest(distributor_id=ids["B"], kind=ExitKind.VOLUNTARY, gone=gone)
                stock = (await preview_exit(asked)).stock
            assert [(line.quantity, line.paid_minor) for line in stock] == ([kept] if kept else [])


async def test_without_the_setting_nothing_is_bought_back(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await bought(ids, "B", 10_000)
        with clock.at(NOON + timedelta(days=2)):
            quote = (await quoted(ids["B"])).quote
            assert (quote.stock, quote.stock_since, quote.buy_back_minor) == ((), None, 0)
            with pytest.raises(StockNotBought):
                await quoted(ids["C"], gone=[Gone("PLAIN", 1)])


async def test_other_stock_than_was_approved_stops_the_exit(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await use_exit(**POLICY)
        waiting = await bought(ids, "B", 10_000, shipped=False)
        with clock.at(NOON + timedelta(hours=2)):
            case = await approved(ids["B"])
        with clock.at(NOON + timedelta(days=1)):
            await ship(step(waiting), staff())
            before = (await balances(), await stored())
            with pytest.raises(ExitStockChanged, match=r"0\.00 CNY .* 90\.00 CNY"):
                await executed(case.id)
        assert (await balances(), await stored()) == before
        assert (await exit_by_id(case.id)).status is ExitState.APPROVED
