"""A share in one sentence for people, in Chinese or English, and as data for machines (docs/rules.md §3, last part).

Made from the stored columns alone, whatever has become of the program or the tree since.
"""

from decimal import Decimal

from saas.base.money import formatted
from saas.commissions.shares import LEAD, SAME_TIER, SPLIT, Outcome, Reason, Share

_WHY = {
    Reason.NO_SELLER: ("the brand itself sold", "由品牌方直接销售"),
    Reason.NO_UPLINE: ("there is no upline at this level", "该层没有上级"),
    Reason.SUSPENDED: ("this distributor was suspended at the sale", "该分销商在成交时已被暂停"),
    Reason.EXITED: ("this distributor had left at the sale", "该分销商在成交时已退出"),
    Reason.NOT_ACTIVE: ("this distributor was not active at the sale", "该分销商在成交时未处于有效状态"),
    Reason.SELF_PURCHASE: (
        "the program pays the seller nothing on its own purchases",
        "分销政策规定自购不向销售者本人计佣",
    ),
    Reason.NOT_QUALIFIED: (
        "its own sales of {sold} in the period are below the {needed} that the program asks of an upline",
        "其本期自身销售额 {sold} 未达到分销政策对上级要求的 {needed}",
    ),
    Reason.RATE_ZERO: ("the rate is zero", "比例为零"),
    Reason.NO_BASE: ("there is nothing to apply the rate to on this line", "该行没有可计佣的基数"),
    Reason.ROUNDED_TO_ZERO: ("the share rounds to nothing", "金额四舍五入后为零"),
    Reason.CAPPED_TO_ZERO: ("the limit on the line's payout left nothing", "受该行支付上限所限，缩减后为零"),
    Reason.NO_DIFFERENCE: (
        "its rate of {own} is not above the {below} reached below it",
        "其级别比例 {own} 不高于下方已达到的 {below}",
    ),
    Reason.LEAD_TO_PARTNER: (
        "the whole {whole} goes to the distributor of the customer's region",
        "全部 {whole} 归客户所在区域的分销商",
    ),
    Reason.SUSPENDED_PASSED_OVER: (
        "suspended at the sale, so the level passes to the next active upline",
        "成交时已被暂停，该层顺延给更上一级有效上级",
    ),
    Reason.EXITED_PASSED_OVER: (
        "had left at the sale, so the level passes to the next active upline",
        "成交时已退出，该层顺延给更上一级有效上级",
    ),
    Reason.NOT_ACTIVE_PASSED_OVER: (
        "not active at the sale, so the level passes to the next active upline",
        "成交时未处于有效状态，该层顺延给更上一级有效上级",
    ),
    Reason.FIXED_INSTEAD: (
        "a fixed amount for the product takes its place; the pieces count",
        "该产品按固定金额计佣，不适用本规则；件数照计",
    ),
    Reason.NO_COMPONENT: ("no component of the program covers this product", "分销政策中没有适用于该产品的佣金规则"),
    Reason.BEYOND_PAID_LEVELS: (
        "commission does not reach this level, nor those above",
        "佣金不及于该层及更上层",
    ),
}
_TAIL = {
    Reason.MOVED_UP: (
        ", moved up in place of an upline that was not active",
        "；因下方上级未处于有效状态而递补至该层",
    ),
}
_LIMITED = (", reduced from {full} by the limit on the line's payout", "；因该行支付上限由 {full} 按比例缩减")
_WITHIN = (
    ", reduced from {full} so that the shares of all tiers together stay within the highest rate",
    "；各级别合计不超过最高比例，故由 {full} 缩减",
)
_KEPT = ("; {full} stay with the company", "；{full} 留存公司")
_SPLIT = (
    ", {percent} of the {whole} shared with the distributor of the customer's region",
    "；与客户所在区域的分销商分享 {whole}，销售者得 {percent}",
)


class _Speaker:
    """Numbers in the reader's language."""

    def __init__(self, language: str, currency: str) -> None:
        self.chinese = language.lower().startswith("zh")
        self.locale = "zh-CN" if self.chinese else "en"
        self.currency = currency

    def money(self, amount_minor: int | None) -> str:
        return formatted(amount_minor or 0, self.currency, self.locale)

    def say(self, en: str, zh: str) -> str:
        return zh if self.chinese else en


def explain(share: Share, language: str, *, program_number: int, currency: str) -> str:
    """Say in one sentence what the share is and why; ``language`` is ``zh-CN`` or ``en``.

    Program number 0 is a program that was never saved.
    """
    to = _Speaker(language, currency)
    source, who = _source(share, program_number, to.chinese), _who(share, to)
    if share.outcome is not Outcome.EARNED:
        why = _why(share, to)
        kept = share.outcome is Outcome.KEPT and bool(share.full_minor)
        tail = _KEPT[to.chinese].format(full=to.money(share.full_minor)) if kept else ""
        return to.say(f"{who} earned nothing: {why} ({source}){tail}.", f"{who}未获佣金：{why}（{source}）{tail}。")
    amount, value, tail = to.money(share.amount_minor), _value(share, to), _tail(share, to)
    return to.say(
        f"{who} earned {amount}: {value} ({source}){tail}.", f"{who}获得佣金 {amount}：{value}（{source}）{tail}。"
    )


