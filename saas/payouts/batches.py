"""Batches: gathered by one person, approved by another, sent through a provider, each payout paid or failed alone."""

from dataclasses import dataclass
from uuid import UUID

from saas.base import clock
from saas.base.db import Row, Tx, transaction
from saas.base.errors import InvalidInput, NotFound, Said, WrongState
from saas.base.idempotency import claim
from saas.base.ids import PayoutBatchId, PayoutId, new_id
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting, transfer
from saas.network.standstill import hold_still
from saas.payouts.destinations import opened
from saas.payouts.errors import ContradictoryResult, NothingToBatch, SecondPersonNeeded
from saas.payouts.models import Payout, PayoutBatch
from saas.payouts.people import staff_member
from saas.payouts.policy import payout_policy
from saas.payouts.providers import PROVIDERS, Item, Submission
from saas.payouts.queries import BatchView, PayoutView, batch_by_id, payout_by_id
from saas.payouts.requests import PAYABLE
from saas.payouts.rules import BatchState, Outcome, PayoutState
from tenants import audit, registry
from tenants.actors import Actor

TEXT_LONGEST = 200
TRIES = 20
"""How many numbers are tried because others took the ones before at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBatch:
    """Gather all waiting payouts in the program's currency, to be sent through a provider."""

    provider: str = "manual"
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult:
    """What became of a payout that was sent: the provider's reference, and why it failed if it did."""

    payout_id: PayoutId
    outcome: Outcome
    reference: str | None = None
    reason: str | None = None
    idempotency_key: str


