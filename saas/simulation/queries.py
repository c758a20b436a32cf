"""Simulations as they are read: the list, one with its result, winners and losers, a single order, two side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import orjson

from saas.base.db import Row, Tx, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import OrderId, OrderLineId, SimulationId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.sheets import amount, csv_text
from saas.commissions.rules import Share
from saas.orders import queries as orders
from saas.orders.queries import ExplainedShare, LineView, OrderView
from saas.simulation.errors import OrderNotReplayed, SimulationUnfinished
from saas.simulation.replay import Span
from saas.simulation.source import replay_order
from saas.simulation.views import Change, PlaceChange, SimulationView, Summary, place_changes, read_summary
from tenants import registry
from tenants.program import Program

_COLUMNS = (
    "id, job_id, label, program_number, content_hash, currency, paid_from, paid_until, summary, created_by, "
    "created_at, finished_at"
)


class ChangeSort(StrEnum):
    """The order of the list of distributors."""

    WINNERS = "winners"
    LOSERS = "losers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedLine:
    """A line of an order in both versions. ``draft_company_minor``: what the draft leaves to the company."""

    line: LineView
    real: Sequence[ExplainedShare]
    draft: Sequence[Share]
    draft_company_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedOrder:
    """An order as it was really decided and under the draft."""

    order: OrderView
    simulation: SimulationView
    lines: Sequence[ReplayedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two simulations side by side."""

    first: SimulationView
    second: SimulationView
    places: Sequence[PlaceChange]


async def simulation(simulation_id: SimulationId, field: str = "id") -> SimulationView:
    """One simulation. Raises ``NotFound``."""
    async with reading() as tx:
        return (await stored(tx, simulation_id, field))[0]


async def simulations(request: PageRequest) -> Page[SimulationView]:
    """A page of simulations, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        if request.after is not None:
            moment, id_ = decode_cursor(request.after, datetime, UUID)
            where.after(("created_at", "id"), (moment, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM simulation WHERE {where.sql} "
            f"ORDER BY created_at DESC, id DESC LIMIT {request.first + 1}",
            *where.args,
        )
    views = [_view(row) for row in rows]
    return page_of(views, request, [encode_cursor(view.created_at, view.id) for view in views])


async def stored(tx: Tx, simulation_id: SimulationId, field: str = "id") -> tuple[SimulationView, Program]:
    """A simulation and the program it is about. Raises ``NotFound``."""
    row = await tx.row(
        f"SELECT {_COLUMNS}, content FROM simulation WHERE tenant_id = $1 AND id = $2", tx.tenant_id, simulation_id
    )
    if row is None:
        raise NotFound(field, kind="simulation", value=simulation_id)
    data = dict(row)
    content = Program.model_validate(orjson.loads(data.pop("content")))
    return _view(data), content


async def distributors(
    simulation_id: SimulationId, request: PageRequest, sort: ChangeSort, search: str | None = None
) -> Page[Change]:
    """Who would get more or less than was really paid, the largest change first; ``search`` in code and name."""
    descending = sort is ChangeSort.WINNERS
    async with reading() as tx:
        where = Where(tx, "r")
        where.add("r.simulation_id = $", simulation_id)
        if search:
            plain = search.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
            where.add("(lower(d.code) LIKE $ ESCAPE '!' OR lower(d.name) LIKE $ ESCAPE '!')", f"%{plain}%")
        if request.after is not None:
            change, id_ = decode_cursor(request.after, int, UUID)
            where.after(("r.change_minor", "r.distributor_id"), (change, id_), descending=descending)
        direction = "DESC" if descending else "ASC"
        rows = await tx.rows(
            f"SELECT r.distributor_id, d.code, d.name, r.real_minor, r.draft_minor, r.change_minor "
            f"FROM simulation_result r JOIN distributor d ON d.tenant_id = r.tenant_id AND d.id = r.distributor_id "
            f"WHERE {where.sql} "
            f"ORDER BY r.change_minor {direction}, r.distributor_id {direction} LIMIT {request.first + 1}",
            *where.args,
        )
    found = [Change(**row) for row in rows]
    return page_of(found, request, [encode_cursor(one.change_minor, one.distributor_id) for one in found])


async def distributors_csv(simulation_id: SimulationId) -> str:
    """All of them as CSV, the losers first. Raises ``NotFound``."""
    async with reading() as tx:
        currency = (await stored(tx, simulation_id))[0].currency
        rows = await tx.rows(
            "SELECT d.code, d.name, r.real_minor, r.draft_minor, r.change_minor "
            "FROM simulation_result r JOIN distributor d ON d.tenant_id = r.tenant_id AND d.id = r.distributor_id "
            "WHERE r.tenant_id = $1 AND r.simulation_id = $2 ORDER BY r.change_minor, d.code",
            tx.tenant_id,
            simulation_id,
        )
    head = ("code", "name", "real", "draft", "change", "currency")
    changed = [
        (code, name, *(amount(minor, currency) for minor in minors), currency)
        for code, name, *minors in (row.values() for row in rows)
    ]
    return csv_text([head, *changed])


async def compare(first: SimulationId, second: SimulationId) -> Comparison:
    """Two finished simulations. Raises ``NotFound``, ``SimulationUnfinished``."""
    async with reading():
        views = await simulation(first, "simulation"), await simulation(second, "other")
    drafts = [finished(view, field).draft.places for view, field in zip(views, ("simulation", "other"), strict=True)]
    return Comparison(first=views[0], second=views[1], places=place_changes(*drafts))


def finished(view: SimulationView, field: str = "simulation") -> Summary:
    """The result. Raises ``SimulationUnfinished``."""
    if view.summary is None:
        raise SimulationUnfinished(field)
    return view.summary


async def simulated_order(simulation_id: SimulationId, order_id: OrderId) -> ReplayedOrder:
    """One order in both versions, share by share. Raises ``NotFound``, ``OrderNotReplayed``."""
    async with reading() as tx:
        view, program = await stored(tx, simulation_id, "simulation")
        order = await orders.order(order_id)
        lines = await orders.lines_of([order_id])
        real = (await orders.explained([order], lines)).get(order_id, ())
        zone = (await registry.this_brand()).time_zone
    span = Span(since=view.paid_from, until=view.paid_until, time_zone=zone)
    paid_at = order.paid_at
    inside = paid_at is not None and span.since <= paid_at < span.until
    if not inside or order.status == "cancelled" or order.path is None:
        raise OrderNotReplayed("order", value=order.number)
    decided = await replay_order(program, span, order_id, order.path)
    if decided is None:
        raise OrderNotReplayed("order", value=order.number)
    by_line: dict[OrderLineId, list[ExplainedShare]] = {}
    for share in real:
        by_line.setdefault(share.line_id, []).append(share)
    replayed = [
        ReplayedLine(
            line=line,
            real=by_line.get(line.id, ()),
            draft=result.shares,
            draft_company_minor=result.company_minor,
        )
        for line, (_, result) in zip(lines[order_id], decided.lines, strict=True)
    ]
    return ReplayedOrder(order=order, simulation=view, lines=replayed)


def _view(row: Row) -> SimulationView:
    summary = read_summary(orjson.loads(row["summary"])) if row["summary"] else None
    return SimulationView(**{**row, "program_number": row["program_number"] or None, "summary": summary})
