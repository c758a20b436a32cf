"""Asking for payouts, and paying them in batches."""

import strawberry

from saas.base.errors import NotFound
from saas.base.ids import DistributorId, PayoutBatchId, PayoutId
from saas.payouts import commands
from saas.payouts.commands import CancelPayout, CreateBatch, RecordResult, RequestPayout, SetDestination, SweepPayouts
from saas.payouts.rules import DestinationKind, Outcome
from schema.commissions import own_or_asked
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, to_global
from schema.payouts import Payout, PayoutBatch, PayoutDestination, batch, destination, payout
from schema.scalars import BigInt, Money, money

described(
    "What a provider says became of a payout.",
    name="PayoutOutcome",
    PAID="It was paid.",
    FAILED="It failed; the money goes back to the balance.",
)(Outcome)


@strawberry.input(description="Where money shall go, given in clear and kept sealed.")
class SetDestinationInput:
    """A destination."""

    idempotency_key: str = strawberry.field(description="The same key and content do it once.")
    distributor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose it is; a distributor gives its own."
    )
    kind: DestinationKind = strawberry.field(default=DestinationKind.BANK_CARD, description="What it is.")
    holder: str = strawberry.field(description="Name of the holder.")
    bank: str | None = strawberry.field(default=None, description="Name of the bank; of a bank card only.")
    account: str = strawberry.field(
        description="A card's number (8 to 30 digits), an openid, or a name at Alipay (phone, e-mail or 2088…)."
    )
    has_invoice: bool = strawberry.field(default=False, description="Whether it invoices; then nothing is withheld.")


@strawberry.input(description="A destination.")
class DestinationInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The destination.")


@strawberry.input(description="A payout to ask for.")
class RequestPayoutInput:
    """An amount, or everything."""

    idempotency_key: str = strawberry.field(description="The same key and content ask once.")
    distributor_id: strawberry.ID | None = strawberry.field(
        default=None, description="For whom; a distributor asks for itself."
    )
    amount_minor: BigInt | None = strawberry.field(
        default=None, description="How much, in minor units; by default the settled balance, up to the maximum."
    )


@strawberry.input(description="A payout to withdraw, before it is in a batch.")
class CancelPayoutInput:
    """A payout."""

    idempotency_key: str = strawberry.field(description="The same key and content withdraw once.")
    payout_id: strawberry.ID = strawberry.field(description="The payout.")


@strawberry.input(description="A payout for everybody who can have one.")
class SweepPayoutsInput:
    """A sweep."""

    idempotency_key: str = strawberry.field(description="The same key sweeps once.")
    dry_run: bool = strawberry.field(default=False, description="Count and answer, write nothing.")


@strawberry.input(description="A batch of all payouts that were asked for.")
class CreateBatchInput:
    """A batch."""

    idempotency_key: str = strawberry.field(description="The same key and content make one batch.")
    provider: str = strawberry.field(
        default="manual",
        description="Who carries it out: `manual` and `pain001` make a file for the bank, `wechat_pay` pays by itself.",
    )


@strawberry.input(description="A batch.")
class BatchInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The batch.")


