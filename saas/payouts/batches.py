"""Batches: gathered by one person, approved by another, sent through a provider, each payout paid or failed alone."""

from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from uuid import UUID

from saas.base import clock
from saas.base.db import Point, Tx, passing, reading, transaction
from saas.base.errors import InvalidInput, Said, WrongState
from saas.base.idempotency import claim
from saas.base.ids import PayoutBatchId, new_id
from saas.events.commands import NO_AMOUNT, tell, tell_selected
from saas.events.rules import Event, EventKind
from saas.jobs.commands import enqueue
from saas.jobs.worker import Report
from saas.network.standstill import hold_still
from saas.payouts.accounts import account_at
from saas.payouts.destinations import opened
from saas.payouts.errors import NothingToBatch, SecondPersonNeeded
from saas.payouts.models import Payout, PayoutBatch
from saas.payouts.people import staff_member
from saas.payouts.policy import payout_policy
from saas.payouts.providers import FILES, GATEWAYS, PROVIDERS, Item, Sheet, Submission
from saas.payouts.queries import BatchView, batch_by_id
from saas.payouts.requests import PAYABLE
from saas.payouts.rules import BatchState, PayoutState
from saas.payouts.sending import JOB
from tenants import audit, registry
from tenants.actors import Actor

BATCHED = (
    f"SELECT distributor_id, id AS subject_id, {NO_AMOUNT} FROM payout "
    f"WHERE tenant_id = $1 AND batch_id = $4 AND status = 'batched'"
)
"""SQL of the payouts of a batch that wait again when it is cancelled."""

TRIES = 20
"""How many numbers are tried because others took the ones before at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBatch:
    """Gather the waiting payouts in the program's currency that a provider can pay, to be sent through it."""

    provider: str = "manual"
    idempotency_key: str


async def create_batch(command: CreateBatch, actor: Actor) -> BatchView:
    """Gather every waiting payout whose distributor is not on hold and whose destination needs not cool any longer.

    Raises ``NothingToBatch``, ``InvalidInput`` for an unknown provider, ``ProviderNotSetUp``, ``Forbidden`` or
    ``IdempotencyConflict``.
    """
    person = staff_member(actor)
    if command.provider not in PROVIDERS:
        raise InvalidInput(
            "input.provider",
            value=command.provider,
            remedy=Said(f"choose from {', '.join(PROVIDERS)}", f"请从以下选项中选择：{', '.join(PROVIDERS)}"),
        )
    batch_id = PayoutBatchId(new_id())
    async with transaction() as tx:
        earlier = await claim("payout.create_batch", command.idempotency_key, command, batch_id)
        if earlier is not None:
            return await batch_by_id(PayoutBatchId(earlier))
        if command.provider in GATEWAYS or FILES[command.provider].needs_account:
            await account_at(command.provider)
        currency = (await payout_policy()).currency
        number = await _insert(tx, batch_id, command.provider, currency, person)
        gathered = await _gather(tx, batch_id, command.provider, currency)
        if not gathered:
            raise NothingToBatch("input", currency=currency)
        await audit.record(actor, "payout_batch.create", str(batch_id), number=number, payouts=gathered)
        return await batch_by_id(batch_id)


async def _insert(tx: Tx, batch_id: PayoutBatchId, provider: str, currency: str, person: UUID) -> str:
    """Write the batch under the next number of the day; of two who take the same, the second takes the one after."""
    now = clock.now()
    day = f"{clock.local_day(now, (await registry.this_brand()).time_zone):%Y%m%d}"
    columns = ("id", "number", "provider", "currency", "status", "created_by", "created_at")
    for _ in range(TRIES):
        taken = await tx.value(
            "SELECT count(*) FROM payout_batch WHERE tenant_id = $1 AND number LIKE $2", tx.tenant_id, f"P{day}-%"
        )
        number = f"P{day}-{taken + 1:03}"
        row = (batch_id, number, provider, currency, BatchState.OPEN, person, now)
        if await tx.insert_many("payout_batch", columns, [row], or_ignore=True):
            return number
    raise RuntimeError(f"{TRIES} numbers of the day {day} were taken by others")


