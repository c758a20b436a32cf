"""Debts that are given up: asked for by one person, approved by another (docs/rules.md §4)."""

from dataclasses import dataclass
from uuid import UUID

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.errors import NotFound, WrongState
from saas.base.idempotency import claim
from saas.base.ids import DistributorId, WriteOffId, new_id
from saas.base.money import plain_amount
from saas.base.text import reason_of
from saas.ledger.commands import lock_balances, post
from saas.ledger.rules import Account, Entry, Kind, Posting
from saas.network.queries import find
from saas.returns.errors import NothingOwed, WriteOffNeedsSecondPerson
from saas.returns.queries import WriteOffView, write_off_by_id
from tenants import audit
from tenants.actors import Actor, Role
from tenants.errors import Forbidden
from tenants.program.versions import active_program

_PEOPLE = frozenset({Role.OWNER, Role.FINANCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWriteOff:
    """Ask to give up what a distributor owes, or a part of it."""

    distributor_id: DistributorId
    amount_minor: int
    reason: str
    idempotency_key: str


async def request_write_off(command: RequestWriteOff, actor: Actor) -> WriteOffView:
    """Ask for a write-off of at most what is owed: how far the settled balance is below zero, and the debt set aside.

    Raises ``NothingOwed``, ``Forbidden``, ``ReasonRefused``, ``NoActiveProgram`` or ``IdempotencyConflict``.
    """
    person, reason = _person(actor), reason_of(command.reason)
    write_off_id, owner = WriteOffId(new_id()), command.distributor_id
    async with transaction() as tx:
        earlier = await claim("write_off.request", command.idempotency_key, command, write_off_id)
        if earlier is not None:
            return await write_off_by_id(WriteOffId(earlier))
        currency = (await active_program()).program.currency
        if owner not in await find([owner]):
            raise NotFound("input.distributorId", kind="distributor", value=owner)
        await _check_owed(owner, command.amount_minor, currency, "input.amountMinor")
        await tx.insert_many(
            "write_off",
            ("id", "distributor_id", "currency", "amount_minor", "reason", "status", "requested_by", "requested_at"),
            [(write_off_id, owner, currency, command.amount_minor, reason, "requested", person, clock.now())],
        )
        await audit.record(actor, "write_off.request", str(write_off_id), amount_minor=command.amount_minor)
        return await write_off_by_id(write_off_id)


async def approve_write_off(write_off_id: WriteOffId, actor: Actor) -> WriteOffView:
    """Give the debt up, as a second person.

    Raises ``NotFound``, ``WrongState``, ``NothingOwed``, ``WriteOffNeedsSecondPerson`` or ``Forbidden``.
    """
    person = _person(actor)
    async with transaction() as tx:
        asked = await _lock(tx, write_off_id)
        if asked.requested_by == person:
            raise WriteOffNeedsSecondPerson("input.id")
        short = await _check_owed(asked.distributor_id, asked.amount_minor, asked.currency, "input.id")
        await _decide(tx, asked, "approved", person)
        await post([_posting(asked, min(short, asked.amount_minor))])
        await audit.record(actor, "write_off.approve", str(write_off_id), amount_minor=asked.amount_minor)
        return await write_off_by_id(write_off_id)


async def reject_write_off(write_off_id: WriteOffId, actor: Actor) -> WriteOffView:
    """Leave the debt as it is. Raises ``NotFound``, ``WrongState``, ``WriteOffNeedsSecondPerson`` or ``Forbidden``."""
    person = _person(actor)
    async with transaction() as tx:
        asked = await _lock(tx, write_off_id)
        if asked.requested_by == person:
            raise WriteOffNeedsSecondPerson("input.id")
        await _decide(tx, asked, "rejected", person)
        await audit.record(actor, "write_off.reject", str(write_off_id))
        return await write_off_by_id(write_off_id)


def _person(actor: Actor) -> UUID:
    """Money that is given up is a matter of two people: neither a key nor the program itself is one."""
    if actor.role not in _PEOPLE or actor.id is None:
        raise Forbidden("input", role=actor.role, needed=Role.FINANCE)
    return actor.id


async def _check_owed(owner: DistributorId, amount_minor: int, currency: str, field: str) -> int:
    """Hold what is owed still and refuse more than that; answers how far the settled balance is below zero."""
    balances = await lock_balances([owner], [Account.DEBT, Account.SETTLED], currency)
    short, aside = (max(-balances[owner].of(account, currency), 0) for account in (Account.SETTLED, Account.DEBT))
    if not 0 < amount_minor <= short + aside:
        asked, owing = (plain_amount(amount, currency) for amount in (amount_minor, short + aside))
        raise NothingOwed(field, asked=asked, owed=owing, currency=currency)
    return short


async def _lock(tx: Tx, write_off_id: WriteOffId) -> WriteOffView:
    await tx.rows(
        f"SELECT id FROM write_off WHERE tenant_id = $1 AND id = $2{tx.for_update}", tx.tenant_id, write_off_id
    )
    found = await write_off_by_id(write_off_id)
    if found.status != "requested":
        raise WrongState("input.id", kind="write-off", state=found.status, needed="requested")
    return found


async def _decide(tx: Tx, asked: WriteOffView, status: str, person: UUID) -> None:
    changed = await tx.execute(
        "UPDATE write_off SET status = $3, decided_by = $4, decided_at = $5 "
        "WHERE tenant_id = $1 AND id = $2 AND status = 'requested'",
        *(tx.tenant_id, asked.id, status, person, clock.now()),
    )
    if changed != 1:
        raise RuntimeError("a write-off changed its state while it was locked")


def _posting(asked: WriteOffView, settled_minor: int) -> Posting:
    """The settled balance is lifted first, then the debt that was set aside."""
    owner, currency = asked.distributor_id, asked.currency
    parts = ((Account.SETTLED, settled_minor), (Account.DEBT, asked.amount_minor - settled_minor))
    return Posting(
        kind=Kind.WRITE_OFF,
        reference_kind="write_off",
        reference_id=asked.id,
        idempotency_key=f"write_off:{asked.id}",
        effective_at=clock.now(),
        entries=(
            *(Entry(account, owner, part, currency) for account, part in parts if part),
            Entry(Account.COMMISSION_EXPENSE, None, -asked.amount_minor, currency),
        ),
    )
