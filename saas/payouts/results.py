"""What became of payouts: written once, posted to the ledger, and the batch completed with the last of them."""

from dataclasses import dataclass

from saas.base import clock
from saas.base.db import Row, Tx, transaction
from saas.base.errors import InvalidInput, NotFound, Said, WrongState
from saas.base.idempotency import claim
from saas.base.ids import PayoutId
from saas.events.commands import tell
from saas.events.rules import Event, EventKind
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting, transfer
from saas.notifications.commands import announce
from saas.notifications.rules import payout_ended
from saas.payouts.errors import ContradictoryResult
from saas.payouts.models import Payout
from saas.payouts.queries import PayoutView, payout_by_id
from saas.payouts.rules import GIVEN_STATES, Outcome, PayoutState
from tenants import audit
from tenants.actors import Actor

TEXT_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult:
    """What became of a payout that was sent: the provider's reference, and why it failed if it did."""

    payout_id: PayoutId
    outcome: Outcome
    reference: str | None = None
    reason: str | None = None
    idempotency_key: str


async def record_result(command: RecordResult, actor: Actor) -> PayoutView:
    """Take down what a person knows of a payout: paid, or failed and the money back on the settled balance.

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
    async with transaction() as tx:
        await _lock(tx, command.payout_id)
        await claim("payout.result", command.idempotency_key, command, command.payout_id)
        return await write_result(command.payout_id, command.outcome, command.reference, command.reason, actor)


async def write_result(
    payout_id: PayoutId,
    outcome: Outcome,
    reference: str | None,
    reason: str | None,
    actor: Actor,
    *,
    provider: str | None = None,
    net_minor: int | None = None,
) -> PayoutView:
    """Write a result down; the same again changes nothing. A ``provider`` speaks of its own payouts and amounts only.

    Raises ``NotFound``, ``WrongState`` or ``ContradictoryResult``.
    """
    async with transaction() as tx:
        row = await _lock(tx, payout_id)
        if provider not in {None, row["provider"]} or net_minor not in {None, row["net_minor"]}:
            raise NotFound("input.payoutId", kind="payout", value=payout_id)
        if row["status"] == outcome and reference in {None, row["provider_reference"]}:
            return await payout_by_id(payout_id)
        if row["status"] in {PayoutState.PAID, PayoutState.FAILED}:
            raise ContradictoryResult("input.outcome", state=row["status"], reference=row["provider_reference"] or "–")
        if row["status"] not in GIVEN_STATES:
            raise WrongState("input.payoutId", kind="payout", state=row["status"], needed=PayoutState.SENT)
        now = clock.now()
        recorded = await Payout.filter(id=payout_id, status__in=list(GIVEN_STATES)).update(
            status=outcome,
            finished_at=now,
            failure=reason if outcome is Outcome.FAILED else None,
            provider_reference=reference or row["provider_reference"],
        )
        if not recorded:
            raise RuntimeError(f"payout {payout_id} changed although its batch is locked")
        await post([_result_posting(outcome, row)])
        await tx.execute(
            "UPDATE payout_batch SET status = 'completed', completed_at = $3 "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'submitted' AND NOT EXISTS (SELECT 1 FROM payout "
            "WHERE tenant_id = $1 AND batch_id = $2 AND status IN ('batched', 'unknown', 'sent'))",
            tx.tenant_id,
            row["batch_id"],
            now,
        )
        owner, amount, paid = row["distributor_id"], row["net_minor"], outcome is Outcome.PAID
        await announce([payout_ended(owner, payout_id, amount, row["currency"], paid=paid)])
        kind = EventKind.PAYOUT_PAID if paid else EventKind.PAYOUT_FAILED
        tell([Event(kind, payout_id, owner, amount, row["currency"])])
        await audit.record(actor, f"payout.{outcome}", str(payout_id), reference=reference)
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
        "SELECT p.id, p.distributor_id, p.batch_id, p.currency, p.requested_minor, p.fee_minor, p.withheld_minor, "
        "p.net_minor, p.status, p.provider_reference, b.provider FROM payout p "
        "LEFT JOIN payout_batch b ON b.tenant_id = p.tenant_id AND b.id = p.batch_id "
        "WHERE p.tenant_id = $1 AND p.id = $2",
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
