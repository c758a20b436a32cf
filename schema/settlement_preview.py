"""What closing the next period would do."""

from datetime import datetime

import strawberry

from saas.settlement import queries
from saas.settlement.rules import Draft
from schema.ids import to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import Money, money


@strawberry.type(
    description="A statement as closing the next period would write it; the amounts are those of `Statement`."
)
class DraftStatement:
    """A draft."""

    distributor_id: strawberry.ID = strawberry.field(description="Whose it is.")
    line_count: int = strawberry.field(description="How many shares of commission it would settle.")
    opening: Money = strawberry.field(description="The settled balance before.")
    commission: Money = strawberry.field(description="Commission that became available.")
    awards: Money = strawberry.field(description="Rebates and bonuses.")
    adjustments: Money = strawberry.field(description="Adjustments that were approved.")
    penalties: Money = strawberry.field(description="Penalties that were approved, negative, less those lifted.")
    other: Money = strawberry.field(description="All else that moved the settled balance.")
    payouts: Money = strawberry.field(description="Payouts since the statement before, negative.")
    debt: Money = strawberry.field(description="What is owed before it.")
    recovered: Money = strawberry.field(description="What it would take of that.")
    debt_left: Money = strawberry.field(description="What would be owed on.")
    set_aside: Money = strawberry.field(description="Debt moved to its own account, or paid there (negative).")
    closing: Money = strawberry.field(description="What could be asked for after it.")


def draft_statement(one: Draft, currency: str) -> DraftStatement:
    """A draft for the API."""
    return DraftStatement(
        distributor_id=to_global("Distributor", one.distributor_id),
        line_count=one.lines,
        opening=money(one.opening_minor, currency),
        commission=money(one.commission_minor, currency),
        awards=money(one.awards_minor, currency),
        adjustments=money(one.adjusted_minor, currency),
        penalties=money(one.penalties_minor, currency),
        other=money(one.adjustment_minor, currency),
        payouts=money(one.payout_minor, currency),
        debt=money(one.recovery.debt_minor, currency),
        recovered=money(one.recovery.recovered_minor, currency),
        debt_left=money(one.recovery.left_minor, currency),
        set_aside=money(one.recovery.set_aside_minor, currency),
        closing=money(one.closing_minor, currency),
    )


@strawberry.type(description="What closing the next period would do as things are now.")
class SettlementPreview:
    """A preview; nothing is written."""

    label: str = strawberry.field(description="The period.")
    period_from: datetime = strawberry.field(description="Its first moment.")
    period_until: datetime = strawberry.field(description="The moment after its last.")
    over: bool = strawberry.field(description="Whether it may be closed already.")
    statement_count: int = strawberry.field(description="How many statements it would make.")
    line_count: int = strawberry.field(description="How many shares of commission it would settle.")
    commission: Money = strawberry.field(description="Commission it would settle.")
    awards: Money = strawberry.field(description="Rebates and bonuses it would settle.")
    adjustments: Money = strawberry.field(description="Adjustments it would settle.")
    penalties: Money = strawberry.field(description="Penalties it would settle, negative, less those lifted.")
    debt: Money = strawberry.field(description="What is owed before it.")
    recovered: Money = strawberry.field(description="What it would take of that.")
    payable: Money = strawberry.field(description="What could be asked for after it.")

    @strawberry.field(description="The statements it would make, by distributor.")
    async def statements(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection["DraftStatement"]:
        """A page of them."""
        return connection(await queries.previewed(request(first, after)), self.draft, after)

    currency: strawberry.Private[str]

    def draft(self, one: Draft) -> "DraftStatement":
        """A statement that is not written yet."""
        return draft_statement(one, self.currency)


@strawberry.type
class SettlementPreviewQuery:
    """Looking ahead."""

    @strawberry.field(description="What closing the next period would do as things are now.")
    async def settlement_preview(self) -> SettlementPreview:
        """A dry run."""
        found = await queries.preview()
        return SettlementPreview(
            label=found.period.label,
            period_from=found.period.since,
            period_until=found.period.until,
            over=found.over,
            statement_count=found.statements,
            line_count=found.lines,
            commission=money(found.commission_minor, found.currency),
            awards=money(found.awards_minor, found.currency),
            adjustments=money(found.adjusted_minor, found.currency),
            penalties=money(found.penalties_minor, found.currency),
            debt=money(found.debt_minor, found.currency),
            recovered=money(found.recovered_minor, found.currency),
            payable=money(found.payable_minor, found.currency),
            currency=found.currency,
        )
