"""Sales to replay, and drafts to replay them under."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from saas.base import clock
from saas.base.db import reading
from saas.base.ids import DistributorId, OrderId
from saas.base.paging import PageRequest
from saas.jobs.worker import run_due
from saas.orders.commands import PlaceLine, place_order
from saas.simulation.commands import KIND, Simulate, run_simulation, simulate
from saas.simulation.queries import ChangeSort, distributors, simulation
from saas.simulation.views import PlaceSum, SimulationView, Summary
from tenants.program import as_data
from tenants.program.versions import SaveDraft, active_program, save_draft
from tests.network.world import staff
from tests.orders.world import order

MARCH = (date(2026, 3, 1), date(2026, 4, 1))

Component = Mapping[str, Any]


def levels(*rates: int, **more: Any) -> Component:
    """A level table in percent."""
    return {"kind": "level_table", "key": "levels", "levels": [{"rate_bps": rate} for rate in rates], **more}


def pieces(each: int, above: int, extra: int, **more: Any) -> Component:
    """An amount a piece, lifted above so many pieces of the month."""
    band = {"above_pieces": above, "extra_minor": extra}
    return {"kind": "per_piece_volume", "key": "pieces", "per_piece_minor": each, "bands": [band], **more}


async def sold(seller: DistributorId, moment: datetime, *lines: tuple[str, int, int]) -> OrderId:
    """An order that is paid at a moment as it is placed: SKU, pieces and amount of its lines."""
    asked = [PlaceLine(sku=sku, quantity=quantity, amount_minor=amount) for sku, quantity, amount in lines]
    with clock.at(moment):
        return await place_order(order(seller, lines=asked, paid_at=moment), staff())


async def draft(*components: Component, **commission: Any) -> int:
    """A draft like the program in force with other commission; its number."""
    data = as_data((await active_program()).program)
    data["commission"] |= {"components": list(components), **commission}
    for section in ("territory", "tiers", "hierarchy"):
        if section in commission:
            data[section] = data["commission"].pop(section)
    return (await save_draft(SaveDraft(document=data), staff())).version.number


async def simulated(number: int, days: tuple[date, date] = MARCH, label: str = "") -> tuple[SimulationView, Summary]:
    """A simulation that a worker has done."""
    asked = await simulate(Simulate(number=number, since=days[0], until=days[1], label=label), staff())
    await run_due({KIND: run_simulation})
    view = await simulation(asked.id)
    assert view.summary is not None
    return view, view.summary


async def changed(view: SimulationView) -> dict[str, tuple[int, int]]:
    """What everybody really got, and under the draft, by code."""
    page = await distributors(view.id, PageRequest(first=100), ChangeSort.WINNERS)
    return {one.code: (one.real_minor, one.draft_minor) for one in page.items}


def places(sums: Sequence[PlaceSum]) -> dict[tuple[str, int | None], int]:
    """Amounts by component and level."""
    found: dict[tuple[str, int | None], int] = {}
    for one in sums:
        found[one.component, one.level] = found.get((one.component, one.level), 0) + one.amount_minor
    return found


async def money_rows() -> Sequence[Sequence[Any]]:
    """Everything that money is written in."""
    found = []
    async with reading() as tx:
        for table, order in (
            ("commission", "id"),
            ("ledger_transaction", "id"),
            ("ledger_entry", "transaction_id, entry_no"),
            ("balance", "owner_id, account"),
            ("sales_order", "id"),
            ("order_line", "id"),
            ("period_volume", "distributor_id, component"),
            ("award", "id"),
        ):
            rows = await tx.rows(f"SELECT * FROM {table} WHERE tenant_id = $1 ORDER BY {order}", tx.tenant_id)
            found.append([tuple(row.values()) for row in rows])
    return found
