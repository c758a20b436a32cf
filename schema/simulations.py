"""Simulations: real history under a draft, compared with what was really paid."""

from datetime import date, datetime
from typing import Annotated, cast

import strawberry

from saas.base.ids import OrderId, SimulationId
from saas.simulation import commands, queries
from saas.simulation.queries import ChangeSort, Comparison
from saas.simulation.views import Change, PlaceChange, PlaceSum, SimulationView, Summary, Totals
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals, user_errors
from schema.ids import from_global, to_global
from schema.jobs import Job, job_by_id
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.programs import DocumentFormat, ProgramFinding, findings_of
from schema.scalars import Money, money
from schema.simulated_orders import SimulatedOrder, simulated_order
from tenants.errors import ProgramUnreadable
from tenants.program import Finding
from tenants.program.calendar import period_label

described(
    "The order of the distributors of a simulation.",
    name="SimulationSort",
    WINNERS="Who would get the most more, first.",
    LOSERS="Who would get the most less, first.",
)(ChangeSort)


@strawberry.type(description="What one place of a program came to.")
class SimulatedPlace:
    """A component, level and tier."""

    component: str = strawberry.field(description="The component.")
    level: int | None = strawberry.field(description="Distance from the seller; none for what a period brings.")
    tier: str | None = strawberry.field(description="The tier of the beneficiaries.")
    shares: int = strawberry.field(description="How many shares or awards.")
    amount: Money = strawberry.field(description="What they came to.")


@strawberry.type(description="What one program paid on the orders of a simulation.")
class SimulatedTotals:
    """Totals."""

    commission: Money = strawberry.field(description="Commission.")
    awards: Money = strawberry.field(description="Rebates and bonuses of the calendar periods inside the days.")
    paid: Money = strawberry.field(description="Both.")
    company: Money = strawberry.field(description="What is left of the bases.")
    payout_ratio_bps: int | None = strawberry.field(description="Paid out of what was paid for the goods.")
    capped_lines: int = strawberry.field(description="Lines whose shares the limit on a line has shrunk.")
    places: list[SimulatedPlace] = strawberry.field(description="By component, level and tier.")


@strawberry.type(description="What came out of a simulation.")
class SimulationResult:
    """The totals of the draft beside the real ones."""

    order_count: int = strawberry.field(description="Orders paid in the days and not cancelled.")
    line_count: int = strawberry.field(description="Their lines.")
    goods: Money = strawberry.field(description="What was paid for the goods.")
    draft: SimulatedTotals = strawberry.field(description="Under the draft.")
    real: SimulatedTotals = strawberry.field(description="As it was really paid, without what was taken back.")
    periods: list[str] = strawberry.field(description="Calendar periods whose awards are part of the draft.")
    findings: list[ProgramFinding] = strawberry.field(description="What there is to say about the draft.")
    winners: int = strawberry.field(description="How many distributors would get more.")
    losers: int = strawberry.field(description="How many would get less.")


@strawberry.type(description="What a distributor really got, and would get.")
class SimulatedDistributor:
    """A winner or loser."""

    distributor_id: strawberry.ID = strawberry.field(description="The distributor.")
    code: str = strawberry.field(description="Its code.")
    name: str = strawberry.field(description="Its name.")
    real: Money = strawberry.field(description="What it really got.")
    draft: Money = strawberry.field(description="What it would get.")
    change: Money = strawberry.field(description="The difference.")


