"""The sense of the exit policy (docs/rules.md §7)."""

from collections.abc import Iterator

from tenants.program.document import Program
from tenants.program.findings import Finding, finding


def retention(program: Program) -> Iterator[Finding]:
    """Personal data is kept at least as long as goods that were sold may still come back."""
    days, hold = program.exit.retention_days, program.settlement.hold_days
    if days is not None and days < hold:
        yield finding("exit.retention_days", "RETENTION_SHORT", value=days, closest=hold)
