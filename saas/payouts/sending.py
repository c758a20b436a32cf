"""Carrying a batch out through a gateway: each payout is sent once, and asked for until its outcome is known.

No transaction is open while the network is waited for. A payout is ``unknown`` from before it is sent until an answer
is written down; who falls over in between leaves it unknown, and the next one asks the provider instead of sending.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from saas.base import clock
from saas.base.db import Point, Row, passing, reading, transaction
from saas.base.errors import DomainError
from saas.base.ids import PayoutBatchId, PayoutId
from saas.base.scope import current_tenant
from saas.base.settings import get_settings
from saas.events.commands import NO_AMOUNT, tell_selected
from saas.events.rules import EventKind
from saas.jobs.commands import enqueue
from saas.jobs.worker import Handler, Progress, Report
from saas.payouts.accounts import account_at
from saas.payouts.destinations import opened
from saas.payouts.errors import ProviderNotSetUp
from saas.payouts.providers import GATEWAYS, Account, Answer, Gateway, Item, NoticeForged, Word
from saas.payouts.results import write_result
from saas.payouts.rules import NEVER_SEEN_AFTER, Outcome, PayoutState
from tenants import audit, registry
from tenants.actors import system

log = logging.getLogger("banyan.payouts")

JOB = "payouts.carry_out"
__all__ = ["HANDLERS", "JOB", "NoticeForged", "ask_again", "carry_out", "receive_notice", "run_carry_out"]

AT_ONCE = 16
"""How many payouts of a batch are under way over the network at once."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How the payouts of a batch go out."""

    provider: str
    gateway: Gateway
    account: Account
    notify_url: str


async def run_carry_out(given: Mapping[str, Any], progress: Progress) -> None:
    """The handler of ``JOB``; done again, it goes on where it was."""
    await carry_out(PayoutBatchId(UUID(given["batch"])), progress.report)


HANDLERS: dict[str, Handler] = {JOB: run_carry_out}
"""The jobs of payouts."""


async def carry_out(batch_id: PayoutBatchId, report: Report | None = None) -> int:
    """Send what was not sent yet, and ask for what has no result; answers how many results are still missing.

    Must be called outside of a transaction. Raises ``ProviderNotSetUp``.
    """
    async with reading() as tx:
        provider = await tx.value(
            "SELECT provider FROM payout_batch WHERE tenant_id = $1 AND id = $2 AND status = 'submitted'",
            tx.tenant_id,
            batch_id,
        )
    if provider not in GATEWAYS:
        return 0
    slug = (await registry.this_brand()).slug
    notify_url = f"https://{slug}.{get_settings().base_domain}/callbacks/{provider}"
    way = _Way(provider, GATEWAYS[provider], await account_at(provider, "input.id"), notify_url)
    waiting = await _under_way(batch_id)
    for done in range(0, len(waiting), AT_ONCE):
        if report is not None:
            await report(done, len(waiting))
        async with asyncio.TaskGroup() as group:
            for payout_id in waiting[done : done + AT_ONCE]:
                group.create_task(_further(way, payout_id))
    return len(await _under_way(batch_id))


async def ask_again() -> None:
    """Have every submitted batch with results missing looked after, unless somebody is at it. A chore of each brand."""
    async with transaction() as tx:
        rows = await tx.rows(
            f"SELECT b.id FROM payout_batch b WHERE b.tenant_id = $1 AND b.status = 'submitted' "
            f"AND b.provider {tx.within(2, 'text')} ORDER BY b.id",
            tx.tenant_id,
            list(GATEWAYS),
        )
        busy = await tx.value(
            "SELECT count(*) FROM job WHERE tenant_id = $1 AND kind = $2 AND status IN ('queued', 'running')",
            tx.tenant_id,
            JOB,
        )
        for row in rows if not busy else ():
            await enqueue(JOB, {"batch": row["id"]}, actor=system(tx.tenant_id, "payouts"))


async def receive_notice(provider: str, headers: Mapping[str, str], body: bytes) -> None:
    """Verify what a gateway told by itself and take it down; said again it changes nothing.

    Raises ``ProviderNotSetUp``, ``NoticeForged``, ``ContradictoryResult``, and ``NotFound`` for a payout that was never
    given to this provider, or of another amount.
    """
    gateway = GATEWAYS.get(provider)
    if gateway is None:
        raise ProviderNotSetUp("provider", provider=provider)
    notice = gateway.read_notice(headers, body, await account_at(provider, "provider"))
    await _write(provider, notice.payout_id, notice.answer, net_minor=notice.net_minor)


