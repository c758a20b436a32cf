"""A distributor leaves: quoted, approved by a second person, executed at once, closed when its money is settled."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from saas.base import clock
from saas.base.db import Tx, reading, transaction
from saas.base.errors import NotFound, WrongState
from saas.base.idempotency import claim
from saas.base.ids import DistributorId, ExitId, new_id
from saas.base.money import plain_amount
from saas.base.text import reason_of
from saas.commissions.commands import Reversed, reverse_beneficiary
from saas.commissions.queries import holds_of
from saas.exits.errors import ExitAlreadyOpen, ExitNeedsSecondPerson, ExitNotSettled, ExitNotVoluntary
from saas.exits.queries import ExitView, exit_by_id
from saas.exits.rules import (
    ExitKind,
    ExitState,
    ExitStep,
    Position,
    Quote,
    next_state,
    quote_of,
    terms_of,
)
from saas.ledger.commands import post
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account, Entry, Kind, Posting
from saas.listings.commands import close_listings_of
from saas.network import orange
from saas.network.commands import leave
from saas.network.queries import DistributorRow, find, team_of
from saas.network.rules import Status
from saas.orders.queries import open_orders
from saas.payouts.people import check_own, staff_member
from saas.payouts.queries import open_payouts
from tenants import audit
from tenants.accounts import disable_distributor
from tenants.actors import Actor, Role
from tenants.program.versions import active_program

_MEMBERS = (Status.ACTIVE, Status.SUSPENDED)
_COLUMNS = (
    "id",
    "distributor_id",
    "kind",
    "status",
    "downline_to",
    "pending",
    "reason",
    "quote",
    "requested_by",
    "requested_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteExit:
    """Ask what it would mean that a distributor leaves, as the first step of its doing so."""

    distributor_id: DistributorId
    kind: ExitKind
    reason: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteExit:
    """Let an approved exit happen."""

    exit_id: ExitId
    idempotency_key: str


async def preview_exit(distributor_id: DistributorId, kind: ExitKind) -> Quote:
    """The quote of an exit without asking for one. Raises ``NotFound``, ``WrongState`` or ``NoActiveProgram``."""
    async with reading():
        program = (await active_program()).program
        leaving = await _member(distributor_id)
        return quote_of(await _position(leaving, program.currency), terms_of(program, kind))


async def quote_exit(command: QuoteExit, actor: Actor) -> ExitView:
    """Open an exit with its quote; the terms of the program in force hold for it from then on.

    A distributor may ask for its own voluntary exit. Raises ``NotFound``, ``WrongState``, ``ExitNotVoluntary``,
    ``ExitAlreadyOpen``, ``Forbidden``, ``IdempotencyConflict``, ``NoActiveProgram`` or ``ReasonRefused``.
    """
    check_own(actor, command.distributor_id, "input.distributorId")
    own = actor.role is Role.DISTRIBUTOR
    if own and command.kind is not ExitKind.VOLUNTARY:
        raise ExitNotVoluntary("input.kind")
    person, reason = actor.id if own else staff_member(actor), reason_of(command.reason)
    exit_id = ExitId(new_id())
    async with transaction() as tx:
        earlier = await claim(actor.operation("exit.quote"), command.idempotency_key, command, exit_id)
        if earlier is not None:
            return await exit_by_id(ExitId(earlier))
        quote = await preview_exit(command.distributor_id, command.kind)
        row = (
            exit_id,
            command.distributor_id,
            command.kind,
            ExitState.QUOTED,
            quote.downline_to,
            quote.pending,
            reason,
            orjson.dumps(quote, default=str).decode(),
            person,
            clock.now(),
        )
        if not await tx.insert_many("exit_case", _COLUMNS, [row], or_ignore=True):
            raise ExitAlreadyOpen("input.distributorId")
        subject = {"distributor": command.distributor_id, "kind": command.kind, "reason": reason}
        await audit.record(actor, "exit.quote", str(exit_id), **subject)
        return await exit_by_id(exit_id)


async def _member(distributor_id: DistributorId) -> DistributorRow:
    leaving = (await find([distributor_id])).get(distributor_id)
    if leaving is None:
        raise NotFound("input.distributorId", kind="distributor", value=distributor_id)
    if leaving.status not in _MEMBERS:
        needed = " / ".join(_MEMBERS)
        raise WrongState("input.distributorId", kind="distributor", state=leaving.status, needed=needed)
    return leaving


async def _position(leaving: DistributorRow, currency: str) -> Position:
    balances = (await balances_of([leaving.id]))[leaving.id]
    holds, orders, team = await holds_of(leaving.id), await open_orders(leaving.id), await team_of(leaving.id)
    return Position(
        currency=currency,
        sponsor_id=leaving.sponsor_id,
        direct_downline=team.direct,
        team=team.members,
        open_orders=orders.orders,
        open_orders_minor=orders.goods_minor,
        pending_minor=balances.of(Account.PENDING, currency),
        available_minor=balances.of(Account.AVAILABLE, currency),
        settled_minor=balances.of(Account.SETTLED, currency),
        in_payout_minor=balances.of(Account.PAYOUT, currency),
        payouts_in_flight=await open_payouts(leaving.id),
        last_hold_until=holds.last_hold_until,
        undelivered=holds.undelivered,
    )


async def approve_exit(exit_id: ExitId, actor: Actor) -> ExitView:
    """Agree to an exit as a second person. Raises ``NotFound``, ``WrongState``, ``ExitNeedsSecondPerson``."""
    person = staff_member(actor)
    async with transaction() as tx:
        case = await _lock(tx, exit_id)
        if case.requested_by == person:
            raise ExitNeedsSecondPerson("input.id")
        await _step(tx, case, ExitStep.APPROVE, ", approved_by = $5, approved_at = $6", person, clock.now())
        await audit.record(actor, "exit.approve", str(exit_id))
        return await exit_by_id(exit_id)


async def reject_exit(exit_id: ExitId, reason: str, actor: Actor) -> ExitView:
    """Turn an exit down before it is executed.

    Raises ``NotFound``, ``WrongState``, ``Forbidden`` or ``ReasonRefused``.
    """
    staff_member(actor)
    reason = reason_of(reason)
    async with transaction() as tx:
        await _step(tx, await _lock(tx, exit_id), ExitStep.REJECT)
        await audit.record(actor, "exit.reject", str(exit_id), reason=reason)
        return await exit_by_id(exit_id)


async def withdraw_exit(exit_id: ExitId, actor: Actor) -> ExitView:
    """Take back a voluntary exit before it is executed; a distributor its own.

    Raises ``NotFound``, ``WrongState`` or ``ExitNotVoluntary``.
    """
    async with transaction() as tx:
        await _step(tx, await _lock(tx, exit_id, actor.distributor_id), ExitStep.WITHDRAW)
        await audit.record(actor, "exit.withdraw", str(exit_id))
        return await exit_by_id(exit_id)


async def execute_exit(command: ExecuteExit, actor: Actor) -> ExitView:
    """Let it happen, all at once.

    No more orders or log-ins, the downline moves, pending commission is kept or forfeited, and after a breach the
    person is barred from enrolling again. The same key answers the same exit. Raises ``NotFound``,
    ``WrongState``, ``Forbidden`` or ``IdempotencyConflict``.
    """
    staff_member(actor)
    async with transaction() as tx:
        exit_id = command.exit_id
        if await claim("exit.execute", command.idempotency_key, command, new_id()) is not None:
            return await exit_by_id(exit_id)
        case = await _lock(tx, exit_id)
        await _step(tx, case, ExitStep.EXECUTE, ", executed_at = $5", clock.now())
        owner = case.distributor_id
        # First the tree: it waits for orders under way and lets no further one begin, so all they accrued is seen.
        moved = await leave(owner, downline_to=case.quote.downline_to, reason=f"exit: {case.kind}", actor=actor)
        await close_listings_of(owner)
        forfeited = await reverse_beneficiary(owner) if case.quote.pending == "forfeit" else []
        await post(_forfeits(case, forfeited))
        await disable_distributor(owner, actor)
        if case.kind is ExitKind.BREACH:
            await orange.bar(owner, case.reason, exit_id, actor)
        await audit.record(
            actor,
            "exit.execute",
            str(exit_id),
            distributor=owner,
            moved=moved,
            forfeited_minor=sum(one.amount_minor for one in forfeited),
        )
        return await exit_by_id(exit_id)


def _forfeits(case: ExitView, forfeited: Sequence[Reversed]) -> list[Posting]:
    """Pending commission that stays with the brand."""
    sums: dict[str, int] = {}
    for one in forfeited:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount_minor
    entries = [
        entry
        for currency, amount in sorted(sums.items())
        for entry in (
            Entry(Account.PENDING, case.distributor_id, -amount, currency),
            Entry(Account.FORFEITED, None, amount, currency),
        )
    ]
    if not entries:
        return []
    posting = Posting(
        kind=Kind.FORFEIT,
        reference_kind="exit",
        reference_id=case.id,
        idempotency_key=f"forfeit:{case.id}",
        effective_at=clock.now(),
        entries=tuple(entries),
    )
    return [posting]


async def close_exit(exit_id: ExitId, actor: Actor) -> ExitView:
    """Close an executed exit when nothing is pending, available, settled or being paid any more.

    Raises ``NotFound``, ``WrongState``, ``ExitNotSettled`` or ``Forbidden``.
    """
    staff_member(actor)
    async with transaction() as tx:
        case = await _lock(tx, exit_id)
        await _step(tx, case, ExitStep.CLOSE, ", closed_at = $5", clock.now())
        balances = (await balances_of([case.distributor_id]))[case.distributor_id]
        left = [
            f"{account} {plain_amount(amount, currency)} {currency}"
            for (account, currency), amount in balances.amounts.items()
            if amount
        ]
        if left:
            raise ExitNotSettled("input.id", amounts=", ".join(left))
        await audit.record(actor, "exit.close", str(exit_id))
        return await exit_by_id(exit_id)


async def _lock(tx: Tx, exit_id: ExitId, distributor_id: DistributorId | None = None) -> ExitView:
    """Hold the case still until the transaction ends. Raises ``NotFound``, also for one of another distributor."""
    await tx.rows(f"SELECT id FROM exit_case WHERE tenant_id = $1 AND id = $2{tx.for_update}", tx.tenant_id, exit_id)
    return await exit_by_id(exit_id, distributor_id)


async def _step(tx: Tx, case: ExitView, step: ExitStep, sets: str = "", *values: object) -> None:
    changed = await tx.execute(
        f"UPDATE exit_case SET status = $3{sets} WHERE tenant_id = $1 AND id = $2 AND status = $4",
        tx.tenant_id,
        case.id,
        next_state(case.kind, case.status, step),
        case.status,
        *values,
    )
    if changed != 1:
        raise RuntimeError("an exit changed its state while it was locked")
