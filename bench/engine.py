"""The pure core of commission on one processor core, beside the same arithmetic by hand without records or reasons.

And what a stored explanation weighs on PostgreSQL, beside the 200 bytes a row that it may weigh.
"""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import cycle, islice
from statistics import median
from time import process_time
from typing import NamedTuple
from uuid import UUID

import asyncpg

from bench import by_hand
from bench.figures import Figure, Size
from saas.commissions.rules import (
    NO_FACTS,
    CompiledProgram,
    Facts,
    Line,
    Member,
    commission_for_line,
    compile_program,
)
from tenants.program.document import Program
from tenants.program.parts import PeriodLength
from tenants.program.presets import preset

BYTES_TARGET = 200
EXPLAINING = (
    *("component", "level", "tier", "rate_bps", "per_piece_minor", "base_minor", "quantity", "reason", "detail"),
    "program_number",
)
"""The columns that are there to explain; the others say whose money it is and where."""

_DAY = date(2026, 7, 1)


class Work(NamedTuple):
    """Lines with their chains and facts, made before the clock starts."""

    program: CompiledProgram
    lines: Sequence[tuple[Line, tuple[Member, ...], Facts]]


def engine(size: Size) -> list[Figure]:
    """The rows of the core: lines a second of processor time on one core."""
    three, everything = three_levels(size.log_rows), all_components(size.log_rows)
    return [
        _compared("engine_lines", three, by_hand.three_levels, size.rounds),
        _compared("engine_lines_all", everything, by_hand.everything, size.rounds),
    ]


def three_levels(count: int) -> Work:
    """A table of three levels, chains of four, everybody active."""
    chain = tuple(Member(UUID(int=n), "silver", "active") for n in range(1, 5))
    lines = [(Line("S", None, 1, base, _DAY), chain, NO_FACTS) for base in _spread(count, 100, 10**6)]
    return Work(compile_program(preset("three_level_percent")), lines)


def all_components(count: int) -> Work:
    """Every line component on every line: chains of five with tiers and gaps, sales of uplines, the cap, leads."""
    partner = Member(UUID(int=9), "gold", "active")
    tiers, gaps = cycle(("silver", "silver", "gold", "diamond", "gold")), cycle(_spread(97, 0, 10))
    lines = []
    for number, base in enumerate(_spread(count, 10_000, 10**6)):
        chain = tuple(
            Member(UUID(int=n), tier, "active" if n == 1 or gap else "suspended")
            for n, tier, gap in zip(range(1, 6), islice(tiers, 6), gaps, strict=False)
        )
        sales: dict[tuple[PeriodLength, UUID], int] = {
            ("month", member.id): base * member.id.int % 200_000 for member in chain
        }
        facts = Facts({"volume": base % 61}, sales, None if number % 10 else partner)
        lines.append((Line("S", "tea", base % 20 + 1, base, _DAY), chain, facts))
    return Work(compile_program(Program.model_validate(EVERYTHING)), lines)


def _spread(count: int, low: int, high: int) -> list[int]:
    """As many numbers all over ``[low, high)``, the same in every run."""
    return [low + number * 7_368_787 % (high - low) for number in range(count)]


EVERYTHING = {
    "name": {"zh": "全部", "en": "Everything"},
    "currency": "CNY",
    "hierarchy": {"depth_limit": None, "paid_levels": 4},
    "tiers": [{"code": code, "name": {"zh": code, "en": code}} for code in ("silver", "gold", "diamond")],
    "commission": {
        "cap_bps": by_hand.CAP,
        "components": [
            {
                "kind": "level_table",
                "key": "levels",
                "qualify": {"own_sales_minor": by_hand.NEEDED, "period": "month"},
                "levels": [
                    {"rate_bps": rate, "by_tier": {"gold": gold}}
                    for rate, gold in zip(by_hand.LEVELS, by_hand.GOLD, strict=True)
                ],
            },
            {
                "kind": "level_table",
                "key": "tea",
                "only": {"categories": ["tea"]},
                "levels": [{"per_piece_minor": each} for each in by_hand.TEA],
            },
            {
                "kind": "per_piece_volume",
                "key": "volume",
                "per_piece_minor": by_hand.EACH,
                "bands": [{"above_pieces": above, "extra_minor": extra} for above, extra in by_hand.BANDS],
            },
            {
                "kind": "differential",
                "key": "gap",
                "rates_bps": by_hand.RATES,
                "same_tier_bonus_bps": by_hand.SAME_TIER,
            },
            {"kind": "fixed_per_product", "key": "fixed", "products": {"X": [800]}},
        ],
    },
    "price_policy": {"default_band": {"below_bps": 0, "above_bps": 0}},
    "territory": {"cross_region_lead": {"commission_to_seller_bps": by_hand.LEAD}},
}


def ours(work: Work) -> list[int]:
    """What every line pays out, by the product."""
    program = work.program
    paid = []
    for line, chain, facts in work.lines:
        _, base, company = commission_for_line(program, line, chain, facts)
        paid.append(base - company)
    return paid


def _compared(name: str, work: Work, hand: Callable[[by_hand.Lines], list[int]], rounds: int) -> Figure:
    """Both sides in turns; the median round of each."""
    if ours(work) != hand(work.lines):
        raise AssertionError(f"{name}: both sides pay the same, or the figure means nothing")
    sides: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        began = process_time()
        ours(work)
        between = process_time()
        hand(work.lines)
        sides[0].append(len(work.lines) / (between - began))
        sides[1].append(len(work.lines) / (process_time() - between))
    return Figure(name=name, ours=median(sides[0]), ceiling=median(sides[1]), unit="lines/s")


async def explanation_bytes(url: str) -> Figure:
    """The average bytes of a row of commission as stored on PostgreSQL; prints what they are made of."""
    parts = " + ".join(f"coalesce(pg_column_size({column}), 0)" for column in EXPLAINING)
    connection = await asyncpg.connect(url)
    try:
        (row,) = await connection.fetch(
            f"SELECT count(*) AS rows, avg(pg_column_size(commission.*))::float AS whole, "
            f"avg({parts})::float AS explaining, pg_relation_size('commission') AS heap FROM commission"
        )
    finally:
        await connection.close()
    print(
        f"{row['rows']:,} rows of commission: {row['whole']:.1f} bytes each, of which {row['explaining']:.1f} explain; "
        f"{row['heap'] / row['rows']:.1f} bytes of heap each"
    )
    return Figure(name="explanation_bytes", ours=row["whole"], ceiling=BYTES_TARGET, unit="B/row", less_is_better=True)
