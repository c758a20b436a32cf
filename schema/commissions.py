"""Commission: what each share of an order line is, and why."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.base.errors import NotFound
from saas.base.ids import DistributorId
from saas.commissions import queries
from saas.commissions.explain import explain
from saas.commissions.queries import CommissionFilter, CommissionSort, CommissionView, LevelSum
from saas.commissions.rules import Outcome, Reason, Share
from schema.context import Info
from schema.enums import described
from schema.execution.rows import for_all
from schema.ids import from_global, maybe_global, to_global
from schema.network import Distributor, distributors_by_id
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import BigInt, Money, money
from tenants.actors import Role

described(
    "The order of a list of commission.",
    NEWEST="The latest first.",
    OLDEST="The oldest first.",
    LARGEST="The largest amount first.",
    SMALLEST="The smallest amount first.",
)(CommissionSort)
described(
    "What became of a share.",
    name="CommissionOutcome",
    EARNED="Somebody earned it.",
    KEPT="The company keeps it.",
    NOT_DUE="Nothing was due here.",
)(Outcome)
described(
    "Why a share is what it is.",
    name="CommissionReason",
    IN_FULL="Paid in full.",
    MOVED_UP="Moved up in place of an upline that was not active.",
    WITHIN_TOP_RATE="Reduced so that all shares of a differential together stay within the highest rate paid.",
    CAPPED="Reduced by the limit on what a line may pay out.",
    LEAD_SHARED="Shared with the distributor of the customer's region.",
    NO_SELLER="The brand itself sold.",
    NO_UPLINE="There is no upline at this level.",
    SUSPENDED="Suspended at the sale.",
    EXITED="Had left at the sale.",
    NOT_ACTIVE="Was not active at the sale.",
    SELF_PURCHASE="The program pays the seller nothing on its own purchases.",
    NOT_QUALIFIED="Its own sales in the period were below what the program asks of an upline.",
    RATE_ZERO="The rate is zero.",
    NO_BASE="There is nothing to apply the rate to.",
    ROUNDED_TO_ZERO="The share rounds to nothing.",
    CAPPED_TO_ZERO="The limit on what a line may pay out left nothing.",
    NO_DIFFERENCE="A rate as high was reached below already.",
    LEAD_TO_PARTNER="The whole share goes to the distributor of the customer's region.",
    SUSPENDED_PASSED_OVER="Suspended at the sale; the level passed to the next active upline.",
    EXITED_PASSED_OVER="Had left at the sale; the level passed to the next active upline.",
    NOT_ACTIVE_PASSED_OVER="Was not active at the sale; the level passed to the next active upline.",
    FIXED_INSTEAD="A fixed amount for the product takes its place; the pieces count all the same.",
    NO_COMPONENT="No component of the program covers this product.",
    BEYOND_PAID_LEVELS="Commission does not reach this level.",
)(Reason)


@described(
    "Where the money of a share is.",
    NOTHING="There is none.",
    PENDING="Earned; the hold is not over.",
    AVAILABLE="The hold is over; the next settlement takes it.",
    SETTLED="On a statement.",
    REVERSED="Taken back with the sale, all of it returned, or given up at an exit.",
)
class CommissionStatus(StrEnum):
    """As in the table of commission."""

    NOTHING = "nothing"
    PENDING = "pending"
    AVAILABLE = "available"
    SETTLED = "settled"
    REVERSED = "reversed"


@strawberry.type(description="Pieces that bring more than the amount a piece.")
class CommissionLift:
    """One term of the arithmetic of pieces with volume."""

    pieces: BigInt = strawberry.field(description="How many; negative when an earlier lift of them is replaced.")
    extra: Money = strawberry.field(description="What each of them brings more.")


@strawberry.type(description="The numbers that rate, base and quantity do not tell; none where they play no part.")
class CommissionArithmetic:
    """The detail of a share by name."""

    full: Money = strawberry.field(description="The amount before any limit, and before a lead was shared.")
    pieces_before: BigInt | None = strawberry.field(description="Pieces the seller sold in the period before the line.")
    made_up: Money | None = strawberry.field(
        description="Lift of pieces before that was open because orders were undone, and that this line makes up for."
    )
    lifts: list[CommissionLift] = strawberry.field(description="Pieces of the period that bring more.")
    own_rate_bps: int | None = strawberry.field(description="Of a differential: the rate of the beneficiary's tier.")
    rate_below_bps: int | None = strawberry.field(description="Of a differential: the highest rate below.")
    own_sales: Money | None = strawberry.field(description="Own sales in the period, when they were not enough.")
    needed_sales: Money | None = strawberry.field(description="The own sales that the program asks of an upline.")
    split_bps: int | None = strawberry.field(description="The part of the seller's whole share, when a lead shares it.")
    whole: Money | None = strawberry.field(description="The seller's whole share, when a lead shares it.")


def commission_arithmetic(share: Share, currency: str) -> CommissionArithmetic:
    """The detail of a share for the API."""

    def maybe(amount_minor: int | None) -> Money | None:
        return None if amount_minor is None else money(amount_minor, currency)

    numbers = share.arithmetic
    return CommissionArithmetic(
        full=money(share.full_minor, currency),
        pieces_before=None if numbers.pieces_before is None else BigInt(numbers.pieces_before),
        made_up=maybe(numbers.made_up_minor),
        lifts=[CommissionLift(pieces=BigInt(pieces), extra=money(extra, currency)) for pieces, extra in numbers.lifts],
        own_rate_bps=numbers.own_rate_bps,
        rate_below_bps=numbers.rate_below_bps,
        own_sales=maybe(numbers.own_sales_minor),
        needed_sales=maybe(numbers.needed_minor),
        split_bps=numbers.split_bps,
        whole=maybe(numbers.whole_minor),
    )


async def _beneficiaries(all_: Sequence["Commission"], info: Info) -> list[Distributor | None]:
    ids = [one.share.beneficiary_id for one in all_]
    return await distributors_by_id(info, [None if id_ is None else DistributorId(id_) for id_ in ids])


@strawberry.type(description="One share of one order line (佣金), with everything that explains it.")
class Commission:
    """A share, earned or not."""

    share: strawberry.Private[Share]
    currency: strawberry.Private[str]
    reversed_minor: strawberry.Private[int] = 0
    evened_minor: strawberry.Private[int] = 0
    id: strawberry.ID | None = strawberry.field(description="Global id; none for a level commission does not reach.")
    order_id: strawberry.ID = strawberry.field(description="The order.")
    line_id: strawberry.ID = strawberry.field(description="The order's line.")
    component: str | None = strawberry.field(
        description="The component of the program it came from; /lead and /same_tier mark parts of their own."
    )
    program_number: int = strawberry.field(description="The version of the program it came from.")
    level: int = strawberry.field(description="Distance from the seller; 0 is the seller.")
    beneficiary_id: strawberry.ID | None = strawberry.field(description="Who stands at this level, if anybody does.")
    tier: str | None = strawberry.field(description="The beneficiary's tier at the sale.")
    rate_bps: int | None = strawberry.field(
        description="The rate, in basis points, when it is one; of a differential the difference."
    )
    quantity: BigInt = strawberry.field(description="Pieces of the line.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    reason: Reason = strawberry.field(description="Why.")
    status: CommissionStatus = strawberry.field(description="Where the money is.")
    earned_at: datetime | None = strawberry.field(description="When the order was paid.")
    hold_until: datetime | None = strawberry.field(description="When the hold ends; none before delivery.")
    statement_id: strawberry.ID | None = strawberry.field(description="The statement it is on, once settled.")

    @strawberry.field(description="The amount of this share, as of the sale.")
    def amount(self) -> Money:
        """In the order's currency."""
        return money(self.share.amount_minor, self.currency)

    @strawberry.field(description="What returns and evening took back of the amount, wherever the money was by then.")
    def taken_back(self) -> Money:
        """In the order's currency."""
        return money(self.reversed_minor, self.currency)

    @strawberry.field(
        description="Of the lift of pieces with volume: what was evened, because pieces of other orders that it was "
        "reached with were undone. Before any limit and before a lead was shared; part of takenBack as it was paid."
    )
    def evened(self) -> Money:
        """In the order's currency."""
        return money(self.evened_minor, self.currency)

    @strawberry.field(description="What the rate was applied to.")
    def base(self) -> Money:
        """In the order's currency."""
        return money(self.share.base_minor, self.currency)

    @strawberry.field(description="The amount per piece, when it is one.")
    def per_piece(self) -> Money | None:
        """In the order's currency."""
        each = self.share.per_piece_minor
        return None if each is None else money(each, self.currency)

    @strawberry.field(description="The other numbers of its arithmetic.")
    def arithmetic(self) -> CommissionArithmetic:
        """In the order's currency."""
        return commission_arithmetic(self.share, self.currency)

    @strawberry.field(description="The share in one sentence, in the caller's language.")
    def explanation(self, info: Info) -> str:
        """Also why nothing was earned."""
        return explain(self.share, info.context.locale, program_number=self.program_number, currency=self.currency)

    @strawberry.field(description="Who stands at this level, if the caller may see it.")
    @for_all(_beneficiaries)
    async def beneficiary(self, info: Info) -> Distributor | None:
        """Loaded for a whole page at once."""
        return (await _beneficiaries([self], info))[0]


