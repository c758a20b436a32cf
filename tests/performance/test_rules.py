"""Awards of periods: the worked cases of docs/rules.md by number, properties, and a second implementation."""

import random
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.performance.rules import (
    Award,
    AwardReason,
    Figures,
    Holder,
    PeriodBook,
    SaleFact,
    Scope,
    Tally,
    once_key,
    rebate_of,
)
from tenants.program.parts import Limits
from tests.performance import naive
from tests.performance.cases import BRAND_BANDS, MILLION, component, holder, paid_by, path, program, sale, seat, sold

AB = {seat(1): holder("A", 1), seat(2): holder("B", 2), seat(3): holder("C", 3)}


@pytest.mark.parametrize(
    ("applies", "sales_minor", "rebate_minor"),
    [
        ("WHOLE", 6 * MILLION, 48_000_000),
        ("WHOLE", 12 * MILLION, 144_000_000),
        ("WHOLE", 499_999_999, 25_000_000),
        ("WHOLE", 5 * MILLION, 40_000_000),
        ("MARGINAL", 6 * MILLION, 33_000_000),
        ("MARGINAL", 12 * MILLION, 89_000_000),
    ],
)
def test_case_3_3_tiered_rebate(applies: str, sales_minor: int, rebate_minor: int) -> None:
    rebate = component("tiered_rebate", bands=BRAND_BANDS, applies=applies)
    assert rebate_of(rebate, sales_minor).amount_minor == rebate_minor
    assert paid_by(rebate, [sale(1, path(1), sold(sales_minor))], AB) == {("A", ""): rebate_minor}


def test_case_3_6_target_bonus() -> None:
    bonus = component("target_bonus", targets=[{"at_least": 5_000_000, "bonus_minor": 50_000}])
    assert paid_by(bonus, [sale(1, path(1), sold(5_000_000)), sale(2, path(2), sold(4_999_999))], AB) == {
        ("A", ""): 50_000
    }


def test_case_3_6_first_order_in_a_channel() -> None:
    bonus = component("event_bonus", bonus_minor=5_000_000, once="brand")
    facts = [
        sale(1, path(1), sold(100), day=3, channel="douyin"),
        sale(2, path(2), sold(100), day=2, channel="douyin"),
        sale(3, path(2), sold(100), day=4, channel="douyin"),
        sale(4, path(3), sold(100), day=4),
    ]
    assert paid_by(bonus, facts, AB) == {("B", "douyin"): 5_000_000}
    each = bonus.model_copy(update={"once": "distributor"})
    assert paid_by(each, facts, AB) == {("A", "douyin"): 5_000_000, ("B", "douyin"): 5_000_000}


def test_case_3_6_ranking_of_the_top_three() -> None:
    ranking = component("ranking_award", awards_minor=[3000, 2000, 1000])
    holders = {seat(no): holder(code, no) for no, code in enumerate("EDCBA", start=1)}
    facts = [sale(no, path(no), sold(amount)) for no, amount in ((1, 500), (2, 300), (3, 400), (4, 300), (5, 100))]
    assert paid_by(ranking, facts, holders) == {("E", ""): 3000, ("C", ""): 2000, ("B", ""): 1000}


def test_what_was_used_up_before_is_not_given_again() -> None:
    bonus = component("event_bonus", bonus_minor=500, once="distributor")
    book = PeriodBook(program(bonus.model_dump(mode="json")), "month")
    book.add(sale(1, path(1), sold(100), channel="shop"))
    key = once_key(bonus, UUID(int=1), "shop")
    assert [(one.amount_minor, one.once_key) for one in book.awards(AB)] == [(500, key)]
    assert [(one.reason, one.once_key) for one in book.awards(AB, [("it", key)])] == [(AwardReason.TAKEN, None)]


def test_figures_follow_the_tree_of_each_sale() -> None:
    tally = Tally(Scope())
    tally.add(sale(1, path(1, 2), sold(100, 2)))
    tally.add(sale(2, path(3, 2), sold(50)))
    assert tally.figures({seat(2)}) == {
        seat(1): Figures(0, 100, 100, 0, 0),
        seat(2): Figures(150, 150, 0, 2, 3),
        seat(3): Figures(0, 50, 50, 0, 0),
    }
    assert tally.figures(set())[seat(1)].active_downline_minor == 0


