"""What statements are called and say on paper, in both languages. Pure."""

from saas.base.errors import Said
from saas.base.money import formatted
from saas.settlement.queries import StatementView

TITLE = Said("Settlement statement", "结算单")
SUMMARY = Said("Settlement", "结算汇总")
PAGE = Said("page {page} of {pages}", "第 {page} 页，共 {pages} 页")
LINES = Said("Commission", "佣金明细")
AWARDS = Said("Rebates and bonuses", "返点与奖励明细")
ADJUSTMENTS = Said("Adjustments", "调整明细")
PENALTIES = Said("Penalties", "处罚明细")
PENALTY = Said("Penalty", "处罚")
LIFTED = Said("Penalty lifted", "撤销处罚")
STATEMENTS = Said("Statements", "结算单列表")

FACTS = {
    "brand": Said("Brand", "品牌方"),
    "distributor": Said("Distributor", "分销商"),
    "number": Said("Number", "编号"),
    "period": Said("Period", "结算期"),
    "from": Said("From (included)", "起（含）"),
    "until": Said("Until (not included)", "止（不含）"),
    "time_zone": Said("Time zone of all moments", "时区（所有时间）"),
    "currency": Said("Currency", "币种"),
    "closed_at": Said("Closed at", "结账时间"),
    "payable_on": Said("Payable on", "应付日期"),
    "opening": Said("Opening balance", "期初余额"),
    "commission": Said("Commission", "佣金"),
    "awards": Said("Rebates and bonuses", "返点与奖励"),
    "adjustments": Said("Adjustments", "调整"),
    "penalties": Said("Penalties, less those lifted", "处罚（已扣除撤销部分）"),
    "other": Said("Returns, write-offs and other movements", "退货追回、核销及其他变动"),
    "payouts": Said("Payouts", "提现"),
    "set_aside": Said("Debt set aside (+) or paid (−)", "欠款转出（＋）或偿还（－）"),
    "closing": Said("Closing balance", "期末余额"),
    "debt": Said("Owed before", "原欠款"),
    "recovered": Said("Recovered", "本期追回"),
    "debt_left": Said("Owed on", "结转欠款"),
    "statements": Said("Statements", "结算单数"),
    "lines": Said("Lines", "明细行数"),
}
LINE_HEAD = (
    Said("Paid at", "支付时间"),
    Said("Order", "订单"),
    Said("SKU", "商品"),
    Said("Component", "组件"),
    Said("Level", "层级"),
    Said("Tier", "级别"),
    Said("Base", "基数"),
    Said("Pieces", "件数"),
    Said("Commission", "佣金"),
)
AWARD_HEAD = (
    Said("Period", "期间"),
    Said("Component", "组件"),
    Said("Tier", "级别"),
    Said("Amount", "金额"),
)
ADJUSTMENT_HEAD = (
    Said("Decided at", "审批时间"),
    Said("Reason", "原因"),
    Said("Reference", "凭据"),
    Said("Amount", "金额"),
)
PENALTY_HEAD = (ADJUSTMENT_HEAD[0], Said("Penalty", "处罚"), *ADJUSTMENT_HEAD[1:])
STATEMENT_HEAD = (
    Said("Number", "编号"),
    Said("Code", "编码"),
    Said("Distributor", "分销商"),
    FACTS["opening"],
    FACTS["commission"],
    FACTS["awards"],
    FACTS["adjustments"],
    Said("Penalties", "处罚"),
    Said("Other", "其他"),
    FACTS["payouts"],
    FACTS["recovered"],
    FACTS["debt_left"],
    FACTS["closing"],
)


def in_language(said: Said, locale: str) -> str:
    """The words for a reader."""
    return said.zh if locale.lower().startswith("zh") else said.en


def recovery_note(view: StatementView, locale: str) -> str | None:
    """The arithmetic of what was taken of a debt; none where nothing was owed."""
    if not view.debt_minor:
        return None

    def shown(amount_minor: int) -> str:
        return formatted(amount_minor, view.currency, locale)

    owed, taken, left = (
        shown(amount) for amount in (view.debt_minor, view.recovered_minor, view.debt_minor - view.recovered_minor)
    )
    earned = shown(view.commission_minor + view.awards_minor + view.adjusted_minor + view.penalties_minor)
    if view.recovery_bps is None:
        limit = Said(f"all of {earned} earned may be taken", f"本期所得 {earned} 可全额抵扣")
    else:
        percent = f"{view.recovery_bps // 100}.{view.recovery_bps % 100:02}".rstrip("0").rstrip(".") + " %"
        limit = Said(f"at most {percent} of {earned} earned may be taken", f"最多抵扣本期所得 {earned} 的 {percent}")
    return in_language(
        Said(
            f"Owed {owed}; {limit.en}: {taken} recovered, {left} owed on.",
            f"原欠款 {owed}；{limit.zh}：本期追回 {taken}，结转欠款 {left}。",
        ),
        locale,
    )