@strawberry.input(description="What became of one payout.")
class RecordResultInput:
    """A result."""

    idempotency_key: str = strawberry.field(description="The same key and content record once.")
    payout_id: strawberry.ID = strawberry.field(description="The payout.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    reference: str | None = strawberry.field(default=None, description="The provider's own number of it.")
    reason: str | None = strawberry.field(default=None, description="Why it failed.")


@strawberry.type(description="A destination as it is now.")
class DestinationPayload(Payload):
    """Answer of the mutations of destinations."""

    destination: PayoutDestination | None = strawberry.field(default=None, description="None when refused.")


@strawberry.type(description="A destination in clear.")
class RevealDestinationPayload(Payload):
    """Answer of a look at a destination."""

    kind: DestinationKind | None = strawberry.field(default=None, description="What it is.")
    holder: str | None = strawberry.field(default=None, description="Name of the holder.")
    bank: str | None = strawberry.field(default=None, description="Name of the bank, of a bank card.")
    account: str | None = strawberry.field(default=None, description="Account number, openid or name at Alipay.")


@strawberry.type(description="A payout as it is now.")
class PayoutPayload(Payload):
    """Answer of the mutations of one payout."""

    payout: Payout | None = strawberry.field(default=None, description="The payout; none when refused.")


@strawberry.type(description="How many could not be paid, by the code of the reason.")
class SweepSkipped:
    """A reason and its count."""

    code: str = strawberry.field(description="Stable code of the reason.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="What a sweep asked for.")
class SweepPayload(Payload):
    """Answer of a sweep."""

    payouts: int = strawberry.field(default=0, description="How many payouts.")
    requested: Money | None = strawberry.field(default=None, description="What was asked for in all.")
    net: Money | None = strawberry.field(default=None, description="What will be paid in all.")
    skipped: list[SweepSkipped] = strawberry.field(default_factory=list, description="Who was left out, and why.")


@strawberry.type(description="A batch as it is now.")
class BatchPayload(Payload):
    """Answer of the mutations of a batch."""

    batch: PayoutBatch | None = strawberry.field(default=None, description="The batch; none when refused.")


@strawberry.type(description="What was handed over: the file for the bank, or nothing where it pays by itself.")
class SubmitBatchPayload(Payload):
    """Answer of a submission. Again, it answers the same file until the first result, or asks for missing results."""

    batch_id: strawberry.ID | None = strawberry.field(default=None, description="The batch; none when refused.")
    file_name: str | None = strawberry.field(default=None, description="Name of the file, if there is one.")
    media_type: str | None = strawberry.field(default=None, description="Its type.")
    content: str | None = strawberry.field(default=None, description="The file. It holds account numbers in clear.")


@strawberry.type
class PayoutMutation:
    """Writes of payouts."""

    @strawberry.mutation(
        description="Say where payouts go, at most 15 minutes after logging in; the brand verifies it before the first."
    )
    @refusals(DestinationPayload)
    async def set_payout_destination(self, info: Info, input: In[SetDestinationInput]) -> DestinationPayload:
        """Give a destination."""
        command = SetDestination(
            distributor_id=_whose(info, input.distributor_id),
            kind=input.kind,
            holder=input.holder,
            bank=input.bank,
            account=input.account,
            has_invoice=input.has_invoice,
            idempotency_key=input.idempotency_key,
        )
        return DestinationPayload(destination=destination(await commands.set_destination(command, info.context.who)))

    @strawberry.mutation(description="Verify a destination somebody else has given.")
    @refusals(DestinationPayload)
    async def verify_payout_destination(self, info: Info, input: In[DestinationInput]) -> DestinationPayload:
        """Verify it."""
        id_ = from_global("PayoutDestination", input.id, "input.id")
        return DestinationPayload(destination=destination(await commands.verify_destination(id_, info.context.who)))

    @strawberry.mutation(description="Read a destination in clear; written to the audit log.")
    @refusals(RevealDestinationPayload)
    async def reveal_payout_destination(self, info: Info, input: In[DestinationInput]) -> RevealDestinationPayload:
        """Reveal it."""
        id_ = from_global("PayoutDestination", input.id, "input.id")
        card = await commands.reveal_destination(id_, info.context.who)
        return RevealDestinationPayload(kind=card.kind, holder=card.holder, bank=card.bank, account=card.account)

    @strawberry.mutation(description="Ask for a payout.")
    @refusals(PayoutPayload)
    async def request_payout(self, info: Info, input: In[RequestPayoutInput]) -> PayoutPayload:
        """Ask for it."""
        command = RequestPayout(
            distributor_id=_whose(info, input.distributor_id),
            amount_minor=input.amount_minor,
            idempotency_key=input.idempotency_key,
        )
        return PayoutPayload(payout=payout(await commands.request_payout(command, info.context.who)))

    @strawberry.mutation(description="Withdraw a payout before it is in a batch; the money goes back to the balance.")
    @refusals(PayoutPayload)
    async def cancel_payout(self, info: Info, input: In[CancelPayoutInput]) -> PayoutPayload:
        """Withdraw it."""
        id_ = PayoutId(from_global("Payout", input.payout_id, "input.payoutId"))
        command = CancelPayout(payout_id=id_, idempotency_key=input.idempotency_key)
        return PayoutPayload(payout=payout(await commands.cancel_payout(command, info.context.who)))

    @strawberry.mutation(description="Ask for a payout for everybody who can have one; with a dry run.")
    @refusals(SweepPayload)
    async def sweep_payouts(self, info: Info, input: In[SweepPayoutsInput]) -> SweepPayload:
        """Sweep."""
        command = SweepPayouts(dry_run=input.dry_run, idempotency_key=input.idempotency_key)
        swept = await commands.sweep_payouts(command, info.context.who)
        return SweepPayload(
            payouts=swept.payouts,
            requested=money(swept.requested_minor, swept.currency),
            net=money(swept.net_minor, swept.currency),
            skipped=[SweepSkipped(code=code, count=count) for code, count in sorted(swept.skipped.items())],
        )

    @strawberry.mutation(description="Gather all payouts that were asked for into a batch.")
    @refusals(BatchPayload)
    async def create_payout_batch(self, info: Info, input: In[CreateBatchInput]) -> BatchPayload:
        """Make a batch."""
        command = CreateBatch(provider=input.provider, idempotency_key=input.idempotency_key)
        return BatchPayload(batch=batch(await commands.create_batch(command, info.context.who)))

    @strawberry.mutation(description="Approve a batch somebody else has made.")
    @refusals(BatchPayload)
    async def approve_payout_batch(self, info: Info, input: In[BatchInput]) -> BatchPayload:
        """Approve it."""
        return BatchPayload(batch=batch(await commands.approve_batch(_batch_id(input), info.context.who)))

    @strawberry.mutation(description="Give up a batch that was not submitted; its payouts wait for another.")
    @refusals(BatchPayload)
    async def cancel_payout_batch(self, info: Info, input: In[BatchInput]) -> BatchPayload:
        """Cancel it."""
        return BatchPayload(batch=batch(await commands.cancel_batch(_batch_id(input), info.context.who)))

    @strawberry.mutation(
        description="Hand an approved batch to its provider: it makes a file for the bank, or pays by itself, as a job."
    )
    @refusals(SubmitBatchPayload)
    async def submit_payout_batch(self, info: Info, input: In[BatchInput]) -> SubmitBatchPayload:
        """Submit it."""
        id_ = _batch_id(input)
        submitted = await commands.submit_batch(id_, info.context.who)
        return SubmitBatchPayload(
            batch_id=to_global("PayoutBatch", id_),
            file_name=submitted.file_name if submitted else None,
            media_type=submitted.media_type if submitted else None,
            content=submitted.content if submitted else None,
        )

    @strawberry.mutation(description="Record what became of one payout; the same again changes nothing.")
    @refusals(PayoutPayload)
    async def record_payout_result(self, info: Info, input: In[RecordResultInput]) -> PayoutPayload:
        """Record it."""
        command = RecordResult(
            payout_id=PayoutId(from_global("Payout", input.payout_id, "input.payoutId")),
            outcome=input.outcome,
            reference=input.reference,
            reason=input.reason,
            idempotency_key=input.idempotency_key,
        )
        return PayoutPayload(payout=payout(await commands.record_result(command, info.context.who)))


def _batch_id(given: BatchInput) -> PayoutBatchId:
    return PayoutBatchId(from_global("PayoutBatch", given.id, "input.id"))


def _whose(info: Info, asked: strawberry.ID | None) -> DistributorId:
    whose = own_or_asked(info, asked, "input.distributorId")
    if whose is None:
        raise NotFound("input.distributorId", kind="distributor", value="-")
    return whose
