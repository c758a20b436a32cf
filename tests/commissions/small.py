"""Small programs, chains and lines for the worked cases."""

from datetime import date
from typing import Any
from uuid import UUID

from saas.commissions.rules import (
    CompiledProgram,
    Line,
    LineResult,
    Member,
    Reason,
    compile_program,
)
from tenants.program.document import Program
from tests.tenants.program.documents import document

DAY = date(2026, 7, 1)
SILVER_10_GOLD_15_DIAMOND_22 = {"silver": 1000, "gold": 1500, "diamond": 2200}


def chain(*tiers: str | None, **status: str) -> tuple[Member, ...]:
    """Members numbered from 1, the seller, by tier; ``m2="suspended"`` for one who is not active."""
    return tuple(Member(UUID(int=n), tier, status.get(f"m{n}", "active")) for n, tier in enumerate(tiers, start=1))


def compiled(*components: dict[str, Any], lead: dict[str, int] | None = None, **commission: Any) -> CompiledProgram:
    made = document(*components, **commission)
    if lead is not None:
        made["territory"] = {"cross_region_lead": lead}
    return compile_program(Program.model_validate(made))


def line(base_minor: int, sku: str = "S", quantity: int = 1, **more: Any) -> Line:
    return Line(**{"sku": sku, "category": None, "quantity": quantity, "base_minor": base_minor, "day": DAY} | more)


def amounts(result: LineResult, component: str | None = None) -> list[int]:
    return [share.amount_minor for share in result.shares if component in (None, share.component)]


def reasons(result: LineResult) -> list[Reason]:
    return [share.reason for share in result.shares]


def pieces(*bands: tuple[int, int], each: int = 2000, applies: str = "MARGINAL", **more: Any) -> dict[str, Any]:
    made = [{"above_pieces": above, "extra_minor": extra} for above, extra in bands or [(30, 200)]]
    return {"kind": "per_piece_volume", "key": "pieces", "per_piece_minor": each, "bands": made} | {
        "applies": applies,
        **more,
    }
