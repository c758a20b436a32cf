"""Penalties are lifted again: all of one, once, as a movement of its own (docs/rules.md §5, §6).

A penalty that waits for a second person is rejected instead. What was agreed to is never undone: what gives it back is
asked for by one person, agreed to by another, and a line of the next statement like the penalty itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from saas.base.db import reading, transaction
from saas.base.errors import DomainError, InvalidInput, NotFound, Rejected, Said, WrongState
from saas.base.idempotency import claim
from saas.base.ids import AdjustmentId, new_id
from saas.base.text import reason_of
from saas.network.leaving import closed_among
from saas.network.queries import find
from saas.settlement.adjusted import (
    AdjustmentKind,
    AdjustmentState,
    AdjustmentView,
    adjustments_by_id,
    adjustments_of_request,
    lifted_among,
)
from saas.settlement.adjustments import MOST, Asked, Line, asked, person_of, write
from saas.settlement.errors import AccountClosed, PenaltyLifted
from tenants import audit
from tenants.actors import Actor
from tenants.program.versions import active_program

_LIFTED_FROM = (AdjustmentState.APPROVED, AdjustmentState.SETTLED)


@dataclass(frozen=True, slots=True)
class Lift:
    """A penalty to give back, with the reason for it."""

    penalty_id: AdjustmentId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftPenalties:
    """Penalties to lift together, all or none; a dry run only looks whether they could be."""

    penalties: Sequence[Lift]
    dry_run: bool = False
    idempotency_key: str


async def lift_penalties(command: LiftPenalties, actor: Actor) -> Asked:
    """Ask for penalties to be given back; a second person decides. The same key and content ask once.

    Raises ``Rejected`` with what is wrong of each (``NotFound``, ``WrongState``, ``PenaltyLifted``, ``AccountClosed``,
    ``ReasonRefused``), ``InvalidInput``, ``Forbidden``, ``NoActiveProgram`` or ``IdempotencyConflict``.
    """
    person = person_of(actor)
    if not 0 < len(command.penalties) <= MOST:
        remedy = Said(f"send 1 to {MOST} penalties at once", f"每次请提交 1 至 {MOST} 条处罚")
        raise InvalidInput("input.penalties", value=len(command.penalties), remedy=remedy)
    currency = (await active_program()).program.currency
    if command.dry_run:
        async with reading():
            lines = await _lines(command.penalties, hold=False)
            return asked([], [one.amount_minor for one in lines], currency)
    request_id = new_id()
    async with transaction() as tx:
        earlier = await claim("penalty.lift", command.idempotency_key, command, request_id)
        if earlier is None:
            lines = await _lines(command.penalties, hold=True)
            if await write(tx, request_id, lines, currency, person) != len(lines):
                raise PenaltyLifted("input.penalties")
            await audit.record(actor, "penalty.lift", str(request_id), count=len(lines))
        made = await adjustments_of_request(earlier or request_id)
        return asked(made, [one.amount_minor for one in made], currency)


async def _lines(lifts: Sequence[Lift], *, hold: bool) -> list[Line]:
    """What gives each back. Raises ``Rejected`` with everything that is wrong."""
    ids = [one.penalty_id for one in lifts]
    found = {one.id: one for one in await adjustments_by_id(ids)}
    owners = {one.distributor_id for one in found.values()}
    closed, lifted = await closed_among(owners, hold=hold), set(await lifted_among(ids))
    codes = {id_: one.code for id_, one in (await find(closed)).items()}
    errors: list[DomainError] = []
    lines: list[Line] = []
    for number, one in enumerate(lifts):
        field = f"input.penalties[{number}]"
        try:
            penalty = _liftable(found.get(one.penalty_id), one.penalty_id, lifted, f"{field}.id")
            if penalty.distributor_id in closed:
                raise AccountClosed(f"{field}.id", code=codes[penalty.distributor_id])
            lines.append(_giving_back(penalty, reason_of(one.reason, f"{field}.reason")))
        except DomainError as refused:
            errors.append(refused)
        lifted.add(one.penalty_id)
    if errors:
        raise Rejected(errors)
    return lines


def _liftable(found: AdjustmentView | None, id_: AdjustmentId, lifted: set[AdjustmentId], field: str) -> AdjustmentView:
    """Raises ``NotFound``, ``WrongState`` or ``PenaltyLifted``."""
    if found is None or found.kind is not AdjustmentKind.PENALTY or found.lifts_id is not None:
        raise NotFound(field, kind="penalty", value=id_)
    if found.status not in _LIFTED_FROM:
        raise WrongState(field, kind="penalty", state=found.status, needed=" / ".join(_LIFTED_FROM))
    if id_ in lifted:
        raise PenaltyLifted(field)
    return found


def _giving_back(penalty: AdjustmentView, reason: str) -> Line:
    return Line(
        distributor_id=penalty.distributor_id,
        amount_minor=-penalty.amount_minor,
        reason=reason,
        reference=penalty.reference,
        kind=AdjustmentKind.PENALTY,
        lifts_id=penalty.id,
    )