@strawberry.type(description="A replay of real orders under a program (模拟). The ledger knows nothing of it.")
class Simulation:
    """A simulation."""

    view: strawberry.Private[SimulationView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    label: str = strawberry.field(description="What people call it.")
    program_number: int | None = strawberry.field(description="The version; none for a document never saved.")
    content_hash: str = strawberry.field(description="Tells two contents apart; it is kept with the simulation.")
    paid_from: datetime = strawberry.field(description="Orders paid at this moment or later.")
    paid_until: datetime = strawberry.field(description="Orders paid before this moment.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it came to its result.")

    @strawberry.field(description="The job that does it: how far it is, and why it failed if it did.")
    async def job(self, info: Info) -> Job:
        """Its job."""
        return await job_by_id(info, self.view.job_id)

    @strawberry.field(description="What came out; none until it has ended.")
    def result(self, info: Info) -> SimulationResult | None:
        """Its result."""
        found = self.view.summary
        return None if found is None else simulation_result(found, self.view.currency, info.context.locale)

    @strawberry.field(description="Winners and losers against what was really paid.")
    async def distributors(
        self,
        sort: Annotated[ChangeSort, strawberry.argument(description="Which come first.")] = ChangeSort.WINNERS,
        search: Annotated[str | None, strawberry.argument(description="A part of code or name.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[SimulatedDistributor]:
        """A page of distributors."""
        page = await queries.distributors(self.view.id, request(first, after), sort, search)
        return connection(page, lambda one: simulated_distributor(one, self.view.currency), after)

    @strawberry.field(description="All distributors as CSV, who would lose most first.")
    async def csv(self) -> str:
        """For a spreadsheet."""
        return await queries.distributors_csv(self.view.id)


def simulation(view: SimulationView) -> Simulation:
    """A simulation for the API."""
    return Simulation(
        view=view,
        id=to_global("Simulation", view.id),
        label=view.label,
        program_number=view.program_number,
        content_hash=view.content_hash,
        paid_from=view.paid_from,
        paid_until=view.paid_until,
        created_at=view.created_at,
        finished_at=view.finished_at,
    )


def simulation_result(found: Summary, currency: str, locale: str) -> SimulationResult:
    """A result for the API."""

    def totals(side: Totals) -> SimulatedTotals:
        return SimulatedTotals(
            commission=money(side.commission_minor, currency),
            awards=money(side.awards_minor, currency),
            paid=money(side.paid_minor, currency),
            company=money(side.company_minor, currency),
            payout_ratio_bps=side.ratio_bps(found.goods_minor),
            capped_lines=side.capped_lines,
            places=[_place(place, currency) for place in side.places],
        )

    return SimulationResult(
        order_count=found.orders,
        line_count=found.lines,
        goods=money(found.goods_minor, currency),
        draft=totals(found.draft),
        real=totals(found.real),
        periods=[period_label(length, first) for length, first in found.periods],
        findings=findings_of(list(found.findings), locale),
        winners=found.winners,
        losers=found.losers,
    )


def _place(place: PlaceSum, currency: str) -> SimulatedPlace:
    component, level, tier, shares, amount_minor = place
    return SimulatedPlace(
        component=component, level=level, tier=tier, shares=shares, amount=money(amount_minor, currency)
    )


def simulated_distributor(one: Change, currency: str) -> SimulatedDistributor:
    """A winner or loser for the API."""
    return SimulatedDistributor(
        distributor_id=to_global("Distributor", one.distributor_id),
        code=one.code,
        name=one.name,
        real=money(one.real_minor, currency),
        draft=money(one.draft_minor, currency),
        change=money(one.change_minor, currency),
    )


@strawberry.type(description="One place in two simulations.")
class ComparedPlace:
    """A component, level and tier."""

    component: str = strawberry.field(description="The component.")
    level: int | None = strawberry.field(description="Distance from the seller; none for what a period brings.")
    tier: str | None = strawberry.field(description="The tier of the beneficiaries.")
    first: Money = strawberry.field(description="In the first.")
    second: Money = strawberry.field(description="In the second.")
    change: Money = strawberry.field(description="The second less the first.")


@strawberry.type(description="Two simulations side by side.")
class SimulationComparison:
    """A comparison."""

    first: Simulation = strawberry.field(description="The first.")
    second: Simulation = strawberry.field(description="The second.")
    places: list[ComparedPlace] = strawberry.field(description="By component, level and tier.")


def comparison(found: Comparison) -> SimulationComparison:
    """A comparison for the API."""
    return SimulationComparison(
        first=simulation(found.first),
        second=simulation(found.second),
        places=[_compared(place, found.first.currency) for place in found.places],
    )


def _compared(place: PlaceChange, currency: str) -> ComparedPlace:
    return ComparedPlace(
        component=place.component,
        level=place.level,
        tier=place.tier,
        first=money(place.first_minor, currency),
        second=money(place.second_minor, currency),
        change=money(place.second_minor - place.first_minor, currency),
    )


@strawberry.input(description="What to replay: a stored version or a document, over the orders paid in some days.")
class SimulateProgramInput:
    """Either a number or a document."""

    number: int | None = strawberry.field(default=None, description="A version, most often a draft.")
    document: str | None = strawberry.field(default=None, description="A whole program that need not be saved.")
    format: DocumentFormat = strawberry.field(default=DocumentFormat.YAML, description="How the document is written.")
    since: date = strawberry.field(description="The first day, in the brand's calendar.")
    until: date = strawberry.field(description="The day after the last.")
    label: str = strawberry.field(default="", description="What people shall call it; the program's name by default.")


@strawberry.type(description="A simulation that was begun; its job does it.")
class SimulationPayload(Payload):
    """Answer of asking for one."""

    simulation: Simulation | None = strawberry.field(default=None, description="The simulation; none when refused.")
    findings: list[ProgramFinding] = strawberry.field(
        default_factory=list, description="Why a document cannot be read, if it cannot."
    )


One = Annotated[strawberry.ID, strawberry.argument(description="The simulation.")]


@strawberry.type
class SimulationQuery:
    """Reads of simulations."""

    @strawberry.field(description="One simulation.")
    async def simulation(self, id: One) -> Simulation:
        """A simulation."""
        return simulation(await queries.simulation(_id(id, "id")))

    @strawberry.field(description="The brand's simulations, the latest first.")
    async def simulations(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[Simulation]:
        """A page of simulations."""
        return connection(await queries.simulations(request(first, after)), simulation, after)

    @strawberry.field(description="One order as it was decided and under a simulation's draft, share by share.")
    async def simulated_order(
        self, simulation: One, order: Annotated[strawberry.ID, strawberry.argument(description="The order.")]
    ) -> SimulatedOrder:
        """Both versions."""
        order_id = OrderId(from_global("Order", order, "order"))
        return simulated_order(await queries.simulated_order(_id(simulation, "simulation"), order_id))

    @strawberry.field(description="Two simulations side by side.")
    async def compare_simulations(
        self,
        simulation: One,
        other: Annotated[strawberry.ID, strawberry.argument(description="The other simulation.")],
    ) -> SimulationComparison:
        """A comparison."""
        return comparison(await queries.compare(_id(simulation, "simulation"), _id(other, "other")))


def _id(value: str, field: str) -> SimulationId:
    return SimulationId(from_global("Simulation", value, field))


@strawberry.type
class SimulationMutation:
    """Writes of simulations."""

    @strawberry.mutation(description="Replay real orders under a program, as a job. Nothing else is touched.")
    @refusals(SimulationPayload)
    async def simulate_program(self, info: Info, input: In[SimulateProgramInput]) -> SimulationPayload:
        """Ask for a simulation."""
        asked = commands.Simulate(
            number=input.number,
            document=input.document,
            format=input.format.value,
            since=input.since,
            until=input.until,
            label=input.label,
        )
        try:
            return SimulationPayload(simulation=simulation(await commands.simulate(asked, info.context.who)))
        except ProgramUnreadable as refused:
            found = findings_of(cast(list[Finding], refused.params["findings"]), info.context.locale)
            return SimulationPayload(user_errors=user_errors([refused], info.context.locale), findings=found)
