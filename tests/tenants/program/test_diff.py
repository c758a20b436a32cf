"""Differences between programs: complete as data, and said as people would say them."""

import copy
from collections.abc import Mapping
from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.program import Program, as_data, parse
from tenants.program.diff import Change, ChangeKind, Member, Named, changes_between
from tenants.program.presets import PRESETS, preset
from tenants.program.wording import in_words
from tests.tenants.program.documents import document, documents, level_table, rates


def program(data: Mapping[str, Any]) -> Program:
    parsed = parse(data)
    assert isinstance(parsed, Program), parsed
    return parsed


RICH: dict[str, Any] = {
    **document(
        rates(1000, 1500, 2000, product_overrides={"X": [500, None, 0]}),
        {"kind": "fixed_per_product", "key": "cake", "products": {"Y": [0, 800]}},
        {
            "kind": "per_piece_volume",
            "key": "pieces",
            "per_piece_minor": 2000,
            "bands": [{"above_pieces": 30, "extra_minor": 200}],
        },
        {
            "kind": "tiered_rebate",
            "key": "rebate",
            "bands": [{"from_minor": 0, "rate_bps": 500}, {"from_minor": 500_000_000, "rate_bps": 800}],
        },
        {"kind": "differential", "key": "steps", "rates_bps": {"silver": 1000, "gold": 1500, "diamond": 2200}},
        {"kind": "target_bonus", "key": "target", "targets": [{"at_least": 5_000_000, "bonus_minor": 50_000}]},
        {
            "kind": "target_bonus",
            "key": "count",
            "measure": "orders",
            "targets": [{"at_least": 10, "bonus_minor": 1000}],
        },
        {"kind": "event_bonus", "key": "channel", "channels": ["shop", "live"], "bonus_minor": 5_000_000},
        {"kind": "ranking_award", "key": "top", "awards_minor": [30_000, 20_000, 10_000]},
        level_table({"per_piece_minor": 100, "by_tier": {"gold": 200}}, key="service"),
    ),
    "tiers": [
        {"code": "silver", "name": {"zh": "银牌", "en": "Silver"}},
        {
            "code": "gold",
            "name": {"zh": "金牌", "en": "Gold"},
            "promotion": {
                "kind": "all",
                "of": [{"kind": "own_sales", "at_least_minor": 100_000}, {"kind": "orders", "at_least": 5}],
            },
        },
        {"code": "diamond", "name": {"zh": "钻石", "en": "Diamond"}},
    ],
    "territory": {"agents": {"default": 1, "regions": {"310000": 2}}, "cross_region_lead": {}},
}
RICH["price_policy"]["products"]["X"]["regional_purchase_price_minor"] = {"310000": {"gold": 6500}}
RICH["price_policy"]["promotions"] = [
    {
        "kind": "price",
        "key": "spring",
        "effective_from": "2026-03-01",
        "effective_until": "2026-04-01",
        "prices_minor": {"X": 9800},
    }
]


def changed(*steps: str | int, to: Any) -> Program:
    """The rich program with another value at a place; ``...`` removes what is there."""
    data = copy.deepcopy(RICH)
    part: Any = data
    for step in steps[:-1]:
        part = part[step]
    if to is ...:
        del part[steps[-1]]
    else:
        part[steps[-1]] = to
    return program(data)