def test_a_lead_counts_for_both_and_for_those_above_them() -> None:
    tally = Tally(Scope())
    tally.add(sale(1, path(1, 2), sold(101, 4), partner_path=path(1, 3), partner_bps=5000))
    assert tally.figures({seat(2), seat(3)}) == {
        seat(1): Figures(0, 101, 101, 0, 0),
        seat(2): Figures(50, 50, 0, 1, 4),
        seat(3): Figures(51, 51, 0, 0, 0),
    }


def test_only_what_a_component_is_limited_to_counts() -> None:
    tally = Tally(Scope(Limits(products=("X",), categories=("tea",)), date(2026, 3, 2), date(2026, 3, 4)))
    product, category, other = sold(100, 1, "X", "cake"), sold(10, 1, "Y", "tea"), sold(900, 9, "Y", "cake")
    for day in (1, 2, 3, 4):
        tally.add(sale(day, path(1), product, category, other, day=day))
    tally.add(sale(5, path(1), other, day=2))
    assert tally.figures(()) == {seat(1): Figures(220, 220, 0, 2, 4)}


@pytest.mark.parametrize(
    ("status", "reason"),
    [("suspended", AwardReason.SUSPENDED), ("exited", AwardReason.EXITED), ("applied", AwardReason.NOT_ACTIVE)],
)
def test_who_is_not_active_earns_nothing_and_the_company_keeps_it(status: str, reason: AwardReason) -> None:
    bonus = component("target_bonus", targets=[{"at_least": 1, "bonus_minor": 50}])
    book = PeriodBook(program(bonus.model_dump(mode="json")), "month")
    book.add(sale(1, path(1), sold(100)))
    (award,) = book.awards({seat(1): holder("A", 1, status=status)})
    assert (award.amount_minor, award.reason, award.detail["kept"]) == (0, reason, 50)


def test_who_has_left_has_no_place_and_the_suspended_keeps_it_from_others() -> None:
    ranking = component("ranking_award", awards_minor=[30, 20])
    holders = {
        seat(1): holder("A", 1, status="exited"),
        seat(2): holder("B", 2, status="suspended"),
        seat(3): holder("C", 3),
        seat(4): holder("D", 4, tier="gold"),
    }
    book = PeriodBook(program(ranking.model_copy(update={"tiers": ("silver",)}).model_dump(mode="json")), "month")
    for no in (1, 2, 3, 4):
        book.add(sale(no, path(no), sold(1000 - no)))
    found = {
        one.holder.code: (one.amount_minor, one.reason.value, one.detail.get("place")) for one in book.awards(holders)
    }
    assert found == {
        "A": (0, "exited", None),
        "B": (0, "suspended", 1),
        "C": (20, "earned", 2),
        "D": (0, "other_tier", None),
    }


def test_whoever_sold_is_told_why_it_got_nothing() -> None:
    book = PeriodBook(
        program(
            {"kind": "tiered_rebate", "key": "r", "bands": [{"from_minor": 500, "rate_bps": 100}]},
            {"kind": "tiered_rebate", "key": "z", "bands": [{"from_minor": 0, "rate_bps": 0}]},
            {"kind": "tiered_rebate", "key": "t", "bands": [{"from_minor": 0, "rate_bps": 1}]},
            {"kind": "target_bonus", "key": "b", "measure": "pieces", "targets": [{"at_least": 9, "bonus_minor": 1}]},
            {"kind": "event_bonus", "key": "e", "minimum_minor": 200, "bonus_minor": 1},
            {"kind": "ranking_award", "key": "p", "at_least_minor": 200, "awards_minor": [5]},
        ),
        "month",
    )
    book.add(sale(1, path(1), sold(100), channel="shop"))
    below, zero, rounded = AwardReason.BELOW, AwardReason.RATE_ZERO, AwardReason.ROUNDED_TO_ZERO
    reasons = {"r": below, "z": zero, "t": rounded, "b": below, "e": below, "p": below}
    assert {one.component: one.reason for one in book.awards(AB)} == reasons


