"""Distributors and the tree they stand in."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Annotated, ClassVar

import strawberry
from strawberry.dataloader import DataLoader

from saas.base import clock
from saas.base.errors import NotFound
from saas.base.ids import DistributorId
from saas.base.rows import Column
from saas.network import queries
from saas.network.queries import (
    DistributorRow,
    Downline,
    Filters,
    SalesPeriod,
    Sort,
    SortKey,
    Totals,
    Visibility,
)
from saas.network.queries import TierPin as PinRow
from saas.network.rules import Kind, Status
from schema.asked import members_asked
from schema.context import Info
from schema.enums import described
from schema.execution.rows import Wraps, for_all, of_row
from schema.ids import from_global, maybe_global, writer
from schema.network_history import Sponsorship, Standing, TierPin, sponsorship, standing
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import Money, money
from tenants import registry
from tenants.actors import Role
from tenants.program.versions import active_program

described("What a distributor is in law.", name="DistributorKind", PERSON="A person.", FIRM="A firm.")(Kind)
described(
    "What a list of distributors is ordered by; equal keys by id.",
    name="DistributorSort",
    CODE="By code.",
    NAME="By name.",
    JOINED_AT="By when they joined; applicants by when they applied.",
    LEVEL="By distance from the one the list is about.",
    TREE="Everybody before its own downline.",
    OWN_SALES="By own sales in the period.",
    GROUP_SALES="By the sales of the whole subtree in the period.",
)(SortKey)


@strawberry.input(description="Days of the brand's calendar, the last one excluded.")
class SalesPeriodInput:
    """``[first, until)``."""

    first: date = strawberry.field(description="The first day.")
    until: date = strawberry.field(description="The day after the last one.")


@strawberry.type(description="What a distributor and its team sold in a period.")
class DistributorTotals:
    """Totals of one person and of its subtree."""

    own_sales: Money = strawberry.field(description="What it sold itself.")
    group_sales: Money = strawberry.field(description="What its whole subtree sold, itself included.")
    head_count: int = strawberry.field(
        description="Members of the subtree, itself included, who have joined and not left."
    )


async def _sponsors(all_: Sequence["Distributor"], info: Info) -> list["Distributor | None"]:
    return await distributors_by_id(info, [one.row.sponsor_id for one in all_])


async def _totals(
    all_: Sequence["Distributor"], info: Info, period: SalesPeriodInput | None = None
) -> list[DistributorTotals]:
    """Of distributors as they stood at one moment."""
    days, view, (as_of,) = await sales_period(period), await viewing(info), {one.as_of for one in all_}

    async def load(ids: list[DistributorId]) -> list[Totals]:
        found = await queries.totals_of(ids, days, view, as_of=as_of)
        return [found.get(id_) or Totals(0, 0, 0) for id_ in ids]

    loaded = await info.context.loader(f"totals:{days}:{as_of}", load).load_many([one.row.id for one in all_])
    return [
        DistributorTotals(
            own_sales=money(totals.own_minor, days.currency),
            group_sales=money(totals.group_minor, days.currency),
            head_count=totals.head_count,
        )
        for totals in loaded
    ]


_global = writer("Distributor")
_maybe_global = partial(maybe_global, "Distributor")


@strawberry.type(description="A person or firm enrolled in the brand's network (分销商).")
class Distributor:
    """A distributor. What costs another read is a method, loaded for a whole page at once."""

    raw_columns: ClassVar[Mapping[str, Column]] = queries.COLUMNS
    row: strawberry.Private[DistributorRow]
    as_of: strawberry.Private[datetime | None]
    id: strawberry.ID = strawberry.field(resolver=of_row("id", _global), description="Global id.")
    code: str = strawberry.field(resolver=of_row("code"), description="Its code, unique in the brand.")
    name: str = strawberry.field(
        resolver=of_row("name"), description="Its name, shortened for who may not read it in full."
    )
    kind: Kind = strawberry.field(resolver=of_row("kind"), description="What it is in law.")
    status: Status = strawberry.field(resolver=of_row("status"), description="Where it is in its life with the brand.")
    tier: str = strawberry.field(resolver=of_row("tier"), description="Its rank (级别), a code of the program.")
    region: str | None = strawberry.field(resolver=of_row("region"), description="Its region, GB/T 2260.")
    sponsor_id: strawberry.ID | None = strawberry.field(
        resolver=of_row("sponsor_id", _maybe_global), description="Its sponsor (上级); none on top."
    )
    depth: int = strawberry.field(resolver=of_row("depth"), description="Generations above it.")
    level: int = strawberry.field(
        resolver=of_row("level"), description="Distance from the distributor the list is about."
    )
    phone_masked: str | None = strawberry.field(
        resolver=of_row("phone_masked"), description="Its phone number, the middle hidden."
    )
    id_number_masked: str | None = strawberry.field(
        resolver=of_row("id_number_masked"), description="Its identity number, the middle hidden."
    )
    applied_at: datetime = strawberry.field(resolver=of_row("applied_at"), description="When it applied.")
    joined_at: datetime | None = strawberry.field(resolver=of_row("joined_at"), description="When it joined.")
    exited_at: datetime | None = strawberry.field(resolver=of_row("exited_at"), description="When it left.")

    @strawberry.field(description="Its sponsor (上级); none on top, or for who may not see it.")
    @for_all(_sponsors)
    async def sponsor(self, info: Info) -> Annotated["Distributor", strawberry.lazy("schema.network")] | None:
        """The direct parent."""
        return (await _sponsors([self], info))[0]

    @strawberry.field(description="Sales of itself and of its subtree, and the head count; by default of this month.")
    @for_all(_totals)
    async def totals(
        self,
        info: Info,
        period: Annotated[
            SalesPeriodInput | None, strawberry.argument(description="Which days; this month by default.")
        ] = None,
    ) -> DistributorTotals:
        """Loaded in one statement for all rows of a page."""
        return (await _totals([self], info, period))[0]

    @strawberry.field(description="Everybody above, the sponsor first (上线).")
    async def upline(self, info: Info) -> list[Annotated["Distributor", strawberry.lazy("schema.network")]]:
        """As far up as the caller may see."""
        rows = await queries.upline(self.row.id, await viewing(info), as_of=self.as_of)
        return [distributor(row, self.as_of) for row in rows]

    @strawberry.field(description="Those directly under it.")
    async def children(
        self, info: Info, first: First = PAGE_DEFAULT, after: After = None
    ) -> Connection[Annotated["Distributor", strawberry.lazy("schema.network")]]:
        """A page of the direct downline."""
        view, only = await viewing(info), members_asked(info)
        page = await queries.children(self.row.id, request(first, after), view, as_of=self.as_of, only=only)
        return connection(page, Wraps(Distributor, as_of=self.as_of), after)

    @strawberry.field(description="Under whom it stood, from the first sponsor to the present one.")
    async def sponsorships(self, info: Info) -> list[Sponsorship]:
        """The history."""
        return [sponsorship(row) for row in await queries.history(self.row.id, await viewing(info))]

    @strawberry.field(description="Its tiers and statuses, from the first to the present one: why, when, and by whom.")
    async def standing_history(
        self, info: Info, first: First = PAGE_DEFAULT, after: After = None
    ) -> Connection[Standing]:
        """A page of the history."""
        page = await queries.standings(self.row.id, request(first, after), await viewing(info))
        return connection(page, standing, after)

    @strawberry.field(description="The pin of its tier; none where the reviews of periods decide.")
    async def tier_pin(self, info: Info) -> TierPin | None:
        """Loaded in one statement for all rows of a page."""
        view = await viewing(info)

        async def load(ids: list[DistributorId]) -> list[TierPin | None]:
            found = await queries.pins_of(ids, view)
            return [_pin(found.get(id_)) for id_ in ids]

        return await info.context.loader("tier_pin", load).load(self.row.id)


def _pin(found: PinRow | None) -> TierPin | None:
    return None if found is None else TierPin(until=found.until, reason=found.reason, pinned_at=found.pinned_at)


def distributor(row: DistributorRow, as_of: datetime | None = None) -> Distributor:
    """A distributor for the API."""
    return Distributor(row=row, as_of=as_of)


async def viewing(info: Info) -> Visibility | None:
    """What the caller may see of the tree: everything for staff and keys, its own part for a distributor."""
    context = info.context
    who = context.who
    if who.role is not Role.DISTRIBUTOR or who.distributor_id is None:
        return None
    if context.visibility is None:
        allowed = (await active_program()).program.visibility
        context.visibility = await queries.visibility_of(
            who.distributor_id, generations=allowed.downline_depth, masked=allowed.personal_data == "masked"
        )
    if context.visibility is None:
        raise NotFound(kind="distributor", value=who.label)
    return context.visibility


async def sales_period(period: SalesPeriodInput | None) -> SalesPeriod:
    """The days asked for, or this month so far, in the brand's calendar and currency."""
    brand = await registry.this_brand()
    if period is not None:
        return SalesPeriod(first=period.first, until=period.until, currency=brand.currency)
    today = clock.local_day(clock.now(), brand.time_zone)
    following = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    return SalesPeriod(first=today.replace(day=1), until=following, currency=brand.currency)