COMPONENTS = RICH["commission"]["components"]
C = ("commission", "components")
SENTENCES: list[tuple[tuple[str | int, ...], Any, str, str, str]] = [
    (
        (*C, 0, "levels", 1, "rate_bps"),
        1200,
        "commission.components[key=levels].levels[1].rate_bps",
        "Commission, component levels, level 1: rate 15 % → 12 %",
        "佣金，组件 levels，第 1 层：比例 15 % → 12 %",
    ),
    (
        (*C, 0, "levels", 1),
        {"per_piece_minor": 750},
        "commission.components[key=levels].levels[1].rate_bps",
        "Commission, component levels, level 1: rate removed (15 %)",
        "佣金，组件 levels，第 1 层：比例 删除（15 %）",
    ),
    (
        (*C, 0, "product_overrides", "X", 0),
        50,
        "commission.components[key=levels].product_overrides.X[0]",
        "Commission, component levels, product X: level 0 5 % → 0.5 %",
        "佣金，组件 levels，商品 X：第 0 层 5 % → 0.5 %",
    ),
    (
        (*C, 1, "products", "Y", 1),
        900,
        "commission.components[key=cake].products.Y[1]",
        "Commission, component cake, product Y: level 1 CN¥8.00 → CN¥9.00",
        "佣金，组件 cake，商品 Y：第 1 层 ¥8.00 → ¥9.00",
    ),
    (
        (*C, 2, "bands", 0, "extra_minor"),
        300,
        "commission.components[key=pieces].bands[above_pieces=30].extra_minor",
        "Commission, component pieces, band above pieces 30: extra a piece CN¥2.00 → CN¥3.00",
        "佣金，组件 pieces，档位 超过件数 30：每件加奖 ¥2.00 → ¥3.00",
    ),
    (
        (*C, 3, "bands", 1, "rate_bps"),
        850,
        "commission.components[key=rebate].bands[from_minor=500000000].rate_bps",
        "Commission, component rebate, band from CN¥5,000,000.00: rate 8 % → 8.5 %",
        "佣金，组件 rebate，档位 起点 ¥5,000,000.00：比例 8 % → 8.5 %",
    ),
    (
        (*C, 4, "rates_bps", "gold"),
        ...,
        "commission.components[key=steps].rates_bps.gold",
        "Commission, component steps: rate of tier Gold removed (15 %)",
        "佣金，组件 steps：级别 金牌 的比例 删除（15 %）",
    ),
    (
        (*C, 5, "targets", 0, "bonus_minor"),
        60_000,
        "commission.components[key=target].targets[at_least=5000000].bonus_minor",
        "Commission, component target, target at least CN¥50,000.00: bonus CN¥500.00 → CN¥600.00",
        "佣金，组件 target，目标 不少于 ¥50,000.00：奖金 ¥500.00 → ¥600.00",
    ),
    (
        (*C, 6, "targets", 0, "bonus_minor"),
        2000,
        "commission.components[key=count].targets[at_least=10].bonus_minor",
        "Commission, component count, target at least 10: bonus CN¥10.00 → CN¥20.00",
        "佣金，组件 count，目标 不少于 10：奖金 ¥10.00 → ¥20.00",
    ),
    (
        (*C, 7, "channels"),
        ["shop"],
        'commission.components[key=channel].channels["live"]',
        "Commission, component channel: channel live removed",
        "佣金，组件 channel：渠道 live 删除",
    ),
    (
        (*C, 3),
        ...,
        "commission.components[key=rebate]",
        "Commission: component rebate removed (period month; tiered rebate; measured by own sales; bands "
        "apply to the whole period; bands (band 1 (from CN¥0.00; rate 5 %); band 2 (from CN¥5,000,000.00; rate 8 %)))",
        "佣金：组件 rebate 删除（周期 月；阶梯返点；考核指标 自身业绩；"
        "分档适用 全部；分档（档位 1（起点 ¥0.00；比例 5 %）；档位 2（起点 ¥5,000,000.00；比例 8 %）））",
    ),
    (
        (*C, 8, "awards_minor", 2),
        ...,
        "commission.components[key=top].awards_minor[2]",
        "Commission, component top: place 3 removed (CN¥100.00)",
        "佣金，组件 top：第 3 名 删除（¥100.00）",
    ),
    (
        (*C, 9, "levels", 0, "by_tier", "gold"),
        300,
        "commission.components[key=service].levels[0].by_tier.gold",
        "Commission, component service, level 0: tier Gold CN¥2.00 → CN¥3.00",
        "佣金，组件 service，第 0 层：级别 金牌 ¥2.00 → ¥3.00",
    ),
    (
        ("tiers", 1, "promotion", "of", 0, "at_least_minor"),
        200_000,
        "tiers[code=gold].promotion.of[kind=own_sales].at_least_minor",
        "Tier Gold, to be promoted, condition own sales: at least CN¥1,000.00 → CN¥2,000.00",
        "级别 金牌，晋级条件，条件 自身业绩：不少于 ¥1,000.00 → ¥2,000.00",
    ),
    (
        ("tiers", 1, "promotion"),
        None,
        "tiers[code=gold].promotion",
        "Tier Gold: to be promoted all of; conditions (condition 1 (own sales; at least CN¥1,000.00); "
        "condition 2 (orders; at least 5)) → not set",
        "级别 金牌：晋级条件 同时满足；条件（条件 1（自身业绩；不少于 ¥1,000.00）；"
        "条件 2（订单数；不少于 5）） → 未设置",
    ),
    (
        ("territory", "agents", "regions", "310000"),
        3,
        'territory.agents.regions["310000"]',
        "Territory, agents: region 310000 2 → 3",
        "区域管理，代理名额：区域 310000 2 → 3",
    ),
    (
        ("territory", "regions"),
        "exclusive",
        "territory.regions",
        "Territory: regions are shared → exclusive",
        "区域管理：区域归属 共享 → 独家",
    ),
    (
        ("territory", "cross_region_lead"),
        None,
        "territory.cross_region_lead",
        "Territory: cross-region lead performance to the region 50 %; commission to the seller 30 % → not set",
        "区域管理：跨区引流 区域业绩占比 50 %；卖方佣金占比 30 % → 未设置",
    ),
    (
        ("price_policy", "products", "X", "regional_purchase_price_minor", "310000", "gold"),
        6400,
        'price_policy.products.X.regional_purchase_price_minor["310000"].gold',
        "Price policy, product X, purchase prices in region 310000: tier Gold CN¥65.00 → CN¥64.00",
        "价格政策，商品 X，区域 310000 的进货价：级别 金牌 ¥65.00 → ¥64.00",
    ),
    (
        ("price_policy", "promotions", 0, "effective_until"),
        "2026-05-01",
        "price_policy.promotions[key=spring].effective_until",
        "Price policy, promotion spring: in effect until before 2026-04-01 → 2026-05-01",
        "价格政策，促销 spring：失效日期 2026-04-01 → 2026-05-01",
    ),
    (
        ("commission", "base"),
        {"kind": "pool", "share_bps": 4000},
        "commission.base",
        "Commission: base paid goods → a pool of paid goods; share 40 %",
        "佣金：计佣基数 实付货款 → 佣金池；比例 40 %",
    ),
    (
        ("commission", "self_purchase_pays_seller"),
        False,
        "commission.self_purchase_pays_seller",
        "Commission: own purchase pays the seller yes → no",
        "佣金：自购返佣 是 → 否",
    ),
    (("name", "en"), "Other", "name.en", "Name: in English Program → Other", "名称：英文 Program → Other"),
    (
        ("settlement",),
        {"period": {"kind": "monthly", "day": 5}},
        "settlement.period.day",
        "Settlement, period: day 1 → 5",
        "结算，周期：日 1 → 5",
    ),
]


