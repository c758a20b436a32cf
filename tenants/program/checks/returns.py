"""The sense of the settings of returns (docs/rules.md §4)."""

from collections.abc import Iterator

from tenants.program.document import Program
from tenants.program.findings import Finding, finding, path_of


def windows(program: Program) -> Iterator[Finding]:
    """Commission does not become available while its goods may still come back."""
    hold = program.settlement.hold_days
    for sku, days in program.returns.products.items():
        if days > hold:
            yield finding(path_of(("returns", "products", sku)), "RETURN_OUTLASTS_HOLD", value=days, closest=hold)
