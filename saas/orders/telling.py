"""An order as it would be read, told from what was just written: its answer needs no look at the tables. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saas.base.ids import CommissionId, DistributorId, OrderLineId
from saas.commissions.commands import Accrual, views_of
from saas.network.queries import Chain, DistributorRow
from saas.orders.draft import OrderDraft
from saas.orders.queries import ExplainedShare, LineView, OrderView, explain
from saas.orders.trace_codes import TraceCode


@dataclass(frozen=True, slots=True)
class Told:
    """What ``order``, ``lines_of``, ``explained`` and ``trace_codes_of`` would answer.

    ``people`` are those of its chain, to staff.
    """

    order: OrderView
    lines: Sequence[LineView]
    shares: Sequence[ExplainedShare]
    people: Mapping[DistributorId, DistributorRow]
    trace_codes: Mapping[OrderLineId, Sequence[TraceCode]]


def tell(
    view: OrderView, made: OrderDraft, chain: Chain, accrual: Accrual | None, share_ids: Sequence[CommissionId]
) -> Told:
    """The order behind ``view`` with all that belongs to it; ``share_ids`` are of the accrual's shares."""
    company = accrual.company if accrual else {}
    lines = [
        LineView(
            id=line.id,
            order_id=made.id,
            line_no=line.line_no,
            product_id=line.product_id,
            sku=line.sku,
            quantity=line.quantity,
            amount_minor=line.amount_minor,
            company_minor=company.get(line.id),
        )
        for line in made.lines
    ]
    shares: Sequence[ExplainedShare] = ()
    if accrual is not None:
        shares = explain(view, lines, views_of(accrual, share_ids), [member.id for member in chain.members])
    people = {member.id: member.row for member in chain.members if member.row is not None}
    codes = {line.id: [TraceCode(code, None) for code in sorted(line.trace_codes)] for line in made.lines}
    return Told(view, lines, shares, people, codes)