@pytest.mark.parametrize(("steps", "to", "path", "english", "chinese"), SENTENCES, ids=[row[2] for row in SENTENCES])
def test_a_change_is_said_as_people_call_it(
    steps: tuple[str | int, ...], to: Any, path: str, english: str, chinese: str
) -> None:
    before, after = program(RICH), changed(*steps, to=to)
    found = changes_between(before, after)
    assert found[0].path == path
    assert in_words(before, after)[0] == english
    assert in_words(before, after, "zh-CN")[0] == chinese
    assert len(found) == (2 if "removed (15 %)" in english and "level 1" in english else 1)


def test_a_component_put_in_front_leaves_the_others_unchanged() -> None:
    extra = {"kind": "differential", "key": "extra", "rates_bps": {"gold": 100}}
    before, after = program(RICH), changed(*C, to=[extra, *COMPONENTS])
    (found,) = changes_between(before, after)
    assert (found.path, found.kind, found.before_json) == ("commission.components[key=extra]", ChangeKind.ADDED, None)
    assert orjson.loads(found.after_json or "")["rates_bps"] == {"gold": 100}
    assert in_words(before, after) == [
        "Commission: component extra added (differential; rates (rate of tier Gold 1 %); same-tier bonus 0 %)"
    ]
    assert in_words(after, before, "zh-CN") == [
        "佣金：组件 extra 删除（级差；级别比例（级别 金牌 的比例 1 %）；平级奖 0 %）"
    ]


def test_an_order_that_means_something_is_a_change() -> None:
    tiers = RICH["tiers"]
    before, after = program(RICH), changed("tiers", to=[tiers[1], tiers[0], tiers[2]])
    (found,) = changes_between(before, after)
    assert (found.path, found.before, found.after) == (
        "tiers",
        ["silver", "gold", "diamond"],
        ["gold", "silver", "diamond"],
    )
    assert in_words(before, after) == ["Tiers now in the order Gold; Silver; Diamond, before Silver; Gold; Diamond"]
    assert in_words(before, after, "zh-CN") == ["级别 顺序由 银牌；金牌；钻石 改为 金牌；银牌；钻石"]