async def _gather(tx: Tx, batch_id: PayoutBatchId, provider: str, currency: str) -> int:
    waiting = await tx.rows(
        f"SELECT p.id, p.distributor_id FROM payout p "
        f"JOIN payout_destination d ON d.tenant_id = p.tenant_id AND d.id = p.destination_id "
        f"WHERE p.tenant_id = $1 AND p.status = 'requested' AND p.currency = $2 "
        f"AND (d.usable_from IS NULL OR d.usable_from <= $3) AND d.kind {tx.within(4, 'text')} ORDER BY p.id",
        tx.tenant_id,
        currency,
        clock.now(),
        list(PROVIDERS[provider].kinds),
    )
    statuses = await hold_still({row["distributor_id"] for row in waiting})
    gathered = [row for row in waiting if statuses[row["distributor_id"]] in PAYABLE]
    payable = [row["id"] for row in gathered]
    tell(Event(EventKind.PAYOUT_BATCHED, row["id"], row["distributor_id"]) for row in gathered)
    return await tx.execute(
        f"UPDATE payout SET status = 'batched', batch_id = $2 "
        f"WHERE tenant_id = $1 AND status = 'requested' AND id {tx.within(3, 'uuid')}",
        tx.tenant_id,
        batch_id,
        payable,
    )


async def approve_batch(batch_id: PayoutBatchId, actor: Actor) -> BatchView:
    """Approve a batch that somebody else made; the same person approving again changes nothing.

    Raises ``NotFound``, ``SecondPersonNeeded``, ``WrongState`` or ``Forbidden``.
    """
    person = staff_member(actor)
    async with transaction():
        approved = (
            await PayoutBatch.filter(id=batch_id, status=BatchState.OPEN)
            .exclude(created_by=person)
            .update(status=BatchState.APPROVED, approved_by=person, approved_at=clock.now())
        )
        batch = await batch_by_id(batch_id, "input.id")
        if approved:
            await audit.record(actor, "payout_batch.approve", str(batch_id), net_minor=batch.net_minor)
        elif batch.created_by == person:
            raise SecondPersonNeeded("input.id")
        elif batch.status is not BatchState.APPROVED or batch.approved_by != person:
            raise _wrong_state(batch, BatchState.OPEN)
        return batch


async def cancel_batch(batch_id: PayoutBatchId, actor: Actor) -> BatchView:
    """Undo a batch that was not sent: its payouts wait again. Cancelling again changes nothing.

    Raises ``NotFound``, ``WrongState`` or ``Forbidden``.
    """
    staff_member(actor)
    async with transaction() as tx:
        cancelled = await PayoutBatch.filter(id=batch_id, status__in=[BatchState.OPEN, BatchState.APPROVED]).update(
            status=BatchState.CANCELLED
        )
        if cancelled:
            await tell_selected(tx, EventKind.PAYOUT_REQUESTED, BATCHED, batch_id)
            released = await tx.execute(
                "UPDATE payout SET status = 'requested', batch_id = NULL "
                "WHERE tenant_id = $1 AND batch_id = $2 AND status = 'batched'",
                tx.tenant_id,
                batch_id,
            )
            await audit.record(actor, "payout_batch.cancel", str(batch_id), payouts=released)
        batch = await batch_by_id(batch_id, "input.id")
        if batch.status is not BatchState.CANCELLED:
            raise _wrong_state(batch, BatchState.OPEN)
        return batch


async def submit_batch(batch_id: PayoutBatchId, actor: Actor) -> Submission | None:
    """Send an approved batch. Payouts whose distributor was put on hold meanwhile wait again.

    Of a provider that pays by a file, one that was sent answers the same file again until its first result is known:
    after that the file would pay somebody twice, so it is refused. Every submission is audited, because it holds bank
    cards in clear. A gateway is given the payouts by a job; again, it is asked for the results that are missing.
    Raises ``NotFound``, ``WrongState``, ``NothingToBatch`` when nobody is left, ``ProviderNotSetUp`` or ``Forbidden``.
    """
    staff_member(actor)
    async with transaction() as tx:
        batch, sent = await _hand_over(tx, batch_id)
        paid_by_file = batch.provider in FILES
        if batch.status is not BatchState.SUBMITTED:
            raise _wrong_state(batch, BatchState.APPROVED)
        if not paid_by_file:
            await audit.record(actor, "payout_batch.submit" if sent else "payout_batch.ask", str(batch_id))
            await enqueue(JOB, {"batch": batch_id}, actor=actor)
            return None
        provider, items = FILES[batch.provider], await _items(tx, batch_id)
        account = await account_at(batch.provider, "input.id") if provider.needs_account else {}
        await audit.record(
            actor, "payout_batch.submit" if sent else "payout_batch.download", str(batch_id), payouts=len(items)
        )
    if batch.submitted_at is None:
        raise RuntimeError(f"batch {batch_id} was submitted at no moment")
    passing(Point.BEFORE_SEND)
    file = provider.write(Sheet(number=batch.number, submitted_at=batch.submitted_at, items=items), account)
    passing(Point.UNHEARD)
    return file


