"""Awards on statements: taken with the settlement that ends with their period or later, once, and in the books."""

from datetime import UTC, date, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.ledger.checks import run_checks
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account
from saas.network.commands import leave
from saas.orders.commands import deliver, ship
from saas.performance.queries import awards_on
from saas.settlement import queries
from saas.settlement.commands import CloseSettlement, close
from saas.settlement.queries import SettlementView
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import step
from tests.performance.world import APRIL, REBATE, TARGET, awards, close_march, finance, sold, two_brands

OWN = {**REBATE, "measure": "own_sales"}
MAY = datetime(2026, 4, 30, 16, tzinfo=UTC)


async def settle(at: datetime, day: date | None = None) -> SettlementView:
    """Close the settlement in line."""
    with clock.at(at):
        return await close(CloseSettlement(day=day, idempotency_key=f"{at} {day}"), finance())


async def held(owner: DistributorId) -> tuple[int, int, int]:
    """Pending, available, settled."""
    found = (await balances_of([owner]))[owner]
    return found.of(Account.PENDING, "CNY"), found.of(Account.AVAILABLE, "CNY"), found.of(Account.SETTLED, "CNY")


async def test_a_brand_with_awards_alone_settles_them_with_the_period_they_are_of(db: Database) -> None:
    codes = await two_brands(OWN, TARGET)
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000)
        await close_march()
        with clock.at(APRIL):
            shown = await queries.preview()
        closed = await settle(APRIL)
        assert (shown.period.label, shown.awards_minor, shown.statements) == ("2026-03", 80_000, 1)
        assert (closed.period.label, closed.awards_minor, closed.commission_minor) == ("2026-03", 80_000, 0)
        (statement,) = (await queries.statements(PageRequest())).items
        assert (statement.lines, statement.awards_minor, statement.closing_minor) == (0, 80_000, 80_000)
        assert {one.component: one.amount_minor for one in await awards_on(statement.id)} == {
            "rebate": 30_000,
            "target": 50_000,
        }
        assert {one.status for one in await awards()} == {"settled"}
        assert (await held(codes["C"]))[1:] == (0, 80_000)
        written = await queries.statement_csv(statement.id)
        assert "awards,800.00\r\n" in written
        assert "2026-03,rebate,tiered_rebate,,silver,6000.00,300.00\r\n" in written
        assert (await settle(MAY)).awards_minor == 0
        assert await run_checks() == []
    with as_tenant(CEDAR):
        assert (await queries.settlements(PageRequest())).items == []


async def test_a_statement_holds_commission_and_awards(db: Database) -> None:
    codes = await two_brands(OWN)
    with as_tenant(LOTUS):
        id_ = await sold(codes["C"], 600_000)
        with clock.at(datetime(2026, 3, 12, tzinfo=UTC)):
            await ship(step(id_), staff())
            await deliver(step(id_), staff())
        await settle(APRIL)
        await close_march(at=APRIL + timedelta(days=1))
        before = await held(codes["C"])
        with clock.at(MAY):
            shown = await queries.preview()
        closed = await settle(MAY)
        assert (
            (closed.awards_minor, closed.commission_minor)
            == (shown.awards_minor, shown.commission_minor)
            == (30_000, 0)
        )
        assert await held(codes["C"]) == (0, 0, before[2] + 30_000)
        assert before[1] == 30_000
        (last,) = (await queries.statements(PageRequest(), settlement_id=closed.id)).items
        assert (last.opening_minor, last.closing_minor) == (before[2], before[2] + 30_000)
        assert await run_checks() == []


async def test_an_award_of_a_later_period_waits(db: Database) -> None:
    codes = await two_brands({**OWN, "period": "quarter"})
    with as_tenant(LOTUS):
        id_ = await sold(codes["C"], 600_000, day=5)
        with clock.at(datetime(2026, 3, 6, tzinfo=UTC)):
            await ship(step(id_), staff())
            await deliver(step(id_), staff())
        late = datetime(2026, 7, 1, tzinfo=UTC)
        await close_march(at=late, length="quarter", day=date(2026, 6, 1), key="Q2")
        await close_march(at=late, length="quarter", key="Q1")
        closed = await settle(late, date(2026, 3, 5))
        assert (closed.period.label, closed.awards_minor) == ("2026-03", 30_000)


async def test_who_leaves_keeps_what_its_periods_brought(db: Database) -> None:
    codes = await two_brands(OWN)
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000)
        await close_march()
        with clock.at(APRIL + timedelta(days=2)):
            await leave(codes["C"], downline_to="sponsor", reason="moves away", actor=staff())
        await settle(MAY)
        assert (await held(codes["C"]))[2] == 30_000
        await close_march(at=MAY, key="april", day=date(2026, 4, 1))
        assert {one.distributor_id for one in await awards()} == {codes["C"]}
        assert await run_checks() == []


@pytest.mark.unsound
async def test_the_books_notice_awards_that_do_not_agree(db: Database) -> None:
    codes = await two_brands(OWN)
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000)
        await close_march()
        await settle(APRIL)
        assert await run_checks() == []
        async with transaction() as tx:
            await tx.execute("UPDATE award SET amount_minor = amount_minor + 1 WHERE tenant_id = $1", tx.tenant_id)
        found = {one.check for one in await run_checks()}
        assert found == {"earnings_have_ground", "commission_agrees_settled", "statements_add_up", "periods_add_up"}
