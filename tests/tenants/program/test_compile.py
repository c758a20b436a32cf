"""The compiled program: which plan applies to a product on a day, and what must be known about a line."""

from datetime import date
from typing import Any

from tenants.program.compile import CompiledProgram, compile_program, levels_of
from tenants.program.document import Program
from tests.tenants.program.documents import document, rates

DAY = date(2026, 7, 1)
PIECES = {"kind": "per_piece_volume", "key": "pieces", "per_piece_minor": 100}
GAP: dict[str, Any] = {"kind": "differential", "key": "gap", "rates_bps": {"silver": 1000, "gold": 1500}}


def compiled(*components: dict[str, Any], **more: Any) -> CompiledProgram:
    return compile_program(Program.model_validate(document(*components, **more)))


def pieces(*bands: tuple[int, int], **more: Any) -> dict[str, Any]:
    return PIECES | {"bands": [{"above_pieces": above, "extra_minor": extra} for above, extra in bands]} | more


def test_a_plan_has_what_applies_and_reaches_as_far_as_the_longest() -> None:
    of = compiled(rates(1, 2), pieces((5, 1)), GAP, paid_levels=4)
    plan = of.plan_for("A", None, DAY)
    assert [(slot.component, slot.level) for slot in plan.slots] == [("levels", 0), ("levels", 1)]
    assert [slot.component for slot in plan.pieces] == ["pieces"]
    assert [(slot.component, slot.levels) for slot in plan.differentials] == [("gap", 4)]
    assert (plan.reach, of.chain_needed, plan.counters) == (4, 5, ("pieces",))
    assert [levels_of(part, 4) for part in of.components] == [2, 1, 4]


def test_a_fixed_amount_leaves_no_other_component_but_what_counts_goes_on_counting() -> None:
    of = compiled(rates(1, 2), pieces((5, 1)), {"kind": "fixed_per_product", "key": "fix", "products": {"X": [8]}})
    plan = of.plan_for("X", None, DAY)
    assert [slot.component for slot in plan.slots] == ["fix"]
    assert [(slot.component, slot.replaced) for slot in plan.pieces] == [("pieces", True)]
    assert (plan.differentials, plan.reach, plan.counters) == ((), 1, ("pieces",))


def test_days_and_limits_of_every_component_make_their_own_plans() -> None:
    of = compiled(
        pieces((5, 1), only={"products": ["A"]}, effective_from="2026-07-01", effective_until="2026-08-01"),
        GAP | {"only": {"categories": ["tea"]}},
    )
    assert of.plan_for("A", None, date(2026, 6, 30)).pieces == ()
    assert len(of.plan_for("A", None, DAY).pieces) == 1
    assert of.plan_for("A", None, date(2026, 8, 1)).pieces == ()
    assert of.plan_for("B", "pots", DAY) is of.plan_for("C", None, DAY)
    assert of.plan_for("B", "tea", DAY).reach == 10
    assert of.plan_for("B", "pots", DAY).reach == 0


def test_bands_ascend_and_a_lift_of_the_whole_period_never_falls() -> None:
    (marginal,) = compiled(pieces((30, 100), (10, 200))).plan_for("A", None, DAY).pieces
    assert (marginal.bands, marginal.whole, marginal.most) == (((10, 200), (30, 100)), False, 300)
    (whole,) = compiled(pieces((30, 100), (10, 200), applies="WHOLE")).plan_for("A", None, DAY).pieces
    assert (whole.bands, whole.whole) == (((10, 200), (30, 200)), True)


def test_qualification_is_asked_of_uplines_alone() -> None:
    of = compiled(rates(1, 2, qualify={"own_sales_minor": 5, "period": "year"}), rates(3, key="more"))
    assert [slot.qualify for slot in of.plan_for("A", None, DAY).slots] == [None, ("year", 5), None]
    assert of.qualifying == {"year"}


def test_period_components_take_no_part_in_a_line() -> None:
    rebate = {"kind": "tiered_rebate", "key": "rebate", "bands": [{"from_minor": 0, "rate_bps": 500}]}
    of = compiled(rates(1), rebate)
    assert [part.key for part in of.components] == ["levels"]
    assert (of.needs_pieces, of.qualifying, of.lead, of.base) == ((), frozenset(), None, None)


def test_plans_are_made_once() -> None:
    of = compiled(rates(1))
    assert of.plan_for("A", "tea", DAY) is of.plan_for("B", None, date(2030, 1, 1))
    assert len(of.plans) == 1
