"""A period is closed: everybody's rebates and bonuses become available, and tiers follow what was sold.

One transaction, all of it or nothing. It begins by holding the tree, so orders under way are waited for and none
slips past, and two closes follow one another.
"""

from dataclasses import dataclass
from datetime import date

import orjson

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.idempotency import claim
from saas.base.ids import AwardId, PeriodCloseId, new_id
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting
from saas.network.commands import TierChange, change_tiers, hold_tree
from saas.network.standing import Cause
from saas.network.tiers import Outcome
from saas.performance.errors import PeriodNotOver
from saas.performance.models import PeriodClose
from saas.performance.planning import Plan, plan
from saas.performance.queries import PeriodCloseView, close_by_id, close_of
from saas.performance.reads import calendar_period
from saas.performance.rules import Award
from tenants import audit
from tenants.actors import Actor
from tenants.program.parts import PeriodLength
from tenants.registry import this_brand

_AWARD = (
    "id", "close_id", "distributor_id", "component", "kind", "scope", "once_key", "program_number", "currency", "tier",
    "measured", "amount_minor", "detail", "order_id", "status", "earned_at", "period_from", "period_until",
)  # fmt: skip


_REVIEW = (
    "id", "close_id", "distributor_id", "period_from", "tier_before", "tier_after", "outcome", "misses", "own_minor",
    "group_minor", "active_downline_minor", "orders",
)  # fmt: skip
_CAUSES = {Outcome.PROMOTED: Cause.PROMOTION, Outcome.DEMOTED: Cause.DEMOTION, Outcome.REVOKED: Cause.REVOCATION}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePeriod:
    """Close the calendar period of this length that ``day`` lies in, in the brand's time zone."""

    length: PeriodLength
    day: date
    idempotency_key: str


async def close_period(command: ClosePeriod, actor: Actor) -> PeriodCloseView:
    """Award and review a period that is over. One that is closed already is answered as it is.

    Raises ``PeriodNotOver``, ``NothingInPeriod``, ``NoActiveProgram`` or ``IdempotencyConflict``.
    """
    async with transaction() as tx:
        held_at = await hold_tree()
        period = calendar_period(command.length, command.day, (await this_brand()).time_zone)
        closed = await close_of(period.length, period.first)
        close_id = PeriodCloseId(new_id()) if closed is None else closed.id
        earlier = await claim("period.close", command.idempotency_key, command, close_id)
        if earlier is not None:
            return await close_by_id(PeriodCloseId(earlier))
        if closed is not None:
            return closed
        if not period.over:
            raise PeriodNotOver("input.day", label=period.label, until=period.until_at.isoformat())
        planned = await plan(period)
        await PeriodClose.create(
            id=close_id,
            length=period.length,
            period_from=period.first,
            period_until=period.until,
            currency=planned.currency,
            program_number=planned.program_number,
            awards=len(planned.paid),
            awards_minor=planned.awards_minor,
            tier_changes=len(planned.changes),
            closed_at=max(clock.now(), held_at),
            closed_by=actor.id,
        )
        await _review(tx, close_id, planned, actor)
        await _award(tx, close_id, planned)
        await audit.record(
            actor,
            "period.close",
            str(close_id),
            period=period.label,
            awards=len(planned.paid),
            awards_minor=planned.awards_minor,
            tier_changes=len(planned.changes),
        )
        return await close_by_id(close_id)


async def _review(tx: Tx, close_id: PeriodCloseId, planned: Plan, actor: Actor) -> None:
    """Write every review, and change the tiers that follow from them."""
    await tx.insert_many(
        "tier_review",
        _REVIEW,
        [
            (
                new_id(), close_id, one.review.holder, planned.period.first, one.review.tier_before,
                one.review.tier_after, one.review.outcome, one.review.misses, one.figures.own_minor,
                one.figures.group_minor, one.figures.active_downline_minor, one.figures.orders,
            )
            for one in planned.reviews
        ],
    )  # fmt: skip
    changes = [
        TierChange(
            distributor_id=one.review.holder,
            before=one.review.tier_before,
            after=one.review.tier_after,
            cause=_CAUSES[one.review.outcome],
            suspends=one.review.suspends,
        )
        for one in planned.changes
    ]
    if changes:
        await change_tiers(changes, planned.period.label, actor)


async def _award(tx: Tx, close_id: PeriodCloseId, planned: Plan) -> None:
    """Write every award, and book those that pay something; earned at the moment the period ended."""
    period = planned.period
    awarded = [(AwardId(new_id()), award) for award in planned.awards]
    await tx.insert_many(
        "award",
        _AWARD,
        [
            (
                id_, close_id, one.holder.id, one.component, one.kind, one.scope, one.once_key, planned.program_number,
                planned.currency, one.tier, one.measured, one.amount_minor,
                orjson.dumps({"reason": one.reason, **one.detail}).decode(), one.order_id,
                "available" if one.amount_minor else "nothing", period.until_at, period.first, period.until,
            )
            for id_, one in awarded
        ],
    )  # fmt: skip
    await post([_posting(id_, one, planned) for id_, one in awarded if one.amount_minor])


def _posting(award_id: AwardId, award: Award, planned: Plan) -> Posting:
    amount, currency = award.amount_minor, planned.currency
    return Posting(
        kind=Kind.REBATE if award.kind == "tiered_rebate" else Kind.BONUS,
        reference_kind="award",
        reference_id=award_id,
        idempotency_key=f"award:{award_id}",
        effective_at=planned.period.until_at,
        entries=(
            Entry(Account.AVAILABLE, award.holder.id, amount, currency),
            Entry(Account.COMMISSION_EXPENSE, None, -amount, currency),
        ),
    )
