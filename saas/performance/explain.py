"""An award in one sentence for people, in Chinese or English, and as data for machines (docs/rules.md §3, last part).

Made from the stored columns alone, whatever has become of the program or the network since. ``detail`` holds:

- ``measure``: own_sales, group_sales, pieces, orders, or order for an event bonus
- ``parts``: of a rebate, pairs of an amount and its rate; ``from``: the bound of the band or target that was reached
- ``needed``: what would have been enough; ``place`` of ``places``; ``once``: for each distributor, or in the brand
- ``kept``: what the company keeps of one who is not active
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

from saas.base.money import formatted
from saas.performance.rules import AwardReason, Detail

_NAMES = {
    "tiered_rebate": ("rebate", "返点"),
    "target_bonus": ("target bonus", "目标奖励"),
    "event_bonus": ("event bonus", "首单奖励"),
    "ranking_award": ("ranking award", "排名奖励"),
}
_MEASURES = {
    "own_sales": ("own sales", "个人业绩"),
    "group_sales": ("group sales", "团队业绩"),
    "pieces": ("pieces", "销售件数"),
    "orders": ("orders", "订单数"),
    "order": ("the order", "该订单"),
}
_WHY = {
    AwardReason.NO_PLACE: (
        "place {place} with {measure} of {measured}, and {places} places are paid",
        "{measure} {measured}，排名第 {place}，仅奖励前 {places} 名",
    ),
    AwardReason.NOT_FIRST: (
        "another distributor had the first order in channel {scope}",
        "渠道「{scope}」的首单由其他分销商完成",
    ),
    AwardReason.TAKEN: (
        "the first order in channel {scope} was in an earlier period",
        "渠道「{scope}」的首单已在更早的周期完成",
    ),
    AwardReason.RATE_ZERO: (
        "the program sets it to zero for {measure} of {measured}",
        "分销政策对 {measure} {measured} 设定为零",
    ),
    AwardReason.ROUNDED_TO_ZERO: ("{arithmetic} rounds to nothing", "{arithmetic} 四舍五入后为零"),
    AwardReason.OTHER_TIER: (
        "it is not for this distributor's tier at the close",
        "该奖励不适用于分销商在结账时的级别",
    ),
    AwardReason.SUSPENDED: ("this distributor was suspended at the close", "该分销商在结账时处于暂停状态"),
    AwardReason.EXITED: ("this distributor had left at the close", "该分销商在结账时已退出"),
    AwardReason.NOT_ACTIVE: ("this distributor was not active at the close", "该分销商在结账时未处于有效状态"),
}
_BELOW = {
    "order": (
        "the largest order in channel {scope}, {measured}, is below {needed}",
        "渠道「{scope}」最大一单 {measured}，未达到 {needed}",
    ),
    "other": ("{measure} of {measured} are below {needed}", "{measure} {measured}，未达到 {needed}"),
}
_EARNED = {
    "tiered_rebate": (
        "{arithmetic}, as {measure} of {measured} reached {bound}",
        "{arithmetic}，因{measure} {measured} 达到 {bound}",
    ),
    "target_bonus": ("{measure} of {measured} reached {bound}", "{measure} {measured} 达到 {bound}"),
    "event_bonus": (
        "the first order in channel {scope}, of {measured}",
        "渠道「{scope}」首单，金额 {measured}",
    ),
    "ranking_award": (
        "place {place} of {places} with {measure} of {measured}",
        "{measure} {measured}，排名第 {place}（奖励前 {places} 名）",
    ),
}


class Told(Protocol):
    """An award as it was computed, or as it is stored."""

    @property
    def component(self) -> str:
        """The component's key."""

    @property
    def kind(self) -> str:
        """The component's kind."""

    @property
    def scope(self) -> str:
        """The channel of an event bonus."""

    @property
    def tier(self) -> str | None:
        """The holder's tier at the close."""

    @property
    def measured(self) -> int:
        """Minor units, pieces or orders."""

    @property
    def amount_minor(self) -> int:
        """What is paid."""

    @property
    def reason(self) -> AwardReason:
        """Why."""

    @property
    def detail(self) -> Detail:
        """The arithmetic."""


class Arithmetic(NamedTuple):
    """Every number behind an award; None where it plays no part.

    ``measured``, ``reached`` and ``needed`` are minor units, pieces or orders, as ``measure`` says. ``parts`` are pairs
    of an amount in minor units and its rate in basis points.
    """

    measure: str
    measured: int
    reached: int | None
    needed: int | None
    parts: Sequence[tuple[int, int]]
    place: int | None
    places: int | None
    kept_minor: int | None


def arithmetic(award: Told) -> Arithmetic:
    """The award as data."""
    detail = award.detail

    def number(name: str) -> int | None:
        value = detail.get(name)
        return value if isinstance(value, int) else None

    parts = detail.get("parts", ())
    return Arithmetic(
        measure=str(detail["measure"]),
        measured=award.measured,
        reached=number("from"),
        needed=number("needed"),
        parts=() if isinstance(parts, int | str) else [(amount, rate) for amount, rate in parts],
        place=number("place"),
        places=number("places"),
        kept_minor=number("kept"),
    )


def explain(award: Told, language: str, *, program_number: int, currency: str, period: str) -> str:
    """Say in one sentence what the award is and why; ``language`` is ``zh-CN`` or ``en``."""
    chinese = language.lower().startswith("zh")
    locale = "zh-CN" if chinese else "en"

    def money(amount_minor: int) -> str:
        return formatted(amount_minor, currency, locale)

    numbers = arithmetic(award)
    count: Callable[[int], str] = str if numbers.measure in {"pieces", "orders"} else money
    words = {
        "measure": _MEASURES[numbers.measure][chinese],
        "measured": count(award.measured),
        "needed": count(numbers.needed or 0),
        "bound": count(numbers.reached or 0),
        "place": numbers.place,
        "places": numbers.places,
        "scope": award.scope,
        "arithmetic": " + ".join(f"{_percent(rate)} × {money(amount)}" for amount, rate in numbers.parts),
    }
    why = _template(award)[chinese].format(**words)
    name, kept = _NAMES[award.kind][chinese], numbers.kept_minor
    if chinese:
        source = f"分销政策第 {program_number} 版，规则 {award.component}" + (
            f"，级别 {award.tier}" if award.tier else ""
        )
        tail = f"；{money(kept)} 留存公司" if kept else ""
        head = f"{period} {name} {money(award.amount_minor)}" if award.amount_minor else f"{period} 未获{name}"
        return f"{head}：{why}（{source}）{tail}。"
    source = f"program {program_number}, component {award.component}" + (f", tier {award.tier}" if award.tier else "")
    tail = f"; {money(kept)} stay with the company" if kept else ""
    if award.amount_minor:
        return f"{name.capitalize()} of {money(award.amount_minor)} for {period}: {why} ({source}){tail}."
    return f"No {name} for {period}: {why} ({source}){tail}."


def _template(award: Told) -> tuple[str, str]:
    if award.reason is AwardReason.EARNED:
        return _EARNED[award.kind]
    if award.reason is AwardReason.BELOW:
        return _BELOW["order" if award.detail["measure"] == "order" else "other"]
    return _WHY[award.reason]


def _percent(rate_bps: int) -> str:
    return f"{Decimal(rate_bps).scaleb(-2).normalize():f} %"
