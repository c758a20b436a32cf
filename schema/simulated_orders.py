"""A single order as it was decided and under a simulation's draft, share by share."""

import strawberry

from saas.base.ids import DistributorId
from saas.commissions.explain import explain
from saas.commissions.rules import Outcome, Reason, Share
from saas.simulation.queries import ReplayedLine, ReplayedOrder
from schema.commissions import CommissionArithmetic, commission_arithmetic
from schema.context import Info
from schema.ids import maybe_global, to_global
from schema.network import Distributor, distributor_by_id
from schema.scalars import BigInt, Money, money


@strawberry.type(description="One share of a line, real or under a draft.")
class SimulatedShare:
    """A share, earned or not."""

    share: strawberry.Private[Share]
    currency: strawberry.Private[str]
    program_number: int = strawberry.field(description="The version it follows; 0 is a document never saved.")
    component: str | None = strawberry.field(description="The component; none for a level commission does not reach.")
    level: int = strawberry.field(description="Distance from the seller.")
    beneficiary_id: strawberry.ID | None = strawberry.field(description="Who stands at this level.")
    tier: str | None = strawberry.field(description="Its tier at the sale.")
    amount: Money = strawberry.field(description="The amount.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    reason: Reason = strawberry.field(description="Why.")

    @strawberry.field(description="The numbers of its arithmetic.")
    def arithmetic(self) -> CommissionArithmetic:
        """In the order's currency."""
        return commission_arithmetic(self.share, self.currency)

    @strawberry.field(description="The share in one sentence, in the caller's language.")
    def explanation(self, info: Info) -> str:
        """Also why nothing was earned."""
        return explain(self.share, info.context.locale, program_number=self.program_number, currency=self.currency)

    @strawberry.field(description="Who stands at this level.")
    async def beneficiary(self, info: Info) -> Distributor | None:
        """Loaded for all shares at once."""
        id_ = self.share.beneficiary_id
        return None if id_ is None else await distributor_by_id(info, DistributorId(id_))


def simulated_share(share: Share, number: int, currency: str) -> SimulatedShare:
    """A share for the API."""
    return SimulatedShare(
        share=share,
        currency=currency,
        program_number=number,
        component=share.component or None,
        level=share.level,
        beneficiary_id=maybe_global("Distributor", share.beneficiary_id),
        tier=share.tier,
        amount=money(share.amount_minor, currency),
        outcome=share.outcome,
        reason=share.reason,
    )


@strawberry.type(description="A line of an order in both versions.")
class SimulatedLine:
    """A line."""

    line_id: strawberry.ID = strawberry.field(description="The order's line.")
    sku: str = strawberry.field(description="The product.")
    quantity: BigInt = strawberry.field(description="Pieces.")
    amount: Money = strawberry.field(description="What was paid for the goods.")
    real: list[SimulatedShare] = strawberry.field(description="Its shares as they were decided.")
    draft: list[SimulatedShare] = strawberry.field(description="Its shares under the draft.")
    real_company: Money | None = strawberry.field(description="What commission really left to the company.")
    draft_company: Money = strawberry.field(description="What the draft leaves to it.")


@strawberry.type(description="An order in both versions.")
class SimulatedOrder:
    """An order."""

    order_id: strawberry.ID = strawberry.field(description="The order.")
    number: str = strawberry.field(description="Its number.")
    lines: list[SimulatedLine] = strawberry.field(description="Its lines.")


def simulated_order(found: ReplayedOrder) -> SimulatedOrder:
    """An order for the API."""
    number, currency = found.simulation.program_number or 0, found.order.currency

    def line(one: ReplayedLine) -> SimulatedLine:
        kept = one.line.company_minor
        return SimulatedLine(
            line_id=to_global("OrderLine", one.line.id),
            sku=one.line.sku,
            quantity=BigInt(one.line.quantity),
            amount=money(one.line.amount_minor, currency),
            real=[simulated_share(share.share, share.program_number, currency) for share in one.real],
            draft=[simulated_share(share, number, currency) for share in one.draft],
            real_company=None if kept is None else money(kept, currency),
            draft_company=money(one.draft_company_minor, currency),
        )

    return SimulatedOrder(
        order_id=to_global("Order", found.order.id),
        number=found.order.number,
        lines=[line(one) for one in found.lines],
    )