async def distributor_by_id(info: Info, id_: DistributorId) -> Distributor | None:
    """One distributor, loaded together with the others a page asks for."""
    return await _distributors(info, await viewing(info)).load(id_)


async def distributors_by_id(info: Info, ids: Sequence[DistributorId | None]) -> list[Distributor | None]:
    """Many at once, with nobody where there is no id."""
    wanted = list({id_ for id_ in ids if id_ is not None})
    loader = _distributors(info, await viewing(info))
    found = dict(zip(wanted, await loader.load_many(wanted), strict=True)) if wanted else {}
    return [None if id_ is None else found[id_] for id_ in ids]


def prime_distributors(info: Info, rows: Mapping[DistributorId, DistributorRow]) -> None:
    """Have these rows at hand, for a caller who may read all of the tree."""
    _distributors(info, None).prime_many({id_: distributor(row) for id_, row in rows.items()})


def _distributors(info: Info, view: Visibility | None) -> DataLoader[DistributorId, Distributor | None]:
    """The distributors that the request names, each read once."""

    async def load(ids: list[DistributorId]) -> list[Distributor | None]:
        found = await queries.find(ids, view)
        return [distributor(found[id_]) if id_ in found else None for id_ in ids]

    return info.context.loader("distributor", load)


async def _as_of(info: Info, row: DistributorRow, moment: datetime) -> Distributor:
    """The distributor in the tree of a past moment."""
    above = await queries.upline(row.id, await viewing(info), as_of=moment)
    return distributor(row._replace(sponsor_id=above[0].id if above else None, depth=len(above)), moment)