def test_a_component_of_another_kind_is_one_change() -> None:
    before, after = program(RICH), changed(*C, 4, to=rates(100, key="steps"))
    (found,) = changes_between(before, after)
    assert (found.path, found.kind) == ("commission.components[key=steps]", ChangeKind.CHANGED)


def test_long_values_are_cut_in_words_and_whole_in_data() -> None:
    prices = {f"SKU-{number}": {"guide_price_minor": 100} for number in range(1000)}
    before, after = program(RICH), changed("price_policy", "products", to=prices)
    assert max(map(len, in_words(before, after))) < 400
    whole = {**RICH["commission"], "base": {"kind": "product_value", "values_minor": dict.fromkeys(prices, 100)}}
    (words,) = in_words(before, changed("commission", to=whole))
    assert words.endswith("…")
    (found,) = changes_between(before, changed("commission", to=whole))
    assert len(orjson.loads(found.after_json or "")["values_minor"]) == 1000


# -- every difference is told -----------------------------------------------------------------------------------------


def apply(data: Any, change: Change) -> None:
    """Do to plain data what the change says."""
    *way, last = change.steps
    for step in way:
        data = data[_place(data, step)]
    if change.kind is ChangeKind.REMOVED:
        del data[_place(data, last)]
    elif change.kind is ChangeKind.ADDED and isinstance(data, list):
        data.append(change.after)
    elif isinstance(change.before, list) and isinstance(change.after, list) and change.steps:
        data[last] = _sorted(data[_place(data, last)], change.after)
    else:
        data[_place(data, last)] = change.after


def _place(data: Any, step: object) -> Any:
    if isinstance(step, Named):
        return next(index for index, entry in enumerate(data) if entry[step.field] == step.value)
    if isinstance(step, Member):
        return data.index(step.text)
    return min(step, len(data)) if isinstance(step, int) else step


def _sorted(entries: list[Any], names: list[Any]) -> list[Any]:
    def name(entry: Any) -> Any:
        fields = ("key", "code", "above_pieces", "from_minor", "at_least", "kind")
        return entry if isinstance(entry, str) else next(entry[f] for f in fields if entry.get(f) in names)

    return sorted(entries, key=lambda entry: names.index(name(entry)))


SORTED = orjson.OPT_SORT_KEYS


def redone(before: Program, after: Program) -> Any:
    data = as_data(before)
    found = changes_between(before, after)
    # entries by number are removed from behind, so that the numbers before them stay what they are
    last = [one for one in found if one.kind is ChangeKind.REMOVED and isinstance(one.steps[-1], int)]
    for change in [*(one for one in found if one not in last), *reversed(last)]:
        apply(data, change)
    return data


def unordered(data: Any) -> Any:
    """Entries that were added in between stand behind here, so their order is not compared."""
    if isinstance(data, dict):
        return {key: unordered(value) for key, value in data.items()}
    if isinstance(data, list) and data and not isinstance(data[0], int | None):
        return sorted((unordered(entry) for entry in data), key=lambda entry: orjson.dumps(entry, option=SORTED))
    return data


@settings(max_examples=100, deadline=None)
@given(documents(), documents())
def test_the_changes_make_the_one_program_of_the_other(first: dict[str, Any], second: dict[str, Any]) -> None:
    before, after = program(first), program(second)
    assert unordered(redone(before, after)) == unordered(as_data(after))
    assert (changes_between(before, after) == []) == (as_data(before) == as_data(after))
    assert changes_between(before, before) == []
    paths = [change.path for change in changes_between(before, after)]
    assert len(set(paths)) == len(paths)


@settings(max_examples=50, deadline=None)
@given(documents(), documents(), st.sampled_from(["en", "zh-CN"]))
def test_every_change_has_a_sentence(first: dict[str, Any], second: dict[str, Any], language: str) -> None:
    before, after = program(first), program(second)
    said = in_words(before, after, language)
    assert len(said) == len(changes_between(before, after))
    assert all(said)


def test_every_preset_differs_from_every_other_in_words() -> None:
    for name, other in product(PRESETS, PRESETS):
        for language in ("en", "zh-CN"):
            assert bool(in_words(preset(name), preset(other), language)) == (name != other)
        assert unordered(redone(preset(name), preset(other))) == unordered(as_data(preset(other)))