def commission(view: CommissionView) -> Commission:
    """A stored share for the API."""
    share = view.share
    return Commission(
        share=share,
        currency=view.currency,
        reversed_minor=view.reversed_minor,
        evened_minor=view.evened_minor,
        id=to_global("Commission", view.id),
        order_id=to_global("Order", view.order_id),
        line_id=to_global("OrderLine", view.line_id),
        component=share.component or None,
        program_number=view.program_number,
        level=share.level,
        beneficiary_id=maybe_global("Distributor", share.beneficiary_id),
        tier=share.tier,
        rate_bps=share.rate_bps,
        quantity=BigInt(share.quantity),
        outcome=share.outcome,
        reason=share.reason,
        status=CommissionStatus(view.status),
        earned_at=view.earned_at,
        hold_until=view.hold_until,
        statement_id=maybe_global("Statement", view.statement_id),
    )


@strawberry.type(description="What one level of one component came to.")
class CommissionSum:
    """A row of the summary."""

    component: str = strawberry.field(description="The component of the program.")
    level: int = strawberry.field(description="The level.")
    shares: int = strawberry.field(description="How many shares earned and stand.")
    earned: Money = strawberry.field(description="What they came to.")
    reversed: Money = strawberry.field(description="What was taken back.")


def commission_sum(row: LevelSum) -> CommissionSum:
    """A row for the API."""
    return CommissionSum(
        component=row.component,
        level=row.level,
        shares=row.shares,
        earned=money(row.earned_minor, row.currency),
        reversed=money(row.reversed_minor, row.currency),
    )


