"""What it would mean that a distributor leaves: gathered, quoted, and kept as the first step of an exit."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import reading, transaction
from saas.base.errors import DomainError, InvalidInput, NotFound, Rejected, Said, WrongState
from saas.base.idempotency import claim
from saas.base.ids import DistributorId, ExitId, new_id
from saas.base.text import reason_of
from saas.commissions.queries import holds_of
from saas.events.commands import tell
from saas.events.rules import Event, EventKind
from saas.exits.errors import ExitAlreadyOpen, ExitNotVoluntary, HeirNotAsked, NotInactive
from saas.exits.inactivity import inactive_among
from saas.exits.queries import ExitView, exit_by_id, exits_of_batch
from saas.exits.rules import (
    NO_STOCK,
    ExitKind,
    ExitState,
    Gone,
    Position,
    Quote,
    Stock,
    dated,
    months_before,
    quote_of,
    stock_of,
    terms_of,
)
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account
from saas.network.errors import HeirNeeded
from saas.network.leaving import fit_heir
from saas.network.queries import DistributorRow, find, team_of
from saas.network.rules import Status
from saas.orders.purchases import own_purchases
from saas.orders.queries import open_orders
from saas.payouts.people import check_own, staff_member
from saas.payouts.queries import open_payouts
from saas.performance.settling import unsettled_of
from saas.returns.queries import open_returns
from saas.settlement.adjusted import waiting_of
from saas.settlement.policy import settlement_policy
from tenants import audit
from tenants.actors import Actor, Role
from tenants.program.document import ExitTerms, Program
from tenants.program.versions import active_program

BATCH_MOST = 100
"""Exits quoted in one go."""
GONE_MOST = 1_000
"""Products declared as gone in one quote."""

_MEMBERS = (Status.ACTIVE, Status.SUSPENDED)
_DOWNLINE = {"sponsor": Said("sponsor", "上级"), "brand": Said("brand", "品牌方")}
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
    "batch_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRequest:
    """Who leaves and why; who takes the downline where the program lets it be named, and the stock that is gone."""

    distributor_id: DistributorId
    kind: ExitKind
    heir_id: DistributorId | None = None
    gone: Sequence[Gone] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteExit(ExitRequest):
    """Ask what it would mean that a distributor leaves, as the first step of its doing so."""

    reason: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteInactive:
    """Ask for the exits of distributors that sold nothing for ``days``; all of them or none.

    With ``dry_run`` they are quoted and nothing is kept.
    """

    distributor_ids: Sequence[DistributorId]
    days: int
    reason: str
    heir_id: DistributorId | None
    idempotency_key: str
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """The quote of one distributor's exit, and the exit unless it was a dry run."""

    distributor_id: DistributorId
    quote: Quote
    exit: ExitView | None


async def preview_exit(request: ExitRequest) -> Quote:
    """The quote of an exit without asking for one.

    Raises ``NotFound``, ``WrongState``, ``NoActiveProgram``, ``HeirNeeded``, ``HeirNotAsked``, ``HeirNotActive``,
    ``HeirBelow``, ``DepthExceeded``, ``StockNotBought`` or ``StockTwice``.
    """
    async with reading():
        program = (await active_program()).program
        leaving = await _member(request.distributor_id)
        terms = terms_of(program, request.kind)
        position = await _position(leaving, program.currency)
        await _check_heir(request, terms, position)
        quote = quote_of(position, terms, await _stock(request, program), request.heir_id)
        return dated(quote, await settlement_policy(), clock.now())


async def quote_exit(command: QuoteExit, actor: Actor) -> ExitView:
    """Open an exit with its quote; the terms of the program in force hold for it from then on.

    A distributor may ask for its own voluntary exit, and name an heir from directly below. Raises ``Forbidden``,
    ``ExitNotVoluntary``, ``ExitAlreadyOpen``, ``IdempotencyConflict``, ``ReasonRefused``, and what ``preview_exit``
    raises.
    """
    check_own(actor, command.distributor_id, "input.distributorId")
    own = actor.role is Role.DISTRIBUTOR
    if own and command.kind is not ExitKind.VOLUNTARY:
        raise ExitNotVoluntary("input.kind")
    person, reason = actor.id if own else staff_member(actor), reason_of(command.reason)
    exit_id = ExitId(new_id())
    async with transaction():
        earlier = await claim(actor.operation("exit.quote"), command.idempotency_key, command, exit_id)
        if earlier is not None:
            return await exit_by_id(ExitId(earlier))
        if own and command.heir_id is not None:
            await _check_known(command.heir_id, command.distributor_id)
        quote = await preview_exit(command)
        if not await _open([(exit_id, command, quote)], reason, person, None):
            raise ExitAlreadyOpen("input.distributorId")
        await _record(actor, exit_id, command, reason)
        return await exit_by_id(exit_id)


