"""The settings of payouts as the active program gives them."""

from saas.payouts.rules import Bracket, PayoutPolicy
from tenants.program.versions import active_program


async def payout_policy() -> PayoutPolicy:
    """The policy in force for the active tenant. Raises ``NoActiveProgram``."""
    program = (await active_program()).program
    terms = program.settlement
    return PayoutPolicy(
        currency=program.currency,
        minimum_minor=terms.minimum_payout_minor,
        maximum_minor=terms.maximum_payout_minor,
        fee_bps=terms.fee_bps,
        withholding_without_invoice_bps=terms.withholding_without_invoice_bps,
        brackets=tuple(Bracket(one.from_minor, one.rate_bps) for one in terms.withholding_brackets),
        whole=terms.withholding_applies == "WHOLE",
        cooling_days=terms.cooling_days,
    )
