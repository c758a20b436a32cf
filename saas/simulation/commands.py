"""Asking for a simulation, and doing it: nothing but the simulation's own rows is written, the ledger least of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.clock import local_day
from saas.base.db import reading, transaction
from saas.base.errors import InvalidInput, Said
from saas.base.idempotency import fingerprint
from saas.base.ids import SimulationId, new_id
from saas.jobs.commands import enqueue
from saas.jobs.worker import Progress
from saas.network.history import Roll, roll
from saas.performance.firsts import taken
from saas.performance.gathering import holders_of
from saas.performance.reads import calendar_period
from saas.performance.rules import PeriodBook
from saas.simulation.errors import SimulationCurrency, SimulationSpanRefused
from saas.simulation.processes import replay
from saas.simulation.queries import stored
from saas.simulation.real import really_awarded, really_paid
from saas.simulation.replay import Span
from saas.simulation.sums import Period, Place, Sums, changes
from saas.simulation.views import PlaceSum, SimulationView, Summary, Totals, place_order
from tenants import audit, registry
from tenants.actors import Actor
from tenants.errors import ProgramUnreadable
from tenants.program import Program, as_data, errors_in, parse
from tenants.program.calendar import start_of_day
from tenants.program.review import findings_on
from tenants.program.text import Format
from tenants.program.versions import content_of

KIND = "simulation"
"""The kind of its jobs."""

YEARS_MOST = 10
LABEL_LONGEST = 100
_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulate:
    """What to replay: a stored version by ``number`` or a ``document``, over the orders paid on ``[since, until)``.

    The days are of the brand's calendar.
    """

    number: int | None = None
    document: str | None = None
    format: Format = "yaml"
    since: date
    until: date
    label: str = ""


async def simulate(command: Simulate, actor: Actor) -> SimulationView:
    """Ask for a simulation; a worker does it. The content is kept with it, whatever becomes of the draft.

    Raises ``ProgramUnreadable``, ``NotFound``, ``SimulationSpanRefused``, ``SimulationCurrency``, ``InvalidInput``.
    """
    async with transaction() as tx:
        content = await _content(command)
        brand = await registry.this_brand()
        if content.currency != brand.currency:
            raise SimulationCurrency("input", value=content.currency, needed=brand.currency)
        if command.until <= command.since or _years_before(command.until) > _parts(command.since):
            raise SimulationSpanRefused("input.until", since=command.since, until=command.until, years=YEARS_MOST)
        label = command.label.strip() or content.name.en
        if len(label) > LABEL_LONGEST or not label.isprintable():
            remedy = Said(
                f"give at most {LABEL_LONGEST} printable characters", f"请填写不超过 {LABEL_LONGEST} 个可见字符"
            )
            raise InvalidInput("input.label", value=ascii(label[:LABEL_LONGEST]), remedy=remedy)
        data, simulation_id = as_data(content), SimulationId(new_id())
        job_id = await enqueue(KIND, {"simulation": str(simulation_id)}, actor=actor)
        await tx.insert_many(
            "simulation",
            (
                *("id", "job_id", "label", "program_number", "content", "content_hash", "currency"),
                *("paid_from", "paid_until", "created_by", "created_at"),
            ),
            [
                (
                    *(
                        simulation_id,
                        job_id,
                        label,
                        command.number or 0,
                        orjson.dumps(data).decode(),
                        fingerprint(data),
                    ),
                    *(brand.currency, start_of_day(command.since, brand.time_zone)),
                    *(start_of_day(command.until, brand.time_zone), actor.id, clock.now()),
                )
            ],
        )
        await audit.record(actor, "simulation.start", str(simulation_id), number=command.number, label=label)
        return (await stored(tx, simulation_id))[0]


def _parts(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


def _years_before(day: date) -> tuple[int, int, int]:
    """The day ``YEARS_MOST`` years earlier, also where no calendar has it."""
    return day.year - YEARS_MOST, day.month, day.day


async def _content(command: Simulate) -> Program:
    if (command.number is None) == (command.document is None):
        remedy = Said("give either a number or a document", "请提供版本号或文档，二者其一")
        raise InvalidInput("input", value="-" if command.number is None else command.number, remedy=remedy)
    if command.number is not None:
        return await content_of(command.number)
    parsed = parse(command.document or "", command.format)
    if not isinstance(parsed, Program):
        raise ProgramUnreadable("input.document", count=len(errors_in(parsed)), findings=parsed)
    return parsed


async def run_simulation(given: Mapping[str, Any], progress: Progress) -> None:
    """The job: replay, compare with what was really paid, keep the result. Done again, it changes nothing."""
    simulation_id = SimulationId(UUID(given["simulation"]))
    async with reading() as tx:
        view, content = await stored(tx, simulation_id)
        brand = await registry.this_brand()
    if view.finished_at is not None:
        return
    span = Span(since=view.paid_from, until=view.paid_until, time_zone=brand.time_zone)

    async def tell(done: int, total: int) -> None:
        await progress.report(done, total, "replaying")

    sums = await replay(content, span, tell)
    await progress.report(sums.orders, sums.orders, "comparing")
    people = await roll()
    async with reading() as tx:
        findings = await findings_on(content, view.content_hash)
        real, real_capped = await really_paid(tx, span, view.currency)
        real_awards = await really_awarded(tx, span, view.currency)
        awards = await award_periods(content, sums.books, people, span)
    commission, real_commission = dict(sums.by_place), dict(real.by_place)
    real_company_minor = sums.real_company_minor + real.company_minor
    sums.merge(awards)
    real.merge(real_awards)
    rows = changes(real.by_owner, sums.by_owner)
    summary = Summary(
        orders=sums.orders,
        lines=sums.lines,
        goods_minor=sums.goods_minor,
        draft=_totals(commission, awards, sums.company_minor, sums.capped_lines),
        real=_totals(real_commission, real_awards, real_company_minor, real_capped),
        periods=sorted(sums.books, key=lambda period: (period[1], period[0])),
        findings=findings,
        winners=sum(draft > before for _, before, draft in rows),
        losers=sum(draft < before for _, before, draft in rows),
    )
    await progress.check()
    await _keep(simulation_id, summary, rows)


async def award_periods(program: Program, books: Mapping[Period, PeriodBook], people: Roll, span: Span) -> Sums:
    """What the program awards for the periods, the earlier ones first: each may use up what a later one cannot give.

    What was really awarded counts as used up when its period had ended before the span.
    """
    sums, given = Sums(), set[tuple[str, str]]()
    begins = local_day(span.since, span.time_zone)
    periods = {period: calendar_period(*period, span.time_zone) for period in books}
    for period, calendar in sorted(periods.items(), key=lambda one: (one[1].until, one[0])):
        book = books[period]
        holders = holders_of(people, book, calendar)
        used = await taken(book, program, calendar, holders, awarded_until=begins)
        for award in book.awards(holders, used | given):
            if award.once_key is not None:
                given.add((award.component, award.once_key))
            if award.amount_minor:
                sums.put((award.component, None, award.holder.tier), 1, award.amount_minor)
                sums.give(award.holder.id, award.amount_minor)
    return sums


def _totals(commission: Mapping[Place, tuple[int, int]], awards: Sums, company_minor: int, capped_lines: int) -> Totals:
    awards_minor = sum(amount for _, amount in awards.by_place.values())
    places = {**commission, **awards.by_place}
    return Totals(
        commission_minor=sum(amount for _, amount in commission.values()),
        awards_minor=awards_minor,
        company_minor=company_minor - awards_minor,
        capped_lines=capped_lines,
        places=[PlaceSum(*place, *places[place]) for place in sorted(places, key=place_order)],
    )


async def _keep(simulation_id: SimulationId, summary: Summary, rows: list[tuple[UUID, int, int]]) -> None:
    async with transaction() as tx:
        kept = await tx.execute(
            "UPDATE simulation SET summary = $3, finished_at = $4 "
            "WHERE tenant_id = $1 AND id = $2 AND finished_at IS NULL",
            tx.tenant_id,
            simulation_id,
            orjson.dumps(summary.as_data()).decode(),
            clock.now(),
        )
        if not kept:
            return  # another worker was faster
        columns = ("simulation_id", "distributor_id", "real_minor", "draft_minor", "change_minor")
        for at in range(0, len(rows), _AT_ONCE):
            part = rows[at : at + _AT_ONCE]
            changed = [(simulation_id, owner, before, draft, draft - before) for owner, before, draft in part]
            await tx.insert_many("simulation_result", columns, changed)
