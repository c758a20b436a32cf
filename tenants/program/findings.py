"""Findings: what is wrong or doubtful in a program document, where, and what to write instead, in both languages."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps a program from being activated; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """That an operator of the platform let an objection pass, with the reason that stands in the brand's audit log."""

    operator: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark on a document.

    ``path`` names the place (``commission.components[0].levels[2].rate_bps``; empty is the whole document), ``code`` is
    stable. ``rule`` is set when a compliance profile objects, and names the profile's rule; ``overridable`` tells
    whether an operator may let that pass, ``overridden`` that one did, which made a warning of an error.
    """

    path: str
    severity: Severity
    code: str
    en: str
    zh: str
    rule: str | None = None
    overridable: bool = False
    overridden: Overridden | None = None

    def message(self, language: str = "en") -> str:
        """The sentence in ``en`` or ``zh-CN``."""
        return self.zh if language.lower().startswith("zh") else self.en


_E, _W = Severity.ERROR, Severity.WARNING

CATALOGUE: dict[str, tuple[Severity, str, str]] = {
    # the text of the document
    "NOT_READABLE": (_E, "The document cannot be read: {why}.", "无法读取文档：{why}。"),
    "TOO_LARGE": (
        _E,
        "The document has {size} characters; at most {limit} are read.",
        "文档有 {size} 个字符，最多读取 {limit} 个。",
    ),
    "DUPLICATE_KEY": (
        _E,
        "The key {key} appears twice; keep one of them.",
        "键 {key} 重复出现，请只保留一个。",
    ),
    "NOT_PLAIN_DATA": (
        _E,
        "Anchors, aliases, tags and several documents are not read; write the values out in one document.",
        "不支持锚点、别名、标签或多个文档，请在一个文档中直接写出各值。",
    ),
    # the structure
    "UNKNOWN_KEY": (
        _E,
        "There is no setting {key}{hint}. Remove or rename it.",
        "没有名为 {key} 的设置{hint}。请删除或更名。",
    ),
    "MISSING_KEY": (_E, "The setting {key} is missing; add it.", "缺少设置 {key}，请补上。"),
    "WRONG_TYPE": (_E, "{value} is not {expected}.", "{value} 不是{expected}。"),
    "UNKNOWN_CHOICE": (_E, "{value} is not one of {choices}{hint}.", "{value} 不在可选值 {choices} 之中{hint}。"),
    "OUT_OF_RANGE": (
        _E,
        "{value} is out of range; the closest allowed value is {closest}.",
        "{value} 超出范围，最接近的允许值为 {closest}。",
    ),
    "BAD_TEXT": (
        _E,
        "{value} does not have the form required here: {form}.",
        "{value} 不符合此处要求的格式：{form}。",
    ),
    "BAD_LENGTH": (
        _E,
        "This has {length} entries or characters; the closest allowed number is {closest}.",
        "此处有 {length} 项或字符，最接近的允许数量为 {closest}。",
    ),
    "INVALID_VALUE": (_E, "{value} is not accepted: {why}.", "{value} 不被接受：{why}。"),
    # the sense
    "CURRENCY_UNKNOWN": (
        _E,
        "{value} is no currency of ISO 4217; write e.g. CNY.",
        "{value} 不是 ISO 4217 货币代码，例如可写 CNY。",
    ),
    "DUPLICATE_CODE": (_E, "{value} is used twice; codes are unique.", "{value} 重复使用；代码必须唯一，请更换其一。"),
    "UNKNOWN_TIER": (
        _E,
        "There is no tier {value}{hint}; add it to tiers or correct the code.",
        "没有级别 {value}{hint}；请在 tiers 中添加或更正代码。",
    ),
    "LEVEL_UNIT": (
        _E,
        "A level has either rate_bps or per_piece_minor; give exactly one.",
        "每一层只能填 rate_bps 或 per_piece_minor 其中之一，请恰好填写一个。",
    ),
    "RATE_ABOVE_WHOLE": (
        _E,
        "{value} bps is above the whole; the closest allowed value is 10000.",
        "{value} 个基点超过 100 %；最接近的允许值为 10000。",
    ),
    "LEVELS_BEYOND_PAID_LEVELS": (
        _E,
        "{count} levels are listed from the seller, hierarchy.paid_levels allows {limit}: raise it or remove the last.",
        "自销售者起列出了 {count} 层，而 hierarchy.paid_levels 只允许 {limit} 层：请提高该设置或删去最后几层。",
    ),
    "OVERRIDE_BEYOND_TABLE": (
        _E,
        "The override lists {count} levels, the table has {limit}: remove the last or add levels to the table.",
        "该覆盖值列出 {count} 层，而表中只有 {limit} 层：请删去多余的，或在表中增加层级。",
    ),
    "RATES_EXCEED_WHOLE": (
        _E,
        "The rates that can apply to {what} add up to {sum} bps, above 10000; lower them by {excess} bps.",
        "可同时适用于{what}的比例合计 {sum} 个基点，超过 10000；请合计降低 {excess} 个基点。",
    ),
    "RATES_MAY_EXCEED_WHOLE": (
        _W,
        "Should {what} exist, its rates add up to {sum} bps, {excess} above the whole, and shares would shrink.",
        "若存在{what}，其比例合计 {sum} 个基点，超过 10000，佣金将按比例缩减；超出 {excess} 个基点。",
    ),
    "FIXED_EXCEEDS_PRICE": (
        _W,
        "{sum} minor units a piece are promised, only {limit} may be paid out at the lowest allowed price, and shares "
        "would shrink. Lower them to {limit} in all.",
        "每件承诺佣金合计 {sum}（最小货币单位），按最低允许价格最多只能支付 {limit}，"
        "佣金将按比例缩减。请将合计降至 {limit}。",
    ),
    "FIXED_TWICE": (
        _W,
        "{value} already has a fixed amount in {other}, which comes first and wins; remove one of them.",
        "{value} 已在 {other} 中设定固定金额，以靠前者为准；请删去其一。",
    ),
    "NEVER_IN_EFFECT": (
        _E,
        "effective_until {until} is not after effective_from {start}; give a later day or null.",
        "effective_until {until} 不晚于 effective_from {start}；请填写更晚的日期或 null。",
    ),
    "NOBODY_EARNS": (
        _W,
        "No component pays anybody; add one if that is not meant.",
        "没有任何组成部分支付佣金；若非本意，请添加。",
    ),
    "PAID_LEVELS_BEYOND_DEPTH": (
        _W,
        "Commission may reach {paid} levels, the tree has {depth} generations at most; {depth} would do.",
        "佣金可达 {paid} 层，而层级深度最多 {depth} 代；填 {depth} 即可。",
    ),
    "LEVEL_NAMES_BEYOND_DEPTH": (
        _W,
        "{count} generations are named, the tree has {depth} at most; remove the last names.",
        "命名了 {count} 代，而层级深度最多 {depth} 代；请删去最后的名称。",
    ),
    "PURCHASE_ABOVE_GUIDE": (
        _E,
        "The purchase price {value} is above the guide price; the closest allowed value is {closest}.",
        "进货价 {value} 高于指导零售价；最接近的允许值为 {closest}。",
    ),
    "PURCHASE_PRICE_RISES": (
        _W,
        "Tier {tier} pays {value}, more than {below} of the lower tier {lower}; check the two.",
        "级别 {tier} 的进货价 {value} 高于较低级别 {lower} 的 {below}；请核对。",
    ),
    "NOTHING_LEFT_TO_PAY": (
        _E,
        "Fee and withholding together are {sum} bps; at most 10000. Lower one of them by {excess} bps.",
        "手续费与预扣合计 {sum} 个基点，最多 10000。请将其一降低 {excess} 个基点。",
    ),
    # the compliance profile; the sentence is the profile's own
    "COMPLIANCE": (_E, "{text}", "{text}"),
    "PAYOUT_UNKNOWN": (
        _W,
        "The share paid out on {what} cannot be judged: give it a guide price, or set commission.cap_bps.",
        "无法判断{what}的佣金占比：请为其设置指导零售价，或设置 commission.cap_bps。",
    ),
}
"""Every code with its severity and its sentences; a parameter ending in ``_zh`` replaces its namesake in Chinese."""


def finding(path: str, code: str, **params: object) -> Finding:
    """Make a finding of the catalogue; ``what`` and ``what_zh`` give a parameter its own Chinese text."""
    severity, en, zh = CATALOGUE[code]
    chinese = params | {key.removesuffix("_zh"): value for key, value in params.items() if key.endswith("_zh")}
    return Finding(path=path, severity=severity, code=code, en=en.format(**params), zh=zh.format(**chinese))


def path_of(steps: Iterable[str | int]) -> str:
    """Write a place in the document as a path: ``price_policy.products["SKU-1"].guide_price_minor``."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_]\w*", step, re.ASCII):
            path += f".{step}" if path else step
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            path += f'["{quoted}"]'
    return path


def errors_in(findings: Sequence[Finding]) -> list[Finding]:
    """Those that keep a program from being activated."""
    return [item for item in findings if item.severity is Severity.ERROR]
