"""Bugs that other systems of this kind shipped, each as a test that has its name.

Returns are not there yet, so neither are the bugs of returns: a partial refund that voids the line, a paid commission
that is skipped, a shortfall that is forgiven, a blended rate.
"""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import DomainError, IdempotencyConflict, Rejected
from saas.base.ids import DistributorId, OrderId, PayoutBatchId, new_id
from saas.ledger.commands import post
from saas.ledger.errors import UnsoundPosting
from saas.ledger.rules import Account, Entry, Kind, Posting
from saas.network.commands import Move, enrol, move, set_tier, suspend
from saas.network.errors import MoveMakesCycle
from saas.network.queries import SalesPeriod, find, totals_of
from saas.orders.commands import cancel, deliver, pay, place_order, ship
from saas.payouts import commands as payouts
from saas.payouts.rules import Outcome
from saas.settlement.commands import CloseSettlement, close
from tenants.program import as_data
from tenants.program.presets import preset
from tenants.program.versions import SaveDraft, activate, active_program, save_draft
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import plant, request, staff
from tests.orders.world import NOON, balances, order, paid, step, table, two_shops

BEFORE = NOON - timedelta(days=1)
AFTER = datetime(2026, 4, 2, tzinfo=UTC)
"""When the hold of a sale at ``NOON`` is over, and the period it fell into."""
Ids = dict[str, DistributorId]


@pytest.fixture
async def shops(db: Database) -> tuple[Ids, Ids]:
    """Lotus (10/15/20 %, inactive uplines' levels kept) and Cedar, each with A → B → C → D."""
    return await two_shops()


async def delivered(seller: DistributorId, amount_minor: int = 10_000, **changes: Any) -> OrderId:
    """A sale that was delivered at ``NOON``."""
    return await paid(seller, amount_minor, shipped_at=NOON, delivered_at=NOON, **changes)


async def close_period(key: str = "March") -> None:
    with clock.at(AFTER):
        await close(CloseSettlement(idempotency_key=key), staff())


async def reprogram(**parts: Any) -> None:
    """Put another version of Lotus' program in force, as of ``BEFORE``."""
    data = as_data(preset("lotus"))
    free: dict[str, Any] = {"depth_limit": None, "level_names": [], "applicant_review": "automatic"}
    document = {**data, "hierarchy": {**data["hierarchy"], **free}}
    for part, changes in parts.items():
        document[part] = {**document[part], **changes} if isinstance(changes, dict) else changes
    with clock.at(BEFORE):
        draft = await save_draft(SaveDraft(document=document), staff())
        await activate(draft.version.number, staff())


def table_of(*rates: int, **more: Any) -> dict[str, Any]:
    """A commission table of these rates."""
    levels = [{"rate_bps": rate} for rate in rates]
    return {"components": [{"kind": "level_table", "key": "levels", "levels": levels, **more}]}


async def ends(*doing: Awaitable[Any]) -> list[str]:
    """How each ended when all ran at once: ``done``, or the code of the refusal."""
    codes = []
    for end in await asyncio.gather(*doing, return_exceptions=True):
        error = end.errors[0] if isinstance(end, Rejected) else end
        if isinstance(error, BaseException) and not isinstance(error, DomainError):
            raise error
        codes.append(error.code if isinstance(error, DomainError) else "done")
    return sorted(codes)


# -- commission follows the order, not the day it is looked at -----------------------------------------------------