Statuses = Annotated[list[CommissionStatus] | None, strawberry.argument(description="Only these statuses.")]
Components = Annotated[list[str] | None, strawberry.argument(description="Only these components.")]
Since = Annotated[datetime | None, strawberry.argument(description="Paid at this moment or later.")]
Until = Annotated[datetime | None, strawberry.argument(description="Paid before this moment.")]
Beneficiary = Annotated[
    strawberry.ID | None, strawberry.argument(description="Whose; a distributor sees its own only, and by default.")
]


@strawberry.type
class CommissionQuery:
    """Reads of commission."""

    @strawberry.field(description="What one distributor earned, or did not although its level was reached.")
    async def commissions(
        self,
        info: Info,
        beneficiary: Beneficiary = None,
        statuses: Statuses = None,
        components: Components = None,
        since: Since = None,
        until: Until = None,
        sort: Annotated[CommissionSort, strawberry.argument(description="The order.")] = CommissionSort.NEWEST,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Commission]:
        """A page of shares."""
        whose = own_or_asked(info, beneficiary, "beneficiary")
        if whose is None:
            whose = DistributorId(from_global("Distributor", beneficiary or "", "beneficiary"))
        wanted = _filter(statuses, components, since, until)
        return connection(await queries.of_beneficiary(whose, request(first, after), wanted, sort), commission, after)

    @strawberry.field(description="Sums by component and level: of one distributor, or for staff of the whole brand.")
    async def commission_summary(
        self,
        info: Info,
        beneficiary: Beneficiary = None,
        statuses: Statuses = None,
        components: Components = None,
        since: Since = None,
        until: Until = None,
    ) -> list[CommissionSum]:
        """The summary."""
        whose = own_or_asked(info, beneficiary, "beneficiary")
        rows = await queries.summary(_filter(statuses, components, since, until), whose)
        return [commission_sum(row) for row in rows]


def _filter(
    statuses: Sequence[CommissionStatus] | None,
    components: Sequence[str] | None,
    since: datetime | None,
    until: datetime | None,
) -> CommissionFilter:
    chosen = [status.value for status in statuses] if statuses is not None else None
    return CommissionFilter(statuses=chosen, components=components, since=since, until=until)


def own_or_asked(info: Info, asked: strawberry.ID | None, field: str) -> DistributorId | None:
    """Whose money is read: a distributor's own whatever it asks for, else the one asked for, if one was.

    Raises ``NotFound`` when a distributor asks for somebody else, as for somebody who does not exist.
    """
    who = info.context.who
    wanted = DistributorId(from_global("Distributor", asked, field)) if asked else None
    if who.role is not Role.DISTRIBUTOR:
        return wanted
    if wanted not in {None, who.distributor_id}:
        raise NotFound(field, kind="distributor", value=asked)
    return who.distributor_id