async def send_approved(actor: Actor, report: Report | None = None) -> int:
    """Submit every approved batch of a provider that pays over the network; answers how many were.

    Each in a transaction of its own. One of which nobody is left to be paid stays as it is. Two people have agreed to
    each of them already, so no third one is needed.
    """
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT id FROM payout_batch WHERE tenant_id = $1 AND status = 'approved' "
            f"AND provider {tx.within(2, 'text')} ORDER BY id",
            tx.tenant_id,
            list(GATEWAYS),
        )
    submitted = 0
    for done, row in enumerate(rows):
        if report is not None:
            await report(done, len(rows))
        with suppress(NothingToBatch):
            submitted += await _send_one(PayoutBatchId(row["id"]), actor)
    return submitted


async def _send_one(batch_id: PayoutBatchId, actor: Actor) -> bool:
    async with transaction() as tx:
        _, sent = await _hand_over(tx, batch_id)
        if sent:
            await audit.record(actor, "payout_batch.submit", str(batch_id))
            await enqueue(JOB, {"batch": batch_id}, actor=actor)
    return sent


async def _hand_over(tx: Tx, batch_id: PayoutBatchId) -> tuple[BatchView, bool]:
    """Take an approved batch for submitted; answers it, and whether it was not before. Raises ``NothingToBatch``."""
    sent = await PayoutBatch.filter(id=batch_id, status=BatchState.APPROVED).update(
        status=BatchState.SUBMITTED, submitted_at=clock.now()
    )
    batch = await batch_by_id(batch_id, "input.id")
    state = PayoutState.SENT if batch.provider in FILES else PayoutState.BATCHED
    if sent and not await _send(tx, batch_id, state):
        raise NothingToBatch("input.id", currency=batch.currency)
    return batch, bool(sent)


async def _send(tx: Tx, batch_id: PayoutBatchId, state: PayoutState) -> int:
    found = await tx.rows(
        "SELECT id, distributor_id FROM payout WHERE tenant_id = $1 AND batch_id = $2", tx.tenant_id, batch_id
    )
    rows = sorted(found, key=itemgetter("id"))
    statuses = await hold_still({row["distributor_id"] for row in rows})
    held = [row["id"] for row in rows if statuses[row["distributor_id"]] not in PAYABLE]
    going = [row for row in rows if row["id"] not in set(held)]
    tell(Event(EventKind.PAYOUT_SENT, row["id"], row["distributor_id"]) for row in going if state is PayoutState.SENT)
    await tx.execute(
        f"UPDATE payout SET status = 'requested', batch_id = NULL "
        f"WHERE tenant_id = $1 AND batch_id = $2 AND status = 'batched' AND id {tx.within(3, 'uuid')}",
        tx.tenant_id,
        batch_id,
        held,
    )
    return await Payout.filter(batch_id=batch_id, status=PayoutState.BATCHED).update(status=state)


async def _items(tx: Tx, batch_id: PayoutBatchId) -> list[Item]:
    """What to pay to whom. Raises ``WrongState`` where a result is known already."""
    rows = await tx.rows(
        "SELECT p.id, p.status, p.net_minor, p.currency, p.destination_id, d.sealed FROM payout p "
        "JOIN payout_destination d ON d.tenant_id = p.tenant_id AND d.id = p.destination_id "
        "WHERE p.tenant_id = $1 AND p.batch_id = $2",
        tx.tenant_id,
        batch_id,
    )
    found = sorted(rows, key=itemgetter("id"))
    for row in found:
        if row["status"] != PayoutState.SENT:
            raise WrongState("input.id", kind="payout", state=row["status"], needed=PayoutState.SENT)
    return [
        Item(
            payout_id=row["id"],
            to=opened(row["sealed"], row["destination_id"]),
            net_minor=row["net_minor"],
            currency=row["currency"],
        )
        for row in found
    ]


def _wrong_state(batch: BatchView, needed: BatchState) -> WrongState:
    return WrongState("input.id", kind="payout batch", state=batch.status, needed=needed)