async def test_commission_follows_the_orders_tree_and_rate_not_todays(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await delivered(ids["D"])
        await move(Move(distributor=ids["D"], sponsor=ids["A"], reason="after the sale"), staff())
        await reprogram(commission=table_of(100, 100, 100))
        await set_tier(ids["C"], "diamond", "after the sale", staff())
        await close_period()
        assert await balances() == {("D", "settled"): 1_000, ("C", "settled"): 1_500, ("B", "settled"): 2_000}


async def test_a_suspended_upline_is_not_paid_and_one_suspended_later_is(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        with clock.at(BEFORE):
            await suspend(ids["C"], "before the sale", staff())
        await delivered(ids["D"])
        await suspend(ids["B"], "after the sale", staff())
        await close_period()
        assert await balances() == {("D", "settled"): 1_000, ("B", "settled"): 2_000}


async def test_the_upline_is_that_of_the_sale_however_late_it_is_paid_for_shipped_and_settled(
    shops: tuple[Ids, Ids],
) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        id_ = await place_order(order(ids["D"]), staff())
        await pay(step(id_), staff())
        for number, doing in enumerate((ship, deliver)):
            await move(Move(distributor=ids["D"], sponsor=ids["AB"[number]], reason="meanwhile"), staff())
            await doing(step(id_), staff())
        assert await balances() == {("D", "pending"): 1_000, ("C", "pending"): 1_500, ("B", "pending"): 2_000}


async def test_a_cancelled_sale_is_taken_back_from_every_beneficiary(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        id_ = await paid(ids["D"])
        await move(Move(distributor=ids["D"], sponsor=None, reason="meanwhile"), staff())
        await reprogram(commission=table_of(100))
        await cancel(step(id_), staff())
        assert await balances() == {}


# -- the base ------------------------------------------------------------------------------------------------------


async def test_a_fixed_amount_counts_every_piece(shops: tuple[Ids, Ids]) -> None:
    _, ids = shops
    with as_tenant(CEDAR):
        await paid(ids["D"], 3 * 35_700, sku="CEDAR-CAKE", quantity=3)
        assert await balances() == {("C", "pending"): 2_400, ("B", "pending"): 1_200}


async def test_freight_and_tax_stay_out_of_the_base(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await paid(ids["D"], 10_000, freight_minor=5_000, tax_minor=1_300)
        assert (await balances())["D", "pending"] == 1_000
        assert await table("SELECT amount_minor FROM sales_day WHERE tenant_id = $1") == [(10_000,)]


async def test_the_base_is_what_was_paid_not_the_list_price(shops: tuple[Ids, Ids]) -> None:
    """The cream's guide price is 198.00; two were sold for 380.00, within the band."""
    ids, _ = shops
    with as_tenant(LOTUS):
        await paid(ids["D"], 38_000, sku="LOTUS-CREAM", quantity=2)
        assert (await balances())["D", "pending"] == 3_800


async def test_several_currencies_are_never_summed(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await paid(ids["D"], 10_000)
        async with transaction() as tx:
            columns = ("distributor_id", "day", "currency", "orders", "pieces", "amount_minor")
            await tx.insert_many("sales_day", columns, [(ids["D"], NOON.date(), "USD", 1, 1, 777)])
        day = NOON.date()
        period = SalesPeriod(first=day, until=day + timedelta(days=1), currency="CNY")
        assert (await totals_of([ids["B"]], period))[ids["B"]].group_minor == 10_000
        mixed = (Entry(Account.PENDING, ids["D"], 5, "CNY"), Entry(Account.COMMISSION_EXPENSE, None, -5, "USD"))
        with pytest.raises(UnsoundPosting):
            await post([_posting("mixed", mixed)])


def _posting(key: str, entries: tuple[Entry, ...]) -> Posting:
    return Posting(
        kind=Kind.ACCRUAL,
        reference_kind="order",
        reference_id=new_id(),
        idempotency_key=key,
        effective_at=NOON,
        entries=entries,
    )


# -- money that is there twice -------------------------------------------------------------------------------------


async def settled_with_card(ids: Ids) -> DistributorId:
    """D, who has 100.00 settled and a verified card."""
    owner = ids["D"]
    await reprogram(settlement={"minimum_payout_minor": 0})
    await delivered(owner, 100_000)
    await close_period()
    card = payouts.SetDestination(
        distributor_id=owner, holder="Dan", bank="Bank", account="62220000", has_invoice=False, idempotency_key="card"
    )
    await payouts.verify_destination((await payouts.set_destination(card, staff())).id, staff())
    return owner


def asking(owner: DistributorId, key: str, amount_minor: int = 6_000) -> Awaitable[Any]:
    command = payouts.RequestPayout(distributor_id=owner, amount_minor=amount_minor, idempotency_key=key)
    return payouts.request_payout(command, staff())


async def sent(key: str = "batch") -> PayoutBatchId:
    batch = await payouts.create_batch(payouts.CreateBatch(idempotency_key=key), staff())
    await payouts.approve_batch(batch.id, staff())
    await payouts.submit_batch(batch.id, staff())
    return batch.id


async def test_parallel_withdrawals_do_not_overdraw_and_each_recorded_one_is_deducted(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        owner = await settled_with_card(ids)
        tries = [asking(owner, f"try {n}") for n in range(8)]
        assert await ends(*tries) == ["INSUFFICIENT_BALANCE"] * 7 + ["done"]
        recorded = await table("SELECT CAST(sum(requested_minor) AS bigint) FROM payout WHERE tenant_id = $1")
        assert recorded == [(6_000,)]
        have = await balances()
        assert (have["D", "settled"], have["D", "payout"]) == (4_000, 6_000)


async def test_a_balance_read_earlier_is_not_written_back(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        owner = await settled_with_card(ids)
        await ends(*(asking(owner, f"small {n}", 100) for n in range(6)), *(paid(owner, 1_000) for _ in range(6)))
        have = await balances()
        assert (have["D", "settled"], have["D", "payout"], have["D", "pending"]) == (9_400, 600, 600)


async def test_a_double_click_credits_once(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        owner = await settled_with_card(ids)
        asked = await asking(owner, "one")
        await sent()
        result = {"payout_id": asked.id, "outcome": Outcome.FAILED, "reference": "R", "reason": "closed"}
        clicks = [payouts.RecordResult(**result, idempotency_key=f"click {n}") for n in range(6)]
        assert await ends(*(payouts.record_result(click, staff()) for click in clicks)) == ["done"] * 6
        assert (await balances())["D", "settled"] == 10_000


async def test_the_fee_that_is_shown_is_taken(shops: tuple[Ids, Ids]) -> None:
    """60.00 at 0.6 % and 20 %: 0.36 and 12.00 stay, 47.64 leaves."""
    ids, _ = shops
    with as_tenant(LOTUS):
        asked = await asking(await settled_with_card(ids), "one")
        assert (asked.amounts.fee_minor, asked.amounts.withheld_minor, asked.amounts.net_minor) == (36, 1_200, 4_764)
        await sent()
        await payouts.record_result(
            payouts.RecordResult(payout_id=asked.id, outcome=Outcome.PAID, idempotency_key="paid"), staff()
        )
        own = await table(
            "SELECT account, CAST(sum(amount_minor) AS bigint) FROM ledger_entry WHERE tenant_id = $1 "
            "AND account IN ('cash', 'fee_income', 'withholding') GROUP BY account ORDER BY account"
        )
        assert own == [("cash", 4_764), ("fee_income", 36), ("withholding", 1_200)]


# -- idempotency ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("same_key", [True, False])
async def test_a_repeated_payment_notification_pays_nobody_again(shops: tuple[Ids, Ids], same_key: bool) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        id_ = await place_order(order(ids["D"]), staff())
        once = await ends(*(pay(step(id_, idempotency_key="K" if same_key else f"K{n}"), staff()) for n in range(6)))
        assert once == ["ORDER_STEP_REFUSED"] * (0 if same_key else 5) + ["done"] * (6 if same_key else 1)
        assert await balances() == {("D", "pending"): 1_000, ("C", "pending"): 1_500, ("B", "pending"): 2_000}


async def test_the_key_is_looked_at_inside_the_transaction(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        asked = order(ids["D"], paid_at=NOON)
        assert await ends(*(place_order(asked, staff()) for _ in range(8))) == ["done"] * 8
        assert await table("SELECT count(*) FROM sales_order WHERE tenant_id = $1") == [(1,)]
        assert (await balances())["D", "pending"] == 1_000


async def test_the_same_key_with_other_content_is_refused(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await place_order(order(ids["D"], idempotency_key="K"), staff())
        with pytest.raises(IdempotencyConflict):
            await place_order(order(ids["D"], idempotency_key="K", amount_minor=10_001), staff())


# -- the tree ------------------------------------------------------------------------------------------------------


async def test_the_cycle_check_looks_all_the_way_up(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        for below in "ABCD":
            with pytest.raises(MoveMakesCycle):
                await move(Move(distributor=ids["A"], sponsor=ids[below], reason="test"), staff())


async def test_moving_five_does_not_move_fifteen(shops: tuple[Ids, Ids]) -> None:
    with as_tenant(LOTUS):
        ids = await plant({str(n): None for n in range(1, 21)} | {f"5-{n}": "5" for n in range(3)} | {"15-0": "15"})
        assert await move(Move(distributor=ids["5"], sponsor=ids["1"], reason="test"), staff()) == 4
        found = await find(list(ids.values()))
        assert found[ids["15"]].depth == 0
        assert found[ids["15-0"]].sponsor_id == ids["15"]
        assert {found[ids[f"5-{n}"]].depth for n in range(3)} == {2}


async def test_two_moves_at_once_make_no_circle(shops: tuple[Ids, Ids]) -> None:
    with as_tenant(LOTUS):
        ids = await plant({"P": None, "Q": None})
        moves = (Move(distributor=ids[a], sponsor=ids[b], reason="test") for a, b in ("PQ", "QP"))
        assert await ends(*(move(one, staff()) for one in moves)) == ["MOVE_MAKES_CYCLE", "done"]


# -- tenants -------------------------------------------------------------------------------------------------------


async def test_a_write_by_id_alone_does_not_reach_another_brand(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        id_ = await paid(ids["D"])
    with as_tenant(CEDAR):
        for doing in (pay, ship, deliver, cancel):
            assert await ends(doing(step(id_), staff())) == ["NOT_FOUND"]
        people = (suspend(ids["D"], "test", staff()), set_tier(ids["D"], "dealer", "test", staff()))
        assert await ends(*people) == ["NOT_FOUND"] * 2
    with as_tenant(LOTUS):
        assert await table("SELECT status FROM sales_order WHERE tenant_id = $1") == [("paid",)]
        assert (await find([ids["D"]]))[ids["D"]].status == "active"


async def test_what_is_remembered_is_remembered_by_brand(shops: tuple[Ids, Ids]) -> None:
    """Both brands' programs have number 1."""
    names = []
    for tenant_id in (LOTUS, CEDAR, LOTUS):
        with as_tenant(tenant_id):
            stored = await active_program()
            names.append((stored.number, stored.program.name.en))
    assert names == [(1, "Lotus cosmetics program"), (1, "Cedar tea program"), (1, "Lotus cosmetics program")]


# -- nothing and zero ----------------------------------------------------------------------------------------------


async def test_no_maximum_is_not_a_maximum_of_zero(shops: tuple[Ids, Ids]) -> None:
    """No depth limit, no cap, no minimum: nobody is blocked. A cap of zero pays nothing."""
    ids, _ = shops
    with as_tenant(LOTUS):
        await reprogram(commission={"cap_bps": None}, settlement={"minimum_payout_minor": 0})
        with clock.at(BEFORE):
            deep = await enrol(request("E", ids["D"]), staff())
        await paid(deep)
        assert (await balances())["E", "pending"] == 1_000
        await reprogram(commission={"cap_bps": 0})
        await paid(deep)
        assert (await balances())["E", "pending"] == 1_000


async def test_a_rate_of_zero_is_not_a_rate_that_is_not_set(shops: tuple[Ids, Ids]) -> None:
    """X: 5 % to the seller, the sponsor inherits, deliberately nothing above."""
    ids, _ = shops
    with as_tenant(LOTUS):
        await reprogram(commission=table_of(1_000, 1_500, 2_000, product_overrides={"PLAIN": [500, None, 0]}))
        await paid(ids["D"])
        assert await balances() == {("D", "pending"): 500, ("C", "pending"): 1_500}


async def test_a_tier_is_known_by_its_code_not_by_its_rank(shops: tuple[Ids, Ids]) -> None:
    """A tier that is put below the others moves every rank, and nobody's rate."""
    ids, _ = shops
    by_tier = [{"rate_bps": 0, "by_tier": {"gold": 1_000, "diamond": 2_000}}]
    commission = {"components": [{"kind": "level_table", "key": "levels", "levels": by_tier}]}
    tiers = as_data(preset("lotus"))["tiers"]
    with as_tenant(LOTUS):
        with clock.at(BEFORE):
            await set_tier(ids["D"], "gold", "a promotion", staff())
        for listed in (tiers, [{"code": "bronze", "name": {"zh": "铜牌", "en": "Bronze"}}, *tiers]):
            await reprogram(tiers=listed, commission=commission)
            await paid(ids["D"])
        assert await balances() == {("D", "pending"): 2_000}


# -- one look-up for each ------------------------------------------------------------------------------------------
