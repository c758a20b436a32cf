"""All named checks of a brand, in one place for everybody who runs them: tests, the command line, the recurring job."""

from collections.abc import Awaitable, Callable, Sequence

from saas.base.chain import Chain, Log, seal, verify
from saas.base.checks import Violation
from saas.base.db import reading
from saas.ledger import checks as ledger
from saas.ledger.chain import LEDGER
from saas.network.checks import sponsors_stand, standing_agrees
from saas.orders.checks import lifts_within_pieces, trace_codes_stand
from tenants.audit import AUDIT

CHAINS: Sequence[Log] = (LEDGER, AUDIT)
"""What is sealed."""

CHECKS: Sequence[Callable[[], Awaitable[list[Violation]]]] = (
    *ledger.CHECKS,
    standing_agrees,
    sponsors_stand,
    lifts_within_pieces,
    trace_codes_stand,
)
"""Every check of a brand's books and people; the chains are verified beside them."""


async def broken() -> list[Violation]:
    """Everything that is wrong with the active tenant at one moment, but for the chains; empty when all holds."""
    async with reading():
        return [violation for check in CHECKS for violation in await check()]


async def verify_chains() -> Sequence[Chain]:
    """Every chain of the active tenant, from its first link on."""
    return [await verify(log) for log in CHAINS]


async def seal_chains(*, everything: bool = False) -> int:
    """Seal what was written since; a chore of every worker. Answers how many rows."""
    return sum([await seal(log, everything=everything) for log in CHAINS])