@given(
    bounds=st.lists(st.integers(0, 10**9), min_size=1, max_size=6, unique=True),
    rates=st.lists(st.integers(0, 10_000), min_size=6, max_size=6),
    sales=st.lists(st.integers(0, 2 * 10**9), min_size=2, max_size=2).map(sorted),
)
def test_marginal_never_pays_less_for_more(bounds: list[int], rates: list[int], sales: list[int]) -> None:
    bands = [{"from_minor": bound, "rate_bps": rate} for bound, rate in zip(bounds, rates, strict=False)]
    rebate = component("tiered_rebate", bands=bands, applies="MARGINAL")
    less, more = (rebate_of(rebate, one).amount_minor for one in sales)
    assert 0 <= less <= more <= sales[1]


def _component(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(["tiered_rebate", "target_bonus", "event_bonus", "ranking_award"])
    made: dict[str, Any] = {"kind": kind, "key": "it"}
    if kind == "event_bonus":
        made |= {"minimum_minor": rng.choice([0, 700]), "bonus_minor": 50, "once": rng.choice(["distributor", "brand"])}
        if rng.random() < 0.3:
            made["channels"] = ["douyin"]
    else:
        made["measure"] = rng.choice(["own_sales", "group_sales"])
    if kind == "tiered_rebate":
        bounds = sorted(rng.sample(range(0, 3000, 50), rng.randint(1, 4)))
        made["bands"] = [{"from_minor": bound, "rate_bps": rng.randint(0, 3000)} for bound in bounds]
        made["applies"] = rng.choice(["WHOLE", "MARGINAL"])
    elif kind == "target_bonus":
        made["measure"] = rng.choice(["own_sales", "group_sales", "pieces", "orders"])
        targets = rng.sample(range(1, 20 if made["measure"] in {"pieces", "orders"} else 3000), rng.randint(1, 3))
        made["targets"] = [{"at_least": one, "bonus_minor": rng.randint(0, 99)} for one in targets]
    elif kind == "ranking_award":
        made |= {"awards_minor": rng.sample(range(100), 2), "at_least_minor": rng.choice([1, 500])}
    if rng.random() < 0.3:
        made["only"] = rng.choice(
            [{"products": ["X"]}, {"categories": ["tea"]}, {"products": ["Y"], "categories": ["tea"]}]
        )
    if rng.random() < 0.2:
        made["tiers"] = ["silver"]
    if rng.random() < 0.2:
        made["effective_from"], made["effective_until"] = date(2026, 3, 5), date(2026, 3, 20)
    return made


def _sale(rng: random.Random, order: int) -> SaleFact:
    lines = [
        sold(rng.randint(0, 999), rng.randint(1, 5), rng.choice("XY"), rng.choice([None, "tea", "cake"]))
        for _ in range(rng.randint(1, 2))
    ]
    trees = [path(1), path(1, 2), path(1, 2, 3), path(3), path(3, 4), path(5)]
    lead = {"partner_path": path(1, 6), "partner_bps": rng.choice([3333, 5000])} if rng.random() < 0.2 else {}
    channel = rng.choice([None, "douyin", "shop"])
    return sale(order, rng.choice(trees), *lines, day=rng.randint(1, 31), channel=channel, **lead)


@pytest.mark.long
def test_ten_thousand_random_periods_agree_with_a_naive_implementation() -> None:
    rng = random.Random(33)
    for round_no in range(10_000):
        wanted = _component(rng)
        facts = [_sale(rng, order) for order in range(rng.randint(0, 6))]
        statuses = ["active"] * 4 + ["suspended", "exited"]
        holders: dict[str, Holder] = {
            seat(no): holder(code, no, rng.choice(["silver", "gold"]), rng.choice(statuses))
            for no, code in enumerate("FCEBAD", start=1)
        }
        plain = component(**wanted)
        book, half = _book(plain), _book(plain)
        for number, fact in enumerate(facts):
            (half if number % 2 else book).add(fact)
        book.merge(half)
        found = book.awards(holders)
        paid = {(one.holder.code, one.scope): one.amount_minor for one in found if one.amount_minor}
        assert paid == naive.awards(wanted, facts, holders), (round_no, wanted, facts)
        assert all(_sound(one) for one in found)


def _book(wanted: Any) -> PeriodBook:
    commission = _PROGRAM.commission.model_copy(update={"components": (wanted,)})
    return PeriodBook(_PROGRAM.model_copy(update={"commission": commission}), "month")


def _sound(award: Award) -> bool:
    return (award.reason is AwardReason.EARNED) == (award.amount_minor > 0)


_PROGRAM = program()