async def create_batch(command: CreateBatch, actor: Actor) -> BatchView:
    """Gather every waiting payout whose distributor is not on hold.

    Raises ``NothingToBatch``, ``InvalidInput`` for an unknown provider, ``Forbidden`` or ``IdempotencyConflict``.
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
        currency = (await payout_policy()).currency
        number = await _insert(tx, batch_id, command.provider, currency, person)
        gathered = await _gather(tx, batch_id, currency)
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


async def _gather(tx: Tx, batch_id: PayoutBatchId, currency: str) -> int:
    waiting = await tx.rows(
        "SELECT id, distributor_id FROM payout WHERE tenant_id = $1 AND status = 'requested' AND currency = $2 "
        "ORDER BY id",
        tx.tenant_id,
        currency,
    )
    statuses = await hold_still({row["distributor_id"] for row in waiting})
    payable = [row["id"] for row in waiting if statuses[row["distributor_id"]] in PAYABLE]
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
        batch = await batch_by_id(batch_id)
        if approved:
            await audit.record(actor, "payout_batch.approve", str(batch_id), net_minor=batch.net_minor)
        elif batch.created_by == person:
            raise SecondPersonNeeded("input.batchId")
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
            released = await tx.execute(
                "UPDATE payout SET status = 'requested', batch_id = NULL "
                "WHERE tenant_id = $1 AND batch_id = $2 AND status = 'batched'",
                tx.tenant_id,
                batch_id,
            )
            await audit.record(actor, "payout_batch.cancel", str(batch_id), payouts=released)
        batch = await batch_by_id(batch_id)
        if batch.status is not BatchState.CANCELLED:
            raise _wrong_state(batch, BatchState.OPEN)
        return batch


async def submit_batch(batch_id: PayoutBatchId, actor: Actor) -> Submission:
    """Send an approved batch; one that was sent answers the same submission again until its first result is known.

    After that the file would pay somebody twice, so it is refused. Payouts whose distributor was put on hold meanwhile
    wait again. Every submission is audited, because it holds bank cards in clear. Raises ``NotFound``, ``WrongState``,
    ``NothingToBatch`` when nobody is left, or ``Forbidden``.
    """
    staff_member(actor)
    async with transaction() as tx:
        sent = await PayoutBatch.filter(id=batch_id, status=BatchState.APPROVED).update(
            status=BatchState.SUBMITTED, submitted_at=clock.now()
        )
        batch = await batch_by_id(batch_id)
        if sent and not await _send(tx, batch_id):
            raise NothingToBatch("input.batchId", currency=batch.currency)
        if batch.status is not BatchState.SUBMITTED:
            raise _wrong_state(batch, BatchState.APPROVED)
        items = await _items(tx, batch_id)
        await audit.record(
            actor, "payout_batch.submit" if sent else "payout_batch.download", str(batch_id), payouts=len(items)
        )
    return PROVIDERS[batch.provider].submit(batch.number, items)


async def _send(tx: Tx, batch_id: PayoutBatchId) -> int:
    rows = await tx.rows(
        "SELECT id, distributor_id FROM payout WHERE tenant_id = $1 AND batch_id = $2 ORDER BY id",
        tx.tenant_id,
        batch_id,
    )
    statuses = await hold_still({row["distributor_id"] for row in rows})
    held = [row["id"] for row in rows if statuses[row["distributor_id"]] not in PAYABLE]
    await tx.execute(
        f"UPDATE payout SET status = 'requested', batch_id = NULL "
        f"WHERE tenant_id = $1 AND batch_id = $2 AND status = 'batched' AND id {tx.within(3, 'uuid')}",
        tx.tenant_id,
        batch_id,
        held,
    )
    return await Payout.filter(batch_id=batch_id, status=PayoutState.BATCHED).update(status=PayoutState.SENT)


async def _items(tx: Tx, batch_id: PayoutBatchId) -> list[Item]:
    """What to pay to whom. Raises ``WrongState`` where a result is known already."""
    rows = await tx.rows(
        "SELECT p.id, p.status, p.net_minor, p.currency, p.destination_id, d.sealed FROM payout p "
        "JOIN payout_destination d ON d.tenant_id = p.tenant_id AND d.id = p.destination_id "
        "WHERE p.tenant_id = $1 AND p.batch_id = $2 ORDER BY p.id",
        tx.tenant_id,
        batch_id,
    )
    for row in rows:
        if row["status"] != PayoutState.SENT:
            raise WrongState("input.batchId", kind="payout", state=row["status"], needed=PayoutState.SENT)
    return [
        Item(
            payout_id=row["id"],
            card=opened(row["sealed"], row["destination_id"]),
            net_minor=row["net_minor"],
            currency=row["currency"],
        )
        for row in rows
    ]


async def record_result(command: RecordResult, actor: Actor) -> PayoutView:
    """Take down what became of a payout: paid, or failed and the money back on the settled balance.

    The same result again changes nothing. The batch completes with its last result. Raises ``NotFound``,
    ``WrongState`` for a payout that was not sent, ``ContradictoryResult``, ``InvalidInput`` or ``IdempotencyConflict``.
    """
    for name, text in (("reference", command.reference), ("reason", command.reason)):
        if text is not None and not 0 < len(text.strip()) <= TEXT_LONGEST:
            raise InvalidInput(
                f"input.{name}",
                value=text[:40],
                remedy=Said(f"write 1 to {TEXT_LONGEST} characters", f"请填写 1 至 {TEXT_LONGEST} 个字符"),
            )
    payout_id = command.payout_id
    async with transaction() as tx:
        row = await _lock(tx, payout_id)
        await claim("payout.result", command.idempotency_key, command, payout_id)
        if row["status"] == command.outcome and command.reference in {None, row["provider_reference"]}:
            return await payout_by_id(payout_id)
        if row["status"] in {PayoutState.PAID, PayoutState.FAILED}:
            raise ContradictoryResult("input.outcome", state=row["status"], reference=row["provider_reference"] or "–")
        if row["status"] != PayoutState.SENT:
            raise WrongState("input.payoutId", kind="payout", state=row["status"], needed=PayoutState.SENT)
        now = clock.now()
        recorded = await Payout.filter(id=payout_id, status=PayoutState.SENT).update(
            status=command.outcome,
            finished_at=now,
            failure=command.reason if command.outcome is Outcome.FAILED else None,
            provider_reference=command.reference,
        )
        if not recorded:
            raise RuntimeError(f"payout {payout_id} changed although its batch is locked")
        await post([_result_posting(command.outcome, row)])
        await tx.execute(
            "UPDATE payout_batch SET status = 'completed', completed_at = $3 "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'submitted' AND NOT EXISTS "
            "(SELECT 1 FROM payout WHERE tenant_id = $1 AND batch_id = $2 AND status = 'sent')",
            tx.tenant_id,
            row["batch_id"],
            now,
        )
        await audit.record(actor, f"payout.{command.outcome}", str(payout_id), reference=command.reference)
        return await payout_by_id(payout_id)


async def _lock(tx: Tx, payout_id: PayoutId) -> Row:
    """Read a payout after locking its batch, through which all that happens to a sent payout goes.

    So the last two results of a batch cannot each take the other for missing, and leave it incomplete.
    """
    await tx.rows(
        f"SELECT id FROM payout_batch WHERE tenant_id = $1 AND id = "
        f"(SELECT batch_id FROM payout WHERE tenant_id = $1 AND id = $2){tx.for_update}",
        tx.tenant_id,
        payout_id,
    )
    row = await tx.row(
        "SELECT id, distributor_id, batch_id, currency, requested_minor, fee_minor, withheld_minor, net_minor, "
        "status, provider_reference FROM payout WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        payout_id,
    )
    if row is None:
        raise NotFound("input.payoutId", kind="payout", value=payout_id)
    return row


def _result_posting(outcome: Outcome, row: Row) -> Posting:
    owner, amount, currency = row["distributor_id"], row["requested_minor"], row["currency"]
    if outcome is Outcome.FAILED:
        kind = Kind.PAYOUT_FAILED
        entries = transfer(owner, Account.PAYOUT, Account.SETTLED, amount, currency)
    else:
        kind = Kind.PAYOUT_PAID
        parts = (
            (Account.CASH, row["net_minor"]),
            (Account.FEE_INCOME, row["fee_minor"]),
            (Account.WITHHOLDING, row["withheld_minor"]),
        )
        entries = [
            Entry(Account.PAYOUT, owner, -amount, currency),
            *(Entry(account, None, part, currency) for account, part in parts if part),
        ]
    return Posting(
        kind=kind,
        reference_kind="payout",
        reference_id=row["id"],
        idempotency_key=f"payout_result:{row['id']}",
        effective_at=clock.now(),
        entries=tuple(entries),
    )


def _wrong_state(batch: BatchView, needed: BatchState) -> WrongState:
    return WrongState("input.batchId", kind="payout batch", state=batch.status, needed=needed)
