"""What became of payouts: written once, posted to the ledger, and each batch completed with the last of its results.

Everything works on many; one result is many of one. A single result raises what is wrong with it; of many each has its
own verdict, and the good ones are kept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

import orjson

from saas.base import clock
from saas.base.db import Row, Tx, reading, transaction
from saas.base.errors import DomainError, InvalidInput, NotFound, Said, WrongState
from saas.base.idempotency import claim
from saas.base.ids import PayoutBatchId, PayoutId, new_id
from saas.events.commands import tell
from saas.events.rules import Event, EventKind
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting, transfer
from saas.notifications import rules as notices
from saas.notifications.commands import announce
from saas.payouts.errors import ContradictoryResult
from saas.payouts.queries import PayoutView, payout_by_id
from saas.payouts.rules import GIVEN_STATES, Outcome, PayoutState
from tenants import audit
from tenants.actors import Actor
from tenants.registry import this_brand

TEXT_LONGEST = 200
RESULTS_MOST = 1_000
"""Results told one by one in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a payout that was sent: the provider's reference, and why it failed if it did."""

    payout_id: PayoutId
    outcome: Outcome
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult(Result):
    """The result of one payout, as a person knows it."""

    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResults:
    """Results of many payouts, and that all others which were sent with the batch ``rest_paid_of`` were paid.

    With ``dry_run`` nothing is written.
    """

    results: Sequence[Result]
    rest_paid_of: PayoutBatchId | None = None
    idempotency_key: str
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was written, or would be: how many were paid and failed, and what they come to in minor units.

    ``errors`` has the refusals of each result that was told, in their order; a result that was there already is neither
    refused nor counted. ``paid_minor`` left for good, ``returned_minor`` is on the balances again.
    """

    errors: Sequence[Sequence[DomainError]]
    paid: int
    failed: int
    paid_minor: int
    returned_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class _New:
    """A result that is to be written of a payout that is locked."""

    result: Result
    row: Row


async def record_result(command: RecordResult, actor: Actor) -> PayoutView:
    """Take down what a person knows of a payout: paid, or failed and the money back on the settled balance.

    The same result again changes nothing. The batch completes with its last result. Raises ``NotFound``,
    ``WrongState`` for a payout that was not sent, ``ContradictoryResult``, ``InvalidInput`` or ``IdempotencyConflict``.
    """
    _check_texts(command, "input")
    async with transaction() as tx:
        await _lock(tx, [command.payout_id])
        await claim("payout.result", command.idempotency_key, command, command.payout_id)
        return await write_result(command.payout_id, command.outcome, command.reference, command.reason, actor)


async def record_results(command: RecordResults, actor: Actor) -> Recorded:
    """Take down many results in one transaction, each accepted or refused by itself; the same key records once.

    Of "all others" none is meant whose result was told, be it refused. Raises ``InvalidInput``, ``NotFound`` of the
    batch, or ``IdempotencyConflict``.
    """
    if (not command.results and command.rest_paid_of is None) or len(command.results) > RESULTS_MOST:
        remedy = Said(
            f"tell at most {RESULTS_MOST} results, or a batch", f"请填写至多 {RESULTS_MOST} 条结果，或指定批次"
        )
        raise InvalidInput("input.results", value=len(command.results), remedy=remedy)
    if command.dry_run:
        async with reading() as tx:
            _, recorded = await _decide(tx, command, hold=False)
            return recorded
    async with transaction() as tx:
        earlier = await claim("payout.results", command.idempotency_key, command, new_id())
        new, recorded = await _decide(tx, command, hold=True)
        if earlier is not None:  # what was sent since then was not meant by "all others"
            return replace(recorded, paid=0, failed=0, paid_minor=0, returned_minor=0)
        await _write(tx, new, actor)
        return recorded


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
        row = (await _lock(tx, [payout_id])).get(payout_id)
        if row is None or provider not in {None, row["provider"]} or net_minor not in {None, row["net_minor"]}:
            raise NotFound("input.payoutId", kind="payout", value=payout_id)
        result = Result(payout_id=payout_id, outcome=outcome, reference=reference, reason=reason)
        if _is_new(row, result, "input"):
            await _write(tx, [_New(result, row)], actor)
        return await payout_by_id(payout_id)


async def _decide(tx: Tx, command: RecordResults, *, hold: bool) -> tuple[list[_New], Recorded]:
    batch_id = command.rest_paid_of
    known = "SELECT id FROM payout_batch WHERE tenant_id = $1 AND id = $2"
    if batch_id is not None and await tx.row(known, tx.tenant_id, batch_id) is None:
        raise NotFound("input.restPaidOf", kind="payout batch", value=batch_id)
    rows = await _lock(tx, [one.payout_id for one in command.results], batch_id, hold=hold)
    told: set[PayoutId] = set()
    new: list[_New] = []
    errors: list[Sequence[DomainError]] = []
    for i, result in enumerate(command.results):
        try:
            row = _told(result, f"input.results[{i}]", rows, told)
            if _is_new(row, result, f"input.results[{i}]"):
                new.append(_New(result, row))
        except DomainError as refused:
            errors.append([refused])
        else:
            errors.append([])
    meant = {result.payout_id for result in command.results}
    rest = [row for id_, row in rows.items() if row["batch_id"] == batch_id and id_ not in meant]
    paid = [row for row in rest if row["status"] == PayoutState.SENT]  # of one that is unknown somebody has to say so
    new += [_New(Result(payout_id=row["id"], outcome=Outcome.PAID), row) for row in paid]
    return new, _summary(new, errors, (await this_brand()).currency)


def _told(result: Result, field: str, rows: Mapping[PayoutId, Row], told: set[PayoutId]) -> Row:
    """The payout that a result is about. Raises ``InvalidInput`` or ``NotFound``."""
    _check_texts(result, field)
    if result.payout_id not in rows:
        raise NotFound(f"{field}.payoutId", kind="payout", value=result.payout_id)
    if result.payout_id in told:
        remedy = Said("tell the result of each payout once", "每笔打款只填写一次结果")
        raise InvalidInput(f"{field}.payoutId", value=result.outcome, remedy=remedy)
    told.add(result.payout_id)
    return rows[result.payout_id]


def _summary(new: Sequence[_New], errors: Sequence[Sequence[DomainError]], currency: str) -> Recorded:
    paid = [one.row for one in new if one.result.outcome is Outcome.PAID]
    failed = [one.row for one in new if one.result.outcome is Outcome.FAILED]
    return Recorded(
        errors=errors,
        paid=len(paid),
        failed=len(failed),
        paid_minor=sum(row["net_minor"] for row in paid),
        returned_minor=sum(row["requested_minor"] for row in failed),
        currency=currency,
    )


def _check_texts(result: Result, field: str) -> None:
    for name, text in (("reference", result.reference), ("reason", result.reason)):
        if text is not None and not 0 < len(text.strip()) <= TEXT_LONGEST:
            raise InvalidInput(
                f"{field}.{name}",
                value=text[:40],
                remedy=Said(f"write 1 to {TEXT_LONGEST} characters", f"请填写 1 至 {TEXT_LONGEST} 个字符"),
            )


def _is_new(row: Row, result: Result, field: str) -> bool:
    """Whether a result of a payout is to be written. Raises ``WrongState`` or ``ContradictoryResult``."""
    if row["status"] == result.outcome and result.reference in {None, row["provider_reference"]}:
        return False
    if row["status"] in {PayoutState.PAID, PayoutState.FAILED}:
        raise ContradictoryResult(f"{field}.outcome", state=row["status"], reference=row["provider_reference"] or "–")
    if row["status"] not in GIVEN_STATES:
        raise WrongState(f"{field}.payoutId", kind="payout", state=row["status"], needed=PayoutState.SENT)
    return True


async def _write(tx: Tx, new: Sequence[_New], actor: Actor) -> None:
    """Write the results of payouts whose batches are locked."""
    if not new:
        return
    now = clock.now()
    columns = {"id": "uuid", "status": "text", "reference": "text", "failure": "text"}
    changed = await tx.execute(
        f"UPDATE payout SET status = v.status, finished_at = $3, failure = v.failure, "
        f"provider_reference = coalesce(v.reference, payout.provider_reference) FROM {tx.recordset(2, **columns)} AS v "
        f"WHERE payout.tenant_id = $1 AND payout.id = v.id AND payout.status {tx.within(4, 'text')}",
        tx.tenant_id,
        orjson.dumps([_as_row(one.result) for one in new], default=str).decode(),
        now,
        list(GIVEN_STATES),
    )
    if changed != len(new):
        raise RuntimeError(f"{changed} of {len(new)} payouts changed although their batches are locked")
    await post([_result_posting(one.result.outcome, one.row) for one in new])
    await tx.execute(
        f"UPDATE payout_batch SET status = 'completed', completed_at = $3 WHERE tenant_id = $1 "
        f"AND id {tx.within(2, 'uuid')} AND status = 'submitted' AND NOT EXISTS (SELECT 1 FROM payout p "
        f"WHERE p.tenant_id = $1 AND p.batch_id = payout_batch.id AND p.status IN ('batched', 'unknown', 'sent'))",
        tx.tenant_id,
        list({one.row["batch_id"] for one in new}),
        now,
    )
    await announce([_notice(one) for one in new])
    tell(_event(one) for one in new)
    said = [(one.result.outcome, str(one.result.payout_id), one.result.reference) for one in new]
    await audit.record_each(actor, [(f"payout.{how}", id_, {"reference": ref}) for how, id_, ref in said])


def _as_row(result: Result) -> Mapping[str, object]:
    return {
        "id": str(result.payout_id),
        "status": result.outcome,
        "reference": result.reference,
        "failure": result.reason if result.outcome is Outcome.FAILED else None,
    }


def _event(one: _New) -> Event:
    kind = EventKind.PAYOUT_PAID if one.result.outcome is Outcome.PAID else EventKind.PAYOUT_FAILED
    return Event(kind, one.result.payout_id, one.row["distributor_id"], one.row["net_minor"], one.row["currency"])


def _notice(one: _New) -> notices.Event:
    row, paid = one.row, one.result.outcome is Outcome.PAID
    return notices.payout_ended(
        row["distributor_id"], one.result.payout_id, row["net_minor"], row["currency"], paid=paid
    )


async def _lock(
    tx: Tx, ids: Collection[PayoutId], batch_id: PayoutBatchId | None = None, *, hold: bool = True
) -> Mapping[PayoutId, Row]:
    """Read payouts after locking their batches, through which all that happens to a sent payout goes.

    So the last two results of a batch cannot each take the other for missing, and leave it incomplete.
    """
    meant = (
        f"(SELECT id, batch_id FROM payout WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} "
        f"UNION SELECT id, batch_id FROM payout WHERE tenant_id = $1 AND batch_id = $3)"
    )
    args = (tx.tenant_id, list(ids), batch_id)
    if hold:
        await tx.rows(
            f"SELECT id FROM payout_batch WHERE tenant_id = $1 AND id IN (SELECT m.batch_id FROM {meant} m) "
            f"ORDER BY id{tx.for_update}",
            *args,
        )
    rows = await tx.rows(
        f"SELECT p.id, p.distributor_id, p.batch_id, p.currency, p.requested_minor, p.fee_minor, p.withheld_minor, "
        f"p.net_minor, p.status, p.provider_reference, b.provider FROM payout p "
        f"LEFT JOIN payout_batch b ON b.tenant_id = p.tenant_id AND b.id = p.batch_id "
        f"WHERE p.tenant_id = $1 AND p.id IN (SELECT m.id FROM {meant} m)",
        *args,
    )
    return {row["id"]: row for row in sorted(rows, key=itemgetter("id"))}


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
