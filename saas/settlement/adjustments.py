"""Adjustments and penalties: amounts somebody decides, asked for by one person and agreed to by another.

A statement never changes. What was wrong with one is put right by a line of the next: what was approved waits there,
and is posted and stated when the next period is closed (docs/rules.md §6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from saas.base import clock
from saas.base.db import Tx, reading, transaction
from saas.base.errors import DomainError, InvalidInput, NotFound, Rejected, Said, WrongState
from saas.base.idempotency import claim, said_before
from saas.base.ids import AdjustmentId, DistributorId, new_id
from saas.base.money import plain_amount
from saas.base.text import reason_of
from saas.network.leaving import closed_among
from saas.network.queries import find
from saas.settlement.adjusted import (
    AdjustmentKind,
    AdjustmentState,
    AdjustmentView,
    adjustments_by_id,
    adjustments_of_request,
)
from saas.settlement.errors import AccountClosed, AdjustmentNeedsSecondPerson, AdjustmentRefused, PenaltyRefused
from tenants import audit
from tenants.actors import Actor, Role
from tenants.errors import Forbidden
from tenants.program.versions import active_program

AMOUNT_MOST = 10**13
"""In minor units; a typing mistake beyond it would be no money at all."""

MOST = 1_000
"""Adjustments in one request."""

REFERENCE_LONGEST = 100
_PEOPLE = frozenset({Role.OWNER, Role.FINANCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAdjustment:
    """An amount in minor units in the distributor's favour, or against it when negative, with the reason for it.

    Of a penalty it is what is taken, above zero. ``reference`` names what it is about, such as the number of a
    statement or of a document of the brand.
    """

    distributor_id: DistributorId
    amount_minor: int
    reason: str
    reference: str | None = None
    kind: AdjustmentKind = AdjustmentKind.ADJUSTMENT

    @property
    def given_minor(self) -> int:
        """What it gives; below zero what it takes."""
        return -self.amount_minor if self.kind is AdjustmentKind.PENALTY else self.amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAdjustments:
    """Adjustments to ask for together, all or none; a dry run only looks whether they could be."""

    adjustments: Sequence[NewAdjustment]
    dry_run: bool = False
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for, or would be by a dry run, which makes no adjustments. Amounts are in minor units."""

    adjustments: Sequence[AdjustmentView]
    count: int
    given_minor: int
    taken_minor: int
    currency: str


async def request_adjustments(command: RequestAdjustments, actor: Actor) -> Asked:
    """Ask for adjustments and penalties in the program's currency; the same key and content ask once.

    Raises ``Rejected`` with what is wrong of each (``AdjustmentRefused``, ``PenaltyRefused``, ``AccountClosed``,
    ``NotFound``, ``ReasonRefused``, ``InvalidInput``), ``Forbidden``, ``NoActiveProgram`` or ``IdempotencyConflict``.
    """
    person = person_of(actor)
    if not 0 < len(command.adjustments) <= MOST:
        remedy = Said(f"send 1 to {MOST} adjustments at once", f"每次请提交 1 至 {MOST} 条调整")
        raise InvalidInput("input.adjustments", value=len(command.adjustments), remedy=remedy)
    if command.dry_run:
        async with reading():
            currency = (await active_program()).program.currency
            await _check(command.adjustments, currency, hold=False)
            return asked([], [one.given_minor for one in command.adjustments], currency)
    request_id = new_id()
    async with transaction() as tx:
        currency = (await active_program()).program.currency
        earlier = await claim("adjustment.request", command.idempotency_key, _said(command), request_id)
        if earlier is None:
            await _check(command.adjustments, currency, hold=True)
            await write(tx, request_id, [_line(one) for one in command.adjustments], currency, person)
            await audit.record(actor, "adjustment.request", str(request_id), count=len(command.adjustments))
        made = await adjustments_of_request(earlier or request_id)
        return asked(made, [one.given_minor for one in command.adjustments], currency)


async def approve_adjustments(ids: Sequence[AdjustmentId], actor: Actor) -> list[AdjustmentView]:
    """Agree to adjustments somebody else asked for, all or none; the next closing puts them on statements.

    Raises ``NotFound``, ``WrongState``, ``AdjustmentNeedsSecondPerson``, ``AccountClosed`` or ``Forbidden``.
    """
    return await _decide(ids, AdjustmentState.APPROVED, "adjustment.approve", actor)


async def reject_adjustments(ids: Sequence[AdjustmentId], actor: Actor) -> list[AdjustmentView]:
    """Turn adjustments down that somebody else asked for, all or none.

    Raises ``NotFound``, ``WrongState``, ``AdjustmentNeedsSecondPerson`` or ``Forbidden``.
    """
    return await _decide(ids, AdjustmentState.REJECTED, "adjustment.reject", actor)


def person_of(actor: Actor) -> UUID:
    """Money by decision is a matter of two people: neither a key nor the program itself is one."""
    if actor.role not in _PEOPLE or actor.id is None:
        raise Forbidden("input", role=actor.role, needed=Role.FINANCE)
    return actor.id


