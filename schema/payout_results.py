"""Results of many payouts at once, as a bank's answer tells them."""

import strawberry

from saas.base.ids import PayoutBatchId, PayoutId
from saas.payouts import commands
from saas.payouts.commands import Recorded, RecordResults, Result
from saas.payouts.rules import Outcome
from schema.context import Info
from schema.errors import In, Payload, UserError, refusals, user_errors
from schema.ids import from_global, to_global
from schema.scalars import Money, money


@strawberry.input(description="What became of one payout of several.")
class PayoutResultInput:
    """A result."""

    payout_id: strawberry.ID = strawberry.field(description="The payout; each once.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    reference: str | None = strawberry.field(default=None, description="The provider's own number of it.")
    reason: str | None = strawberry.field(default=None, description="Why it failed.")


@strawberry.input(description="What became of many payouts, each accepted or refused by itself.")
class RecordPayoutResultsInput:
    """Results, and a batch of which all others were paid."""

    idempotency_key: str = strawberry.field(description="The same key and content record once.")
    results: list[PayoutResultInput] = strawberry.field(default_factory=list, description="Up to 1000 results.")
    rest_paid_of: strawberry.ID | None = strawberry.field(
        default=None,
        description="A batch of which every payout that was sent, has no result and is not among the results was paid.",
    )
    dry_run: bool = strawberry.field(default=False, description="Decide and answer, write nothing.")


@strawberry.type(description="What became of one result of several.")
class PayoutResultVerdict:
    """A verdict."""

    payout_id: strawberry.ID = strawberry.field(description="The payout that was meant.")
    user_errors: list[UserError] = strawberry.field(
        description="Why its result was refused; empty when it was recorded, or was there already."
    )


@strawberry.type(description="What was recorded, or would be by a dry run.")
class RecordPayoutResultsPayload(Payload):
    """Answer of recordPayoutResults."""

    verdicts: list[PayoutResultVerdict] | None = strawberry.field(
        default=None, description="One for each result that was told, in their order; none when all are refused."
    )
    paid_count: int = strawberry.field(default=0, description="Payouts that are paid now and were not before.")
    failed_count: int = strawberry.field(default=0, description="Payouts that failed now.")
    paid: Money | None = strawberry.field(default=None, description="What those that are paid come to at the bank.")
    returned: Money | None = strawberry.field(default=None, description="What went back to balances.")


@strawberry.type
class PayoutResultMutation:
    """Writes of many results."""

    @strawberry.mutation(description="Record what became of many payouts, as a bank's file tells it; with a dry run.")
    @refusals(RecordPayoutResultsPayload)
    async def record_payout_results(
        self, info: Info, input: In[RecordPayoutResultsInput]
    ) -> RecordPayoutResultsPayload:
        """Record them."""
        batch_id = input.rest_paid_of and from_global("PayoutBatch", input.rest_paid_of, "input.restPaidOf")
        command = RecordResults(
            results=[_result(one, f"input.results[{i}]") for i, one in enumerate(input.results)],
            rest_paid_of=PayoutBatchId(batch_id) if batch_id else None,
            idempotency_key=input.idempotency_key,
            dry_run=input.dry_run,
        )
        return _recorded(command, await commands.record_results(command, info.context.who), info.context.locale)


def _result(given: PayoutResultInput, field: str) -> Result:
    return Result(
        payout_id=PayoutId(from_global("Payout", given.payout_id, f"{field}.payoutId")),
        outcome=given.outcome,
        reference=given.reference,
        reason=given.reason,
    )


def _recorded(command: RecordResults, found: Recorded, locale: str) -> RecordPayoutResultsPayload:
    return RecordPayoutResultsPayload(
        verdicts=[
            PayoutResultVerdict(payout_id=to_global("Payout", one.payout_id), user_errors=user_errors(errors, locale))
            for one, errors in zip(command.results, found.errors, strict=True)
        ],
        paid_count=found.paid,
        failed_count=found.failed,
        paid=money(found.paid_minor, found.currency),
        returned=money(found.returned_minor, found.currency),
    )
