"""Where money goes: kept sealed, one live for each distributor, verified by a second person before it goes there."""

from dataclasses import dataclass, field
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Row, Tx, transaction
from saas.base.errors import NotFound, WrongState
from saas.base.idempotency import claim
from saas.base.ids import DistributorId, new_id
from saas.base.vault import keyed_hash, seal, unseal
from saas.network.queries import find
from saas.payouts.errors import CardNeedsSecondPerson, PayoutStillOpen
from saas.payouts.models import PayoutDestination
from saas.payouts.people import check_own, staff_member
from saas.payouts.policy import payout_policy
from saas.payouts.queries import DestinationView, destination_by_id, open_payouts
from saas.payouts.rules import DestinationKind, DestinationState, PayTo, masked, pay_to, usable_from
from tenants import audit
from tenants.actors import Actor, Role, check_fresh
from tenants.errors import Forbidden

TRIES = 20
"""How often a destination is replaced again because others replaced it at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDestination:
    """A distributor's new destination. ``has_invoice``: it hands in invoices, so nothing is withheld."""

    distributor_id: DistributorId
    kind: DestinationKind = DestinationKind.BANK_CARD
    holder: str = field(repr=False)
    bank: str | None = None
    account: str = field(repr=False)
    has_invoice: bool
    idempotency_key: str


async def set_destination(command: SetDestination, actor: Actor) -> DestinationView:
    """Replace a distributor's destination by one that has to be verified, and that cools down if it is not the first.

    Raises ``DestinationRefused``, ``NotFound``, ``PayoutStillOpen`` while a payout to the present one is under way,
    ``LoginNotFresh``, ``NoActiveProgram`` or ``IdempotencyConflict``; ``Forbidden`` where nobody acts whom a second
    person could be told from.
    """
    if actor.id is None:
        raise Forbidden("input", role=actor.role, needed=Role.FINANCE)
    check_fresh(actor)
    card = pay_to(command.kind, command.holder, command.bank, command.account)
    check_own(actor, command.distributor_id, "input.distributorId")
    destination_id = new_id()
    async with transaction() as tx:
        content = [command.distributor_id, command.has_invoice, keyed_hash("destination", _written(card))]
        earlier = await claim(
            actor.operation("payout.set_destination"), command.idempotency_key, content, destination_id
        )
        if earlier is not None:
            return await destination_by_id(earlier)
        if command.distributor_id not in await find([command.distributor_id]):
            raise NotFound("input.distributorId", kind="distributor", value=command.distributor_id)
        before = await _shown(tx, command.distributor_id)
        await _replace(tx, destination_id, command, card, actor.id)
        await audit.record(
            actor,
            "payout_destination.set",
            str(destination_id),
            on_behalf_of=command.distributor_id,
            **audit.change(before, {"kind": command.kind, "masked": masked(card), "has_invoice": command.has_invoice}),
        )
        return await destination_by_id(destination_id)


async def _shown(tx: Tx, distributor_id: DistributorId) -> Row | None:
    """The live destination as everybody may see it, for the audit log."""
    return await tx.row(
        "SELECT kind, masked, has_invoice FROM payout_destination "
        "WHERE tenant_id = $1 AND distributor_id = $2 AND status <> 'retired'",
        tx.tenant_id,
        distributor_id,
    )


async def _replace(tx: Tx, destination_id: UUID, command: SetDestination, card: PayTo, person: UUID) -> None:
    """Retire the live one and insert the new one; of two at once, the second retires the first's."""
    policy, now = await payout_policy(), clock.now()
    row = (
        destination_id,
        command.distributor_id,
        card.kind,
        seal(_written(card), destination_id),
        masked(card),
        command.has_invoice,
        DestinationState.UNVERIFIED,
        person,
        now,
    )
    columns = ("id", "distributor_id", "kind", "sealed", "masked", "has_invoice", "status", "created_by", "created_at")
    for _ in range(TRIES):
        await tx.rows(
            f"SELECT id FROM payout_destination "
            f"WHERE tenant_id = $1 AND distributor_id = $2 AND status <> 'retired'{tx.for_update}",
            tx.tenant_id,
            command.distributor_id,
        )
        if await open_payouts(command.distributor_id):
            raise PayoutStillOpen("input.distributorId")
        replaces = await PayoutDestination.filter(distributor_id=command.distributor_id).exists()
        await (
            PayoutDestination.filter(distributor_id=command.distributor_id)
            .exclude(status=DestinationState.RETIRED)
            .update(status=DestinationState.RETIRED)
        )
        ready = usable_from(now, policy, replaces=replaces)
        if await tx.insert_many("payout_destination", (*columns, "usable_from"), [(*row, ready)], or_ignore=True):
            return
    raise RuntimeError(f"the destination of {command.distributor_id} changed {TRIES} times under our hands")


async def verify_destination(destination_id: UUID, actor: Actor) -> DestinationView:
    """Say that a destination somebody else gave was looked at and is the distributor's; again, it changes nothing.

    Raises ``NotFound``, ``WrongState`` for a retired one, ``CardNeedsSecondPerson`` for the one who gave it, and
    ``Forbidden`` for anybody but staff.
    """
    person = staff_member(actor)
    async with transaction():
        changed = (
            await PayoutDestination.filter(id=destination_id, status=DestinationState.UNVERIFIED)
            .exclude(created_by=person)
            .update(status=DestinationState.VERIFIED, verified_at=clock.now(), verified_by=person)
        )
        found = await destination_by_id(destination_id)
        if found.status is DestinationState.RETIRED:
            raise WrongState(
                "input.id", kind="payout destination", state=found.status, needed=DestinationState.UNVERIFIED
            )
        if found.status is DestinationState.UNVERIFIED:
            raise CardNeedsSecondPerson("input.id")
        if changed:
            await audit.record(actor, "payout_destination.verify", str(destination_id), masked=found.masked)
        return found


async def reveal_destination(destination_id: UUID, actor: Actor) -> PayTo:
    """A destination in clear, for staff that has to verify it; written to the audit log. Raises ``NotFound``."""
    staff_member(actor)
    async with transaction() as tx:
        sealed = await tx.value(
            "SELECT sealed FROM payout_destination WHERE tenant_id = $1 AND id = $2", tx.tenant_id, destination_id
        )
        if not sealed:  # nothing, or erased
            raise NotFound("input.id", kind="payout destination", value=destination_id)
        await audit.record(actor, "payout_destination.reveal", str(destination_id))
        return opened(sealed, destination_id)


def opened(sealed: str, destination_id: UUID) -> PayTo:
    """What was sealed for a row; what names no kind is a bank card. Raises ``SealBroken`` for another row's."""
    written = orjson.loads(unseal(sealed, destination_id))
    return PayTo(**{**written, "kind": DestinationKind(written.get("kind", DestinationKind.BANK_CARD))})


def _written(card: PayTo) -> str:
    return orjson.dumps(card).decode()