@strawberry.type
class NetworkQuery:
    """Reads of the tree."""

    @strawberry.field(description="One distributor, by id or by code; the caller itself by default.")
    async def distributor(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Global id.")] = None,
        code: Annotated[str | None, strawberry.argument(description="Code.")] = None,
        as_of: Annotated[
            datetime | None, strawberry.argument(description="With the sponsor, upline, children and team of then.")
        ] = None,
    ) -> Distributor:
        """A distributor; unknown and invisible ones are the same."""
        if id is None and code is not None:
            row = await queries.by_code(code, await viewing(info))
            if row is None:
                raise NotFound("code", kind="distributor", value=code[:60])
            found: Distributor | None = distributor(row)
        else:
            wanted = DistributorId(from_global("Distributor", id, "id")) if id else info.context.who.distributor_id
            found = await distributor_by_id(info, wanted) if wanted else None
        if found is None:
            raise NotFound("id", kind="distributor", value=id or "-")
        return found if as_of is None else await _as_of(info, found.row, as_of)

    @strawberry.field(
        description="The downline (下线) of a distributor as one flat list: of the caller itself by default, for staff "
        "the whole network. Filters, sorts and totals see what the caller may see."
    )
    async def downline(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Whose downline.")] = None,
        max_depth: Annotated[int | None, strawberry.argument(description="Levels below, 1 is the direct ones.")] = None,
        statuses: Annotated[list[Status] | None, strawberry.argument(description="Only these statuses.")] = None,
        tiers: Annotated[list[str] | None, strawberry.argument(description="Only these tiers.")] = None,
        regions: Annotated[list[str] | None, strawberry.argument(description="Only these regions.")] = None,
        search: Annotated[str | None, strawberry.argument(description="Part of the code or name.")] = None,
        sort: Annotated[SortKey, strawberry.argument(description="The order.")] = SortKey.TREE,
        descending: Annotated[bool, strawberry.argument(description="The other way round.")] = False,
        period: Annotated[
            SalesPeriodInput | None, strawberry.argument(description="For sorts by sales; this month by default.")
        ] = None,
        as_of: Annotated[
            datetime | None, strawberry.argument(description="The tree of that moment instead of today's.")
        ] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Distributor]:
        """A page of the downline."""
        view = await viewing(info)
        whose = DistributorId(from_global("Distributor", of, "of")) if of else info.context.who.distributor_id
        by_sales = sort in {SortKey.OWN_SALES, SortKey.GROUP_SALES}
        asked = Downline(
            of=whose,
            max_depth=max_depth,
            filters=Filters(statuses=statuses, tiers=tiers, regions=regions, search=search),
            sort=Sort(key=sort, descending=descending, period=await sales_period(period) if by_sales else None),
            as_of=as_of,
        )
        page = await queries.downline(asked, request(first, after), view, only=members_asked(info))
        return connection(page, Wraps(Distributor, as_of=as_of), after)

    @strawberry.field(description="Everybody above a distributor, the sponsor first (上线).")
    async def upline(
        self,
        info: Info,
        of: Annotated[strawberry.ID, strawberry.argument(description="Whose upline.")],
        as_of: Annotated[datetime | None, strawberry.argument(description="In the tree of that moment.")] = None,
    ) -> list[Distributor]:
        """The upline."""
        wanted = DistributorId(from_global("Distributor", of, "of"))
        return [distributor(row, as_of) for row in await queries.upline(wanted, await viewing(info), as_of=as_of)]
