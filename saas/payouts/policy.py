"""The settings of payouts as the active program gives them."""

from saas.payouts.rules import PayoutPolicy
from tenants.program.versions import active_program


async def payout_policy() -> PayoutPolicy:
    """The policy in force for the active tenant. Raises ``NoActiveProgram``."""
    program = (await active_program()).program
    return PayoutPolicy(
        currency=program.currency,
        minimum_minor=program.settlement.minimum_payout_minor,
        fee_bps=program.settlement.fee_bps,
        withholding_without_invoice_bps=program.settlement.withholding_without_invoice_bps,
    )
