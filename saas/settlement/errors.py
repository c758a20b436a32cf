"""What settlement refuses."""

from saas.base.errors import DomainError


class NothingToSettle(DomainError):
    """Nothing was ever settled, no hold has an end yet and nothing was decided: there is no first period to close."""

    code = "NOTHING_TO_SETTLE"
    en = "No commission falls due yet, so there is no first period to close. Close it once an order was delivered."
    zh = "尚无到期的佣金，没有可结账的首个结算期。请在有订单签收后再结账。"


class PeriodOutOfOrder(DomainError):
    """An earlier period is still open, or this one lies before the first that was settled."""

    code = "PERIOD_OUT_OF_ORDER"
    en = "The next period to close is {label}. Close it first, with a day that lies in it."
    zh = "下一个应结账的结算期为 {label}。请先以其中的某一天结账该期。"


class AdjustmentRefused(DomainError):
    """An amount of nothing, or one beyond measure."""

    code = "ADJUSTMENT_REFUSED"
    en = "{amount} is no amount to adjust by. Give one above or below zero, of at most {most}."
    zh = "{amount} 不是有效的调整金额。请填写不为零且绝对值不超过 {most} 的金额。"


class PenaltyRefused(DomainError):
    """A penalty that takes nothing, gives, or is beyond measure."""

    code = "PENALTY_REFUSED"
    en = "{amount} is no amount of a penalty. Give what it takes, above zero and at most {most}; lift one to give back."
    zh = "{amount} 不是有效的处罚金额。请填写大于零且不超过 {most} 的扣款金额；退还处罚请使用撤销。"


class PenaltyLifted(DomainError):
    """A penalty is given back once; somebody asked for that already."""

    code = "PENALTY_LIFTED"
    en = "Lifting this penalty was asked for already. Leave it out, or have the earlier request decided."
    zh = "该处罚已有撤销申请。请勿重复提交，或先审批已有的申请。"


class AccountClosed(DomainError):
    """The exit of a distributor is closed, so no further statement could carry an amount."""

    code = "ACCOUNT_CLOSED"
    en = (
        "The exit of {code} is closed and its final statement made. Leave it out and settle with it outside the ledger."
    )
    zh = "{code} 的清退已关闭，最终结算单已出具。请从本次请求中移除，并在系统账外与其结清。"


class AdjustmentNeedsSecondPerson(DomainError):
    """Whoever asked for it may not decide it."""

    code = "ADJUSTMENT_NEEDS_SECOND_PERSON"
    en = "You asked for this adjustment yourself. Let another person of the brand decide it."
    zh = "该调整由您本人申请。请由品牌方的其他人员审批。"


class DocumentTooLong(DomainError):
    """More lines than a document of that form can have."""

    code = "DOCUMENT_TOO_LONG"
    en = "There are {lines} lines, and a {form} holds {most}. Ask for CSV, or for single statements."
    zh = "共有 {lines} 行，{form} 最多容纳 {most} 行。请改用 CSV，或按单张结算单导出。"