async def _under_way(batch_id: PayoutBatchId) -> list[PayoutId]:
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT id FROM payout WHERE tenant_id = $1 AND batch_id = $2 "
            "AND status IN ('batched', 'unknown', 'sent') ORDER BY id",
            tx.tenant_id,
            batch_id,
        )
    return [PayoutId(row["id"]) for row in rows]


async def _further(way: _Way, payout_id: PayoutId) -> None:
    """Bring one payout a step further. What is refused to one does not keep the others."""
    at = clock.now()
    async with transaction() as tx:
        first = await tx.execute(
            "UPDATE payout SET status = 'unknown', attempted_at = $3 WHERE tenant_id = $1 AND id = $2 "
            "AND status = 'batched' AND EXISTS (SELECT 1 FROM payout_batch b WHERE b.tenant_id = $1 "
            "AND b.id = payout.batch_id AND b.status = 'submitted')",
            tx.tenant_id,
            payout_id,
            at,
        )
        row = await _given(payout_id)
    if row is None or row["status"] not in {PayoutState.UNKNOWN, PayoutState.SENT}:
        return
    if first:
        item = Item(
            payout_id=payout_id,
            to=opened(row["sealed"], row["destination_id"]),
            net_minor=row["net_minor"],
            currency=row["currency"],
        )
        passing(Point.BEFORE_SEND)
        answer = await way.gateway.send(item, way.account, at=at, notify_url=way.notify_url)
        passing(Point.UNHEARD)
        if answer.word is Word.REFUSED:
            answer = await _confirmed(way, payout_id, answer)
    else:
        answer = await way.gateway.ask(payout_id, way.account)
        gone = clock.now() - row["attempted_at"] > NEVER_SEEN_AFTER
        if answer.word is Word.NEVER_SEEN and gone and row["status"] == PayoutState.UNKNOWN:
            answer = Answer(word=Word.FAILED, reason=f"{way.provider} never received it")
    try:
        await _write(way.provider, payout_id, answer)
    except DomainError:
        log.exception("payout %s: what %s says, %s, is refused", payout_id, way.provider, answer.word)
    passing(Point.AFTER_ANSWER)


async def _confirmed(way: _Way, payout_id: PayoutId, refused: Answer) -> Answer:
    """A refusal counts when the provider has no such payout either; what it has instead is what became of it."""
    answer = await way.gateway.ask(payout_id, way.account)
    return Answer(word=Word.FAILED, reason=refused.reason) if answer.word is Word.NEVER_SEEN else answer


async def _given(payout_id: PayoutId) -> Row | None:
    async with reading() as tx:
        return await tx.row(
            "SELECT p.id, p.status, p.net_minor, p.currency, p.destination_id, p.attempted_at, d.sealed FROM payout p "
            "JOIN payout_destination d ON d.tenant_id = p.tenant_id AND d.id = p.destination_id "
            "WHERE p.tenant_id = $1 AND p.id = $2",
            tx.tenant_id,
            payout_id,
        )


_THIS = f"SELECT distributor_id, id AS subject_id, {NO_AMOUNT} FROM payout WHERE tenant_id = $1 AND id = $4"


async def _write(provider: str, payout_id: PayoutId, answer: Answer, *, net_minor: int | None = None) -> None:
    """Write an answer down, unless it says nothing new."""
    actor = system(current_tenant(), provider)
    if answer.word in {Word.PAID, Word.FAILED}:
        outcome = Outcome.PAID if answer.word is Word.PAID else Outcome.FAILED
        await write_result(
            payout_id, outcome, answer.reference, answer.reason, actor, provider=provider, net_minor=net_minor
        )
    elif answer.word is Word.TAKEN:
        async with transaction() as tx:
            taken = await tx.execute(
                "UPDATE payout SET status = 'sent', provider_reference = coalesce($3, provider_reference) "
                "WHERE tenant_id = $1 AND id = $2 AND status = 'unknown'",
                tx.tenant_id,
                payout_id,
                answer.reference,
            )
            if taken:
                await tell_selected(tx, EventKind.PAYOUT_SENT, _THIS, payout_id)
                await audit.record(actor, "payout.sent", str(payout_id), reference=answer.reference)