async def quote_inactive(command: QuoteInactive, actor: Actor) -> Sequence[Quoted]:
    """Open exits for inactivity, all in one transaction, or only quote them.

    Raises ``Rejected`` with ``NotInactive`` or what ``preview_exit`` raises for each that cannot be quoted,
    ``InvalidInput``, ``ReasonRefused``, ``Forbidden`` or ``IdempotencyConflict``.
    """
    person, reason = staff_member(actor), reason_of(command.reason)
    ids = list(dict.fromkeys(command.distributor_ids))
    if not 1 <= len(ids) <= BATCH_MOST:
        remedy = Said(f"give 1 to {BATCH_MOST} distributors", f"请填写 1 至 {BATCH_MOST} 名分销商")
        raise InvalidInput("input.distributorIds", value=len(ids), remedy=remedy)
    batch_id = new_id()
    async with transaction():
        if not command.dry_run:
            earlier = await claim("exit.quote_inactive", command.idempotency_key, command, batch_id)
            if earlier is not None:
                return [
                    Quoted(distributor_id=x.distributor_id, quote=x.quote, exit=x)
                    for x in await exits_of_batch(earlier)
                ]
        quoted = await _quotes(command, ids)
        if command.dry_run:
            return [Quoted(distributor_id=request.distributor_id, quote=quote, exit=None) for request, quote in quoted]
        rows = [(ExitId(new_id()), request, quote) for request, quote in quoted]
        if await _open(rows, reason, person, batch_id) != len(rows):
            raise ExitAlreadyOpen("input.distributorIds")
        for exit_id, request, _ in rows:
            await _record(actor, exit_id, request, reason)
        return [Quoted(distributor_id=x.distributor_id, quote=x.quote, exit=x) for x in await exits_of_batch(batch_id)]


async def _quotes(command: QuoteInactive, ids: Sequence[DistributorId]) -> Sequence[tuple[ExitRequest, Quote]]:
    inactive, known = await inactive_among(ids, command.days), await find(ids)
    quoted: list[tuple[ExitRequest, Quote]] = []
    refused: list[DomainError] = []
    for i, id_ in enumerate(ids):
        field = f"input.distributorIds[{i}]"
        request = ExitRequest(distributor_id=id_, kind=ExitKind.INACTIVITY, heir_id=command.heir_id)
        if id_ in inactive:
            quoted.append((request, await preview_exit(request)))
        elif id_ in known:
            refused.append(NotInactive(field, value=known[id_].code, days=command.days))
        else:
            refused.append(NotFound(field, kind="distributor", value=id_))
    if refused:
        raise Rejected(refused)
    return quoted


async def _open(
    rows: Sequence[tuple[ExitId, ExitRequest, Quote]], reason: str, person: UUID | None, batch_id: UUID | None
) -> int:
    async with transaction() as tx:
        now = clock.now()
        return await tx.insert_many(
            "exit_case",
            _COLUMNS,
            [
                (
                    exit_id,
                    request.distributor_id,
                    request.kind,
                    ExitState.QUOTED,
                    quote.downline_to,
                    quote.pending,
                    reason,
                    orjson.dumps(quote, default=str).decode(),
                    person,
                    now,
                    batch_id,
                )
                for exit_id, request, quote in rows
            ],
            or_ignore=True,
        )


async def _record(actor: Actor, exit_id: ExitId, request: ExitRequest, reason: str) -> None:
    subject = {"distributor": request.distributor_id, "kind": request.kind, "reason": reason}
    await audit.record(actor, "exit.quote", str(exit_id), **subject)
    tell([Event(EventKind.EXIT_QUOTED, exit_id, request.distributor_id)])


async def _member(distributor_id: DistributorId) -> DistributorRow:
    leaving = (await find([distributor_id])).get(distributor_id)
    if leaving is None:
        raise NotFound("input.distributorId", kind="distributor", value=distributor_id)
    if leaving.status not in _MEMBERS:
        needed = " / ".join(_MEMBERS)
        raise WrongState("input.distributorId", kind="distributor", state=leaving.status, needed=needed)
    return leaving


async def _check_known(heir_id: DistributorId, leaving: DistributorId) -> None:
    """A distributor knows those directly below; anybody else does not exist for it."""
    heir = (await find([heir_id])).get(heir_id)
    if heir is None or heir.sponsor_id != leaving:
        raise NotFound("input.heirId", kind="distributor", value=heir_id)


async def _check_heir(request: ExitRequest, terms: ExitTerms, position: Position) -> None:
    heir_id = request.heir_id
    if terms.downline_to != "heir":
        if heir_id is not None:
            raise HeirNotAsked("input.heirId", to=_DOWNLINE[terms.downline_to])
    elif heir_id is not None:
        await fit_heir(request.distributor_id, heir_id, "input.heirId")
    elif position.direct_downline:
        raise HeirNeeded("input.heirId")


async def _stock(request: ExitRequest, program: Program) -> Stock:
    terms = program.exit.buy_back
    if len(request.gone) > GONE_MOST:
        remedy = Said(f"declare at most {GONE_MOST} products", f"最多申报 {GONE_MOST} 种商品")
        raise InvalidInput("input.gone", value=len(request.gone), remedy=remedy)
    if terms is None:
        return stock_of([], request.gone, clock.now(), 0) if request.gone else NO_STOCK
    since = months_before(clock.now(), terms.months, (await settlement_policy()).time_zone)
    bought = await own_purchases(request.distributor_id, program.currency, since)
    return stock_of(bought, request.gone, since, terms.rate_bps)


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
        awards_minor=await unsettled_of(leaving.id, currency),
        # Debt that was set aside comes back to the settled balance when the exit is executed.
        settled_minor=balances.of(Account.SETTLED, currency) + balances.of(Account.DEBT, currency),
        in_payout_minor=balances.of(Account.PAYOUT, currency),
        payouts_in_flight=await open_payouts(leaving.id),
        last_hold_until=holds.last_hold_until,
        undelivered=holds.undelivered,
        adjustments_minor=(await waiting_of(leaving.id, currency)).approved_minor,
        open_returns=await open_returns(leaving.id),
    )
