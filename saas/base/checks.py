"""What checks of a brand's books answer: each finds what is wrong and nothing else."""

from dataclasses import dataclass

from saas.base.db import reading

SHOWN_MOST = 100
"""How many violations of one check are listed; one is enough to stop the presses."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that should be otherwise: which check, of what, and both amounts in minor units or counts."""

    check: str
    subject: str
    expected: int
    actual: int


async def violations(check: str, sql: str) -> list[Violation]:
    """Run a check whose rows are (subject, expected, actual); ``$1`` is the tenant."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT CAST(subject AS text) AS subject, CAST(expected AS bigint) AS expected, "
            f"CAST(actual AS bigint) AS actual FROM ({sql}) AS found WHERE expected <> actual "
            f"ORDER BY subject LIMIT {SHOWN_MOST}",
            tx.tenant_id,
        )
    return [Violation(check, row["subject"], row["expected"], row["actual"]) for row in rows]
