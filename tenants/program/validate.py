"""Whether a program makes sense as a whole (docs/rules.md §2): all findings at once, each with its place and remedy."""

from collections.abc import Callable, Iterable, Iterator, Set

from tenants.program.checks import commission, exits, network, periods, prices, returns
from tenants.program.compliance import compliance_findings, required_profiles, unknown_profiles
from tenants.program.document import Program
from tenants.program.findings import Finding, finding
from tenants.program.payout import Payouts


def validate(program: Program) -> list[Finding]:
    """Every finding on the program; without an error among them (``errors_in``) it may be activated."""
    return findings_apart_from(program)


def findings_apart_from(
    program: Program, broken: Set[str] = frozenset(), partial: Set[str] = frozenset()
) -> list[Finding]:
    """The findings of the checks that need none of the ``broken`` sections, which may then be absent.

    Of the ``partial`` sections what is broken was left out; checks that look at a section as a whole pass them over.
    """
    found = [item for needs, check in _CHECKS if broken.isdisjoint(needs) for item in check(program)]
    not_whole = broken | partial
    payouts = Payouts(program)
    if not_whole.isdisjoint(_PAYOUT):
        found += [item for check in _PAYOUT_CHECKS for item in check(payouts)]
    if "price_policy" not in not_whole:
        found += prices.promoted_products(program)
    if "compliance_profile" not in broken:
        found += compliance_findings(payouts, broken, not_whole)
    return found


def _nobody_earns(payouts: Payouts) -> Iterator[Finding]:
    program = payouts.program
    if not any(case.pays for case in payouts.cases) and periods.pays_nothing(program):
        yield finding("commission.components", "NOBODY_EARNS")


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Program], Iterable[Finding]]], ...] = (
    (("currency",), network.currency),
    (("compliance_profile",), unknown_profiles),
    (("compliance_profile", "currency"), required_profiles),
    (("hierarchy",), network.depth),
    (("tiers",), network.unique_tiers),
    (("hierarchy", "tiers"), network.recruiting_tiers),
    (("tiers",), network.conditions),
    (("tiers",), network.reachable_tiers),
    (("tiers",), network.tier_order),
    (("tiers", "tier_rules"), network.misses),
    (("territory",), network.territory),
    (("settlement",), network.deductions),
    (("exit", "settlement"), exits.retention),
    (("settlement",), network.payout_bounds),
    (("returns", "settlement"), returns.windows),
    (("commission",), commission.unique_keys),
    (("commission", "tiers"), commission.paid_tiers),
    (("commission",), commission.units),
    (("commission", "hierarchy"), commission.paid_levels),
    (("commission",), commission.effect),
    (("commission",), commission.qualification),
    (("commission",), commission.piece_bands),
    (("commission", "tiers"), commission.differential_rates),
    (("commission",), commission.fixed_twice),
    (("commission",), commission.cap),
    (("commission", "tiers"), periods.tiers),
    (("commission",), periods.lists),
    (("commission",), periods.rebates),
    (("commission",), periods.targets),
    (("commission",), periods.events),
    (("commission", "hierarchy"), periods.groups),
    (("price_policy", "tiers"), prices.priced_tiers),
    (("price_policy",), prices.regions),
    (("price_policy", "tiers"), prices.purchase_prices),
    (("price_policy",), prices.channels),
    (("price_policy",), prices.promotions),
    (("price_policy",), prices.promoted_prices),
    (("price_policy",), prices.overlapping_promotions),
)
"""Each check with the sections it reads."""

_PAYOUT = ("commission", "hierarchy", "price_policy")
_PAYOUT_CHECKS: tuple[Callable[[Payouts], Iterable[Finding]], ...] = (
    commission.rates,
    commission.fixed_amounts,
    commission.lifts,
    commission.base,
    _nobody_earns,
)
"""The checks of what can be paid out at most, which read the whole of these sections."""