def as_data(share: Share, *, program_number: int, currency: str) -> dict[str, object]:
    """The share for a machine: every number of the arithmetic, amounts in minor units; ``None`` where there is none."""
    numbers = share.arithmetic
    return {
        "component": share.component or None,
        "programNumber": program_number,
        "level": share.level,
        "beneficiaryId": str(share.beneficiary_id) if share.beneficiary_id else None,
        "tier": share.tier,
        "rateBps": share.rate_bps,
        "perPieceMinor": share.per_piece_minor,
        "baseMinor": share.base_minor,
        "quantity": share.quantity,
        "fullMinor": share.full_minor,
        "amountMinor": share.amount_minor,
        "currency": currency,
        "outcome": share.outcome.value,
        "reason": share.reason.value,
        "piecesBefore": numbers.pieces_before,
        "madeUpMinor": numbers.made_up_minor,
        "lifts": [{"pieces": pieces, "extraMinor": extra} for pieces, extra in numbers.lifts],
        "ownRateBps": numbers.own_rate_bps,
        "rateBelowBps": numbers.rate_below_bps,
        "ownSalesMinor": numbers.own_sales_minor,
        "neededSalesMinor": numbers.needed_minor,
        "splitBps": numbers.split_bps,
        "wholeMinor": numbers.whole_minor,
    }


def _who(share: Share, to: _Speaker) -> str:
    if share.component.endswith(LEAD):
        return to.say("The distributor of the customer's region", "客户所在区域的分销商")
    if share.level == 0:
        return to.say("The seller (level 0)", "销售者（第 0 层）")
    return to.say(f"Upline level {share.level}", f"第 {share.level} 层上级")


def _source(share: Share, program_number: int, chinese: bool) -> str:
    version = f"分销政策第 {program_number} 版" if chinese else f"program {program_number}"
    unsaved = "未保存的分销政策" if chinese else "an unsaved program"
    parts = [version if program_number else unsaved]
    if share.component:
        parts.append(f"规则 {share.component}" if chinese else f"component {share.component}")
    if share.tier is not None:
        parts.append(f"级别 {share.tier}" if chinese else f"tier {share.tier}")
    return ("，" if chinese else ", ").join(parts)


def _why(share: Share, to: _Speaker) -> str:
    numbers = share.arithmetic
    return _WHY[share.reason][to.chinese].format(
        sold=to.money(numbers.own_sales_minor),
        needed=to.money(numbers.needed_minor),
        own=_percent(numbers.own_rate_bps),
        below=_percent(numbers.rate_below_bps),
        whole=to.money(numbers.whole_minor),
    )


def _tail(share: Share, to: _Speaker) -> str:
    """What happened to the share after its own arithmetic."""
    numbers = share.arithmetic
    split = share.reason in SPLIT
    amount = numbers.whole_minor if split else share.amount_minor
    tail = _TAIL.get(share.reason, ("", ""))[to.chinese]
    if amount is not None and amount < share.full_minor:
        limited = _WITHIN if share.reason is Reason.WITHIN_TOP_RATE else _LIMITED
        tail += limited[to.chinese].format(full=to.money(share.full_minor))
    if split:
        tail += _SPLIT[to.chinese].format(percent=_percent(numbers.split_bps), whole=to.money(amount))
    return tail


def _value(share: Share, to: _Speaker) -> str:
    """The arithmetic of the full amount."""
    numbers, base = share.arithmetic, to.money(share.base_minor)
    if share.component.endswith(LEAD):
        whole, percent = to.money(numbers.whole_minor), _percent(numbers.split_bps)
        return to.say(f"{percent} of the seller's {whole}", f"销售者佣金 {whole} 的 {percent}")
    if share.per_piece_minor is not None:
        return _pieces(share, to)
    percent = _percent(share.rate_bps)
    if share.component.endswith(SAME_TIER):
        return to.say(f"same-tier bonus, {percent} × {base}", f"平级奖，{percent} × {base}")
    if numbers.rate_below_bps:
        percent = f"{_percent(numbers.own_rate_bps)} − {_percent(numbers.rate_below_bps)} = {percent}"
    return f"{percent} × {base}"


def _pieces(share: Share, to: _Speaker) -> str:
    """``5 × ¥20.00 + 3 × ¥2.00 = ¥106.00``, and how many pieces the period had before.

    After orders were undone there may be a lift of pieces before to make up for.
    """
    terms = f"{share.quantity} × {to.money(share.per_piece_minor)}"
    for pieces, extra in share.lifts:
        terms += f" {'+' if pieces > 0 else '−'} {abs(pieces)} × {to.money(extra)}"
    made_up = share.arithmetic.made_up_minor
    if made_up:
        terms += f" {'+' if made_up > 0 else '−'} {to.money(abs(made_up))}"
        terms += (
            to.say(" for pieces before", "（补足此前件数）") if made_up > 0 else to.say(" had before", "（此前已得）")
        )
    if share.lifts or made_up:
        terms += f" = {to.money(share.full_minor)}"
    before = share.arithmetic.pieces_before
    if before is None:
        return terms
    return terms + to.say(f", after {before} pieces in the period", f"，此前本期已售 {before} 件")


def _percent(bps: int | None) -> str:
    return f"{Decimal(bps or 0).scaleb(-2).normalize():f} %"
