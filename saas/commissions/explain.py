"""A share in one sentence for people, in Chinese or English, and as data for machines (docs/rules.md §3, last part).

Made from the stored columns alone, whatever has become of the program or the tree since.
"""

from decimal import Decimal

from saas.base.money import formatted
from saas.commissions.rules import Outcome, Reason, Share

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
    Reason.RATE_ZERO: ("the rate is zero", "比例为零"),
    Reason.ROUNDED_TO_ZERO: ("the share rounds to nothing", "金额四舍五入后为零"),
    Reason.CAPPED_TO_ZERO: ("the limit on the line's payout left nothing", "受该行支付上限所限，缩减后为零"),
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


def explain(share: Share, language: str, *, program_number: int, currency: str) -> str:
    """Say in one sentence what the share is and why; ``language`` is ``zh-CN`` or ``en``."""
    chinese = language.lower().startswith("zh")
    locale = "zh-CN" if chinese else "en"

    def money(amount_minor: int) -> str:
        return formatted(amount_minor, currency, locale)

    source = _source(share, program_number, chinese)
    if share.outcome is not Outcome.EARNED:
        why = _WHY[share.reason][chinese]
        kept = share.outcome is Outcome.KEPT and bool(share.full_minor)
        if chinese:
            tail = f"；{money(share.full_minor)} 留存公司" if kept else ""
            return f"{_level(share, chinese)}未获佣金：{why}（{source}）{tail}。"
        tail = f"; {money(share.full_minor)} stay with the company" if kept else ""
        return f"{_level(share, chinese)} earned nothing: {why} ({source}){tail}."
    tail = _TAIL.get(share.reason, ("", ""))[chinese]
    if share.amount_minor < share.full_minor:
        tail += _LIMITED[chinese].format(full=money(share.full_minor))
    value = _value(share, currency, locale)
    if chinese:
        return f"{_level(share, chinese)}获得佣金 {money(share.amount_minor)}：{value}（{source}）{tail}。"
    return f"{_level(share, chinese)} earned {money(share.amount_minor)}: {value} ({source}){tail}."


def as_data(share: Share, *, program_number: int, currency: str) -> dict[str, str | int | None]:
    """The share for a machine: every number of the arithmetic, amounts in minor units."""
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
    }


def _level(share: Share, chinese: bool) -> str:
    if share.level == 0:
        return "销售者（第 0 层）" if chinese else "The seller (level 0)"
    return f"第 {share.level} 层上级" if chinese else f"Upline level {share.level}"


def _source(share: Share, program_number: int, chinese: bool) -> str:
    parts = [f"分销政策第 {program_number} 版" if chinese else f"program {program_number}"]
    if share.component:
        parts.append(f"规则 {share.component}" if chinese else f"component {share.component}")
    if share.tier is not None:
        parts.append(f"级别 {share.tier}" if chinese else f"tier {share.tier}")
    return ("，" if chinese else ", ").join(parts)


def _value(share: Share, currency: str, locale: str) -> str:
    if share.per_piece_minor is not None:
        each = formatted(share.per_piece_minor, currency, locale)
        return f"{share.quantity} × {each}"
    percent = f"{Decimal(share.rate_bps or 0).scaleb(-2).normalize():f} %"
    return f"{percent} × {formatted(share.base_minor, currency, locale)}"
