"""Asking for money: by a distributor, by the brand for everybody, and taking a request back.

The amount leaves the settled balance with the request, in the same transaction and under the balance's lock, so that
parallel requests can never ask for the same money twice.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from saas.base import clock
from saas.base.db import Tx, reading, transaction
from saas.base.errors import DomainError, NotFound, WrongState
from saas.base.idempotency import claim
from saas.base.ids import DistributorId, PayoutId, new_id
from saas.events.commands import tell
from saas.events.rules import Event, EventKind
from saas.ledger.commands import lock_balances, post
from saas.ledger.queries import Balances, balances_of, owners_with
from saas.ledger.rules import Account, Kind, Posting, transfer
from saas.network.queries import find
from saas.network.rules import Status
from saas.network.standstill import hold_still
from saas.payouts.errors import NoVerifiedDestination, PayoutsOnHold
from saas.payouts.models import Payout
from saas.payouts.people import check_own
from saas.payouts.policy import payout_policy
from saas.payouts.queries import PayoutView, payout_by_id
from saas.payouts.rules import Breakdown, PayoutPolicy, PayoutState, break_down
from tenants import audit
from tenants.actors import Actor

PAYABLE = frozenset({Status.ACTIVE, Status.EXITED})
"""Who is paid: whoever left is still paid what it earned; a suspension keeps the money where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPayout:
    """An amount in minor units of the program's currency, or when None the settled balance, up to the maximum."""

    distributor_id: DistributorId
    amount_minor: int | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayout:
    """Take back a request that is in no batch yet."""

    payout_id: PayoutId
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPayouts:
    """Request the settled balance, up to the maximum, of everybody who has the minimum; a dry run writes nothing."""

    dry_run: bool = False
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep requested, or would; ``skipped`` counts those it left out by the code of the refusal.

    The payouts of a sweep are found by its id; a dry run has none.
    """

    id: UUID | None
    payouts: int
    requested_minor: int
    net_minor: int
    currency: str
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Ground:
    """What decides requests, read under locks: standing, verified destinations, balances."""

    statuses: Mapping[DistributorId, Status]
    cards: Mapping[DistributorId, tuple[UUID, bool]]
    balances: Mapping[DistributorId, Balances]


@dataclass(frozen=True, slots=True)
class _Planned:
    id: PayoutId
    distributor_id: DistributorId
    destination_id: UUID
    amounts: Breakdown


async def request_payout(command: RequestPayout, actor: Actor) -> PayoutView:
    """Request a payout; the same key and content answer the same payout.

    Raises ``NotFound``, ``PayoutsOnHold``, ``NoVerifiedDestination``, ``BelowMinimumPayout``, ``AboveMaximumPayout``,
    ``NothingLeftToPay``, ``InsufficientBalance``, ``IdempotencyConflict`` or ``NoActiveProgram``.
    """
    owner = command.distributor_id
    check_own(actor, owner, "input.distributorId")
    payout_id = PayoutId(new_id())
    async with transaction() as tx:
        earlier = await claim(actor.operation("payout.request"), command.idempotency_key, command, payout_id)
        if earlier is not None:
            return await payout_by_id(PayoutId(earlier))
        policy = await payout_policy()
        ground = await _ground(tx, [owner], policy.currency, hold=True)
        planned = _plan(policy, ground, payout_id, owner, command.amount_minor)
        await _write(tx, policy, [planned], actor, sweep_id=None)
        await audit.record(
            actor,
            "payout.request",
            str(payout_id),
            on_behalf_of=owner,
            requested_minor=planned.amounts.requested_minor,
        )
        return await payout_by_id(payout_id)


async def sweep_payouts(command: SweepPayouts, actor: Actor) -> Sweep:
    """Request payouts for everybody who may be paid, all in one transaction; the same key sweeps once.

    Raises ``IdempotencyConflict`` or ``NoActiveProgram``.
    """
    if command.dry_run:
        async with reading() as tx:
            policy = await payout_policy()
            planned, skipped = await _plan_all(tx, policy, hold=False)
            return _summary(None, policy.currency, [one.amounts for one in planned], skipped)
    sweep_id = new_id()
    async with transaction() as tx:
        policy = await payout_policy()
        earlier = await claim("payout.sweep", command.idempotency_key, command, sweep_id)
        if earlier is not None:
            return await _swept(tx, earlier, policy.currency)
        planned, skipped = await _plan_all(tx, policy, hold=True)
        await _write(tx, policy, planned, actor, sweep_id=sweep_id)
        swept = _summary(sweep_id, policy.currency, [one.amounts for one in planned], skipped)
        await audit.record(
            actor, "payout.sweep", str(sweep_id), payouts=swept.payouts, requested_minor=swept.requested_minor
        )
        return swept


async def cancel_payout(command: CancelPayout, actor: Actor) -> PayoutView:
    """Take a request back; the money returns to the settled balance. Cancelling again changes nothing.

    Raises ``NotFound``, ``WrongState`` once it is in a batch, or ``IdempotencyConflict``.
    """
    payout_id = command.payout_id
    async with transaction():
        found = await payout_by_id(payout_id, actor.distributor_id, "input.payoutId")
        await claim(actor.operation("payout.cancel"), command.idempotency_key, command, payout_id)
        cancelled = await Payout.filter(id=payout_id, status=PayoutState.REQUESTED).update(
            status=PayoutState.CANCELLED, finished_at=clock.now()
        )
        if cancelled:
            amount = found.amounts.requested_minor
            entries = transfer(found.distributor_id, Account.PAYOUT, Account.SETTLED, amount, found.currency)
            await post(
                [
                    Posting(
                        kind=Kind.PAYOUT_CANCEL,
                        reference_kind="payout",
                        reference_id=payout_id,
                        idempotency_key=f"payout_cancel:{payout_id}",
                        effective_at=clock.now(),
                        entries=tuple(entries),
                    )
                ]
            )
            tell([Event(EventKind.PAYOUT_CANCELLED, payout_id, found.distributor_id, amount, found.currency)])
            await audit.record(actor, "payout.cancel", str(payout_id))
        found = await payout_by_id(payout_id)
        if found.status is not PayoutState.CANCELLED:
            raise WrongState("input.payoutId", kind="payout", state=found.status, needed=PayoutState.REQUESTED)
        return found


async def _ground(tx: Tx, owners: Collection[DistributorId], currency: str, *, hold: bool) -> _Ground:
    """Gather for some distributors, in the order in which everybody takes these locks."""
    if hold:
        statuses = await hold_still(owners)
    else:
        statuses = {owner: row.status for owner, row in (await find(owners)).items()}
    locked = f" ORDER BY id{tx.for_update}" if hold and tx.for_update else ""
    cards = await tx.rows(
        # SQLite does not see by itself that a verified one is not retired, and that the index of live ones will do.
        f"SELECT id, distributor_id, has_invoice FROM payout_destination WHERE tenant_id = $1 "
        f"AND status = 'verified' AND status <> 'retired' AND distributor_id {tx.within(2, 'uuid')}{locked}",
        tx.tenant_id,
        list(owners),
    )
    paid_to = {row["distributor_id"]: (row["id"], row["has_invoice"]) for row in cards}
    concerned = [owner for owner in owners if owner in statuses and owner in paid_to]
    if hold:
        balances = await lock_balances(concerned, [Account.PAYOUT, Account.SETTLED], currency)
    else:
        balances = await balances_of(concerned)
    return _Ground(statuses, paid_to, balances)


def _plan(
    policy: PayoutPolicy, ground: _Ground, payout_id: PayoutId, owner: DistributorId, amount_minor: int | None
) -> _Planned:
    """Decide one request; whether the balance covers it is the ledger's to say. Raises what ``request_payout`` does."""
    status = ground.statuses.get(owner)
    if status is None:
        raise NotFound("input.distributorId", kind="distributor", value=owner)
    if status not in PAYABLE:
        raise PayoutsOnHold("input.distributorId", state=status)
    if owner not in ground.cards:
        raise NoVerifiedDestination("input.distributorId")
    destination_id, has_invoice = ground.cards[owner]
    if amount_minor is None:
        amount_minor = ground.balances[owner].of(Account.SETTLED, policy.currency)
        if policy.maximum_minor is not None:
            amount_minor = min(amount_minor, policy.maximum_minor)
    if status is Status.EXITED:  # nothing more is to come, so a small rest must not stay for ever
        policy = replace(policy, minimum_minor=0)
    return _Planned(payout_id, owner, destination_id, break_down(policy, amount_minor, has_invoice=has_invoice))


