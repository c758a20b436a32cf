"""Programs that mix all line components, and orders for them, from one source of chance.

The source is a seeded ``Random`` for many cases in little time, or one of Hypothesis, which shrinks what it finds.
"""

from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from saas.commissions.rules import Facts, Line, Member
from tenants.program.document import Program
from tenants.program.parts import PeriodLength
from tests.tenants.program.documents import document

TIERS = ("silver", "gold", "diamond")
SKUS = ("A", "B", "C", "other")
CATEGORIES = ("tea", "pots", None)
STATUSES = (*["active"] * 9, "suspended", "exited", "applied")
PERIODS: tuple[PeriodLength, ...] = ("month", "quarter", "year")
DAY = date(2026, 7, 1)


class Case(NamedTuple):
    """A line under a program, with all that decides about it."""

    program: Program
    line: Line
    chain: tuple[Member, ...]
    facts: Facts


def case(chance: Random) -> Case:
    program = Program.model_validate(program_document(chance))
    return order_for(program, chance)


def order_for(program: Program, chance: Random) -> Case:
    chain = tuple(member(chance, number) for number in range(chance.choice((0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 7))))
    line = Line(
        chance.choice(SKUS),
        chance.choice(CATEGORIES),
        chance.randint(1, 60),
        chance.choice((chance.randint(0, 30), chance.randint(100, 3000), *[chance.randint(0, 10**7)] * 3)),
        DAY + timedelta(chance.randint(-1, 1)),
        chance.random() < 0.3,
    )
    return Case(program, line, chain, facts(chance, program, chain))


def member(chance: Random, number: int) -> Member:
    return Member(UUID(int=number + 1), chance.choice((*TIERS, *TIERS, None)), chance.choice(STATUSES))


def facts(chance: Random, program: Program, chain: tuple[Member, ...]) -> Facts:
    keys = [part.key for part in program.commission.components]
    return Facts(
        {key: chance.randint(0, 60) for key in keys if chance.random() < 0.8},
        {(period, one.id): chance.randint(0, 100) for period in PERIODS for one in chain if chance.random() < 0.8},
        member(chance, 100) if chance.random() < 0.4 else None,
        {key: chance.randint(-300, 300) for key in keys if chance.random() < 0.2},
    )


def program_document(chance: Random) -> dict[str, Any]:
    """Structurally right, sensible or not."""
    makers = (level_table, level_table, fixed, pieces, pieces, differential, differential)
    parts = [chance.choice(makers)(chance, f"part{i}") for i in range(chance.choice((0, 1, 2, 2, 3, 3, 4)))]
    made = document(
        *parts,
        paid_levels=chance.randint(1, 6),
        base=base(chance),
        inactive_upline=chance.choice(("keep", "compress")),
        self_purchase_pays_seller=chance.random() < 0.5,
        cap_bps=chance.choice((None, None, None, chance.randint(0, 500), chance.randint(500, 10_000))),
    )
    if chance.random() < 0.6:
        made["territory"] = {"cross_region_lead": {"commission_to_seller_bps": chance.choice((0, 3000, 3333, 10_000))}}
    return made


def base(chance: Random) -> dict[str, Any]:
    each = {sku: chance.choice((0, chance.randint(0, 500), chance.randint(0, 10**5))) for sku in SKUS[:3]}
    return chance.choice(
        (
            {"kind": "paid_goods"},
            {"kind": "paid_goods"},
            {"kind": "pool", "share_bps": chance.randint(1, 10_000)},
            {"kind": "gross_margin", "costs_minor": each},
            {"kind": "product_value", "values_minor": each},
        )
    )


def shared(chance: Random, kind: str, key: str) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": kind, "key": key}
    if chance.random() < 0.2:
        made["effective_from"] = str(DAY)
    if chance.random() < 0.2:
        made["effective_until"] = str(DAY + timedelta(1))
    return made


def limited(chance: Random, kind: str, key: str) -> dict[str, Any]:
    made = shared(chance, kind, key)
    if chance.random() < 0.2:
        made["only"] = chance.choice(
            ({"products": ["A"]}, {"categories": ["tea"]}, {"products": ["B"], "categories": ["pots"]})
        )
    return made


def level_table(chance: Random, key: str) -> dict[str, Any]:
    def level() -> dict[str, Any]:
        unit = chance.choice(("rate_bps", "rate_bps", "per_piece_minor"))
        tiers = {tier: chance.choice((0, chance.randint(0, 3000))) for tier in TIERS if chance.random() < 0.3}
        return {unit: chance.choice((0, *[chance.randint(1, 3000)] * 5)), "by_tier": tiers}

    made = limited(chance, "level_table", key)
    made["levels"] = [level() for _ in range(chance.randint(1, 4))]
    if chance.random() < 0.4:
        made["qualify"] = {"own_sales_minor": chance.randint(1, 100), "period": chance.choice(PERIODS)}
    if chance.random() < 0.3:
        own = [chance.choice((None, 0, chance.randint(0, 3000))) for _ in made["levels"]]
        made["product_overrides"] = {chance.choice(SKUS): own}
    return made


def fixed(chance: Random, key: str) -> dict[str, Any]:
    amounts = [chance.choice((0, chance.randint(0, 50))) for _ in range(chance.randint(1, 3))]
    return shared(chance, "fixed_per_product", key) | {"products": {chance.choice(SKUS): amounts}}


def pieces(chance: Random, key: str) -> dict[str, Any]:
    bounds = sorted(chance.sample(range(1, 80), chance.randint(1, 3)))
    return limited(chance, "per_piece_volume", key) | {
        "per_piece_minor": chance.choice((0, chance.randint(1, 40), chance.randint(1, 40))),
        "bands": [
            {"above_pieces": bound, "extra_minor": chance.choice((0, chance.randint(0, 40)))} for bound in bounds
        ],
        "applies": chance.choice(("MARGINAL", "WHOLE")),
        "period": chance.choice(PERIODS),
    }


def differential(chance: Random, key: str) -> dict[str, Any]:
    rates = {
        tier: chance.choice((0, 500, 1500, 2500, chance.randint(1, 4000))) for tier in TIERS if chance.random() < 0.8
    }
    return limited(chance, "differential", key) | {
        "rates_bps": rates or {"gold": 1500},
        "levels": chance.choice((None, chance.randint(1, 6))),
        "same_tier_bonus_bps": chance.choice((0, 250, chance.randint(1, 1000))),
    }
