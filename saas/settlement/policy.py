"""The settings of settlement as the active program and the brand give them."""

from saas.settlement.rules import SettlementPolicy
from tenants.program.document import Monthly, Recovery, ShareOfEarnings
from tenants.program.versions import active_program
from tenants.registry import this_brand


async def settlement_policy() -> SettlementPolicy:
    """The policy in force for the active tenant. Raises ``NoActiveProgram``."""
    program = (await active_program()).program
    brand = await this_brand()
    period = program.settlement.period
    return SettlementPolicy(
        currency=program.currency,
        time_zone=brand.time_zone,
        period=period.kind,
        day=period.day if isinstance(period, Monthly) else 1,
        days_to_pay=program.settlement.days_to_pay,
        recovery_bps=recovery_bps(program.settlement.recovery),
    )


def recovery_bps(recovery: Recovery) -> int | None:
    """The part of what a settlement brings that may pay a debt; None is all of it."""
    if isinstance(recovery, ShareOfEarnings):
        return recovery.most_bps
    return None if recovery.kind == "offset_all" else 0