async def _plan_all(tx: Tx, policy: PayoutPolicy, *, hold: bool) -> tuple[Sequence[_Planned], Counter[str]]:
    owners = await owners_with(Account.SETTLED, policy.currency, 1)
    ground = await _ground(tx, owners, policy.currency, hold=hold)
    planned, skipped = [], Counter[str]()
    for owner in owners:
        try:
            planned.append(_plan(policy, ground, PayoutId(new_id()), owner, None))
        except DomainError as refusal:
            skipped[refusal.code] += 1
    return planned, skipped


async def _write(
    tx: Tx, policy: PayoutPolicy, planned: Sequence[_Planned], actor: Actor, *, sweep_id: UUID | None
) -> None:
    now = clock.now()
    await tx.insert_many(
        "payout",
        (
            "id",
            "distributor_id",
            "destination_id",
            "sweep_id",
            "currency",
            "requested_minor",
            "fee_minor",
            "withheld_minor",
            "net_minor",
            "status",
            "requested_by",
            "requested_at",
        ),
        [
            (
                one.id,
                one.distributor_id,
                one.destination_id,
                sweep_id,
                policy.currency,
                one.amounts.requested_minor,
                one.amounts.fee_minor,
                one.amounts.withheld_minor,
                one.amounts.net_minor,
                PayoutState.REQUESTED,
                actor.id,
                now,
            )
            for one in planned
        ],
    )
    await post(
        [
            Posting(
                kind=Kind.PAYOUT_REQUEST,
                reference_kind="payout",
                reference_id=one.id,
                idempotency_key=f"payout_request:{one.id}",
                effective_at=now,
                entries=tuple(
                    transfer(
                        one.distributor_id,
                        Account.SETTLED,
                        Account.PAYOUT,
                        one.amounts.requested_minor,
                        policy.currency,
                    )
                ),
            )
            for one in planned
        ],
        covered=[Account.SETTLED],
    )
    requested = EventKind.PAYOUT_REQUESTED
    tell(Event(requested, one.id, one.distributor_id, one.amounts.requested_minor, policy.currency) for one in planned)


def _summary(sweep_id: UUID | None, currency: str, amounts: Sequence[Breakdown], skipped: Mapping[str, int]) -> Sweep:
    return Sweep(
        id=sweep_id,
        payouts=len(amounts),
        requested_minor=sum(one.requested_minor for one in amounts),
        net_minor=sum(one.net_minor for one in amounts),
        currency=currency,
        skipped=skipped,
    )


async def _swept(tx: Tx, sweep_id: UUID, currency: str) -> Sweep:
    """An earlier sweep as it was requested; whom it left out is not kept."""
    rows = await tx.rows(
        "SELECT requested_minor, fee_minor, withheld_minor, net_minor FROM payout "
        "WHERE tenant_id = $1 AND sweep_id = $2",
        tx.tenant_id,
        sweep_id,
    )
    return _summary(sweep_id, currency, [Breakdown(**row) for row in rows], {})