async def _check(asked: Sequence[NewAdjustment], currency: str, *, hold: bool) -> None:
    """Raises ``Rejected`` with everything that is wrong; with ``hold`` nobody's account is closed meanwhile."""
    owners = {one.distributor_id for one in asked}
    known, closed = await find(owners), await closed_among(owners, hold=hold)
    errors: list[DomainError] = []
    for number, one in enumerate(asked):
        field = f"input.adjustments[{number}]"
        if one.distributor_id not in known:
            errors.append(NotFound(f"{field}.distributorId", kind="distributor", value=one.distributor_id))
        elif one.distributor_id in closed:
            errors.append(AccountClosed(f"{field}.distributorId", code=known[one.distributor_id].code))
        penalty = one.kind is AdjustmentKind.PENALTY
        if not 0 < (one.amount_minor if penalty else abs(one.amount_minor)) <= AMOUNT_MOST:
            amount, most = (plain_amount(minor, currency) for minor in (one.amount_minor, AMOUNT_MOST))
            refused = PenaltyRefused if penalty else AdjustmentRefused
            errors.append(refused(f"{field}.amountMinor", amount=amount, most=most))
        try:
            reason_of(one.reason, f"{field}.reason")
        except DomainError as unreadable:
            errors.append(unreadable)
        if one.reference is not None and not _readable(one.reference):
            remedy = Said(
                f"write 1 to {REFERENCE_LONGEST} visible characters", f"请填写 1 至 {REFERENCE_LONGEST} 个可见字符"
            )
            errors.append(InvalidInput(f"{field}.reference", value=ascii(one.reference[:40]), remedy=remedy))
    if errors:
        raise Rejected(errors)


def _readable(reference: str) -> bool:
    return 0 < len(reference.strip()) <= REFERENCE_LONGEST and reference.isprintable()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What to write of one: the amount in the distributor's favour, and the penalty that it gives back."""

    distributor_id: DistributorId
    amount_minor: int
    reason: str
    reference: str | None
    kind: AdjustmentKind
    lifts_id: AdjustmentId | None = None


def _said(command: RequestAdjustments) -> dict[str, object]:
    """What the key stands for."""
    lines = [said_before(one, ("kind",)) for one in command.adjustments]
    return {**said_before(command, ()), "adjustments": lines}


def _line(one: NewAdjustment) -> Line:
    return Line(
        distributor_id=one.distributor_id,
        amount_minor=one.given_minor,
        reason=reason_of(one.reason),
        reference=one.reference.strip() if one.reference else None,
        kind=one.kind,
    )


async def write(tx: Tx, request_id: UUID, lines: Sequence[Line], currency: str, person: UUID) -> int:
    """Write what was asked for; answers how many there are, fewer where others asked to lift the same penalty."""
    now = clock.now()
    return await tx.insert_many(
        "adjustment",
        (
            "id",
            "request_id",
            "distributor_id",
            "currency",
            "amount_minor",
            "reason",
            "reference",
            "status",
            "requested_by",
            "requested_at",
            "kind",
            "lifts_id",
        ),
        [
            (
                new_id(),
                request_id,
                one.distributor_id,
                currency,
                one.amount_minor,
                one.reason,
                one.reference,
                AdjustmentState.REQUESTED,
                person,
                now,
                one.kind,
                one.lifts_id,
            )
            for one in lines
        ],
        or_ignore=True,
    )


async def _decide(
    ids: Sequence[AdjustmentId], state: AdjustmentState, action: str, actor: Actor
) -> list[AdjustmentView]:
    person, wanted = person_of(actor), sorted(set(ids))
    async with transaction() as tx:
        await tx.rows(
            f"SELECT id FROM adjustment WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} ORDER BY id{tx.for_update}",
            tx.tenant_id,
            wanted,
        )
        found = {one.id: one for one in await adjustments_by_id(wanted)}
        for number, id_ in enumerate(ids):
            _may_decide(found.get(id_), id_, f"input.ids[{number}]", person)
        if state is AdjustmentState.APPROVED:
            await _check_open([found[id_] for id_ in ids])
        changed = await tx.execute(
            f"UPDATE adjustment SET status = $3, decided_by = $4, decided_at = $5 "
            f"WHERE tenant_id = $1 AND status = 'requested' AND id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            wanted,
            state,
            person,
            clock.now(),
        )
        if changed != len(wanted):
            raise RuntimeError(f"{changed} of {len(wanted)} locked adjustments changed")
        for id_ in wanted:
            await audit.record(actor, action, str(id_))
        return await adjustments_by_id(wanted)


def _may_decide(found: AdjustmentView | None, id_: AdjustmentId, field: str, person: UUID) -> None:
    """Raises ``NotFound``, ``WrongState`` or ``AdjustmentNeedsSecondPerson``."""
    if found is None:
        raise NotFound(field, kind="adjustment", value=id_)
    if found.status is not AdjustmentState.REQUESTED:
        raise WrongState(field, kind="adjustment", state=found.status, needed=AdjustmentState.REQUESTED)
    if found.requested_by == person:
        raise AdjustmentNeedsSecondPerson(field)


async def _check_open(asked: Sequence[AdjustmentView]) -> None:
    """Raises ``AccountClosed``."""
    closed = await closed_among({one.distributor_id for one in asked}, hold=True)
    for number, one in enumerate(asked):
        if one.distributor_id in closed:
            code = (await find([one.distributor_id]))[one.distributor_id].code
            raise AccountClosed(f"input.ids[{number}]", code=code)


def asked(made: Sequence[AdjustmentView], amounts: Sequence[int], currency: str) -> Asked:
    """The answer about adjustments of these amounts."""
    return Asked(
        adjustments=made,
        count=len(amounts),
        given_minor=sum(amount for amount in amounts if amount > 0),
        taken_minor=sum(amount for amount in amounts if amount < 0),
        currency=currency,
    )
