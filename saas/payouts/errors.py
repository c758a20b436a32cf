"""What payouts refuse."""

from saas.base.errors import DomainError


class BelowMinimumPayout(DomainError):
    """The amount is smaller than the program's minimum, or there is nothing to pay."""

    code = "BELOW_MINIMUM_PAYOUT"
    en = "{amount} {currency} is below the minimum payout of {minimum} {currency}. Wait until the balance has grown."
    zh = "{amount} {currency} 低于最低提现金额 {minimum} {currency}。请待余额增加后再申请。"


class AboveMaximumPayout(DomainError):
    """The amount is larger than the program's maximum."""

    code = "ABOVE_MAXIMUM_PAYOUT"
    en = "{amount} {currency} is above the maximum payout of {maximum} {currency}. Ask for less, and again later."
    zh = "{amount} {currency} 超过最高提现金额 {maximum} {currency}。请减少金额，分次申请。"


class NothingLeftToPay(DomainError):
    """Fee and withholding take everything."""

    code = "NOTHING_LEFT_TO_PAY"
    en = "Of {amount} {currency} nothing is left after fee {fee} and withholding {withheld}. Ask for more."
    zh = "{amount} {currency} 扣除手续费 {fee} 和代扣 {withheld} 后没有余额。请申请更大的金额。"


class PayoutsOnHold(DomainError):
    """The distributor's state keeps its money where it is."""

    code = "PAYOUTS_ON_HOLD"
    en = "The distributor is {state}; its payouts are on hold. Ask the brand to lift it."
    zh = "该分销商当前状态为 {state}，打款已暂停。请联系品牌方解除。"


class NoVerifiedDestination(DomainError):
    """There is no verified destination to pay to."""

    code = "NO_VERIFIED_DESTINATION"
    en = "No verified destination to pay to. Add one and have the brand verify it."
    zh = "没有已核验的收款账户。请添加并由品牌方核验。"


class DestinationRefused(DomainError):
    """A part of the destination cannot be right."""

    code = "DESTINATION_REFUSED"
    en = "The {part} is not accepted: {remedy}."
    zh = "{part_zh}不被接受：{remedy_zh}。"


class PayoutStillOpen(DomainError):
    """A payout to the present destination is under way."""

    code = "PAYOUT_STILL_OPEN"
    en = "A payout to the present destination is still open. Cancel it or wait for its result, then change it."
    zh = "当前收款账户仍有未完成的打款。请取消该打款或等待结果后再更换。"


class NothingToBatch(DomainError):
    """No payout waits that may be paid."""

    code = "NOTHING_TO_BATCH"
    en = "No payout in {currency} is waiting that this provider can pay now. Request or sweep first, or wait."
    zh = "没有该服务商可立即支付的 {currency} 打款。请先申请或批量发起，或稍后再试。"


class SecondPersonNeeded(DomainError):
    """Who made the batch may not approve it."""

    code = "SECOND_PERSON_NEEDED"
    en = "You made this batch, so somebody else must approve it. Ask another person of finance."
    zh = "该批次由您创建，须由他人审批。请联系另一位财务人员。"


class CardNeedsSecondPerson(DomainError):
    """Who gave the destination may not verify it."""

    code = "CARD_NEEDS_SECOND_PERSON"
    en = "You gave this destination, so somebody else must verify it. Ask another person of finance."
    zh = "该收款账户由您填写，须由他人核验。请联系另一位财务人员。"


class ContradictoryResult(DomainError):
    """The payout has another final result already."""

    code = "CONTRADICTORY_RESULT"
    en = "This payout is {state} already (reference {reference}). Check with the provider; nothing was changed."
    zh = "该打款已为 {state}（参考号 {reference}）。请与服务商核对，未作任何更改。"


class ProviderNotSetUp(DomainError):
    """The brand has given no account at this provider."""

    code = "PROVIDER_NOT_SET_UP"
    en = "There is no account for the provider {provider}. Have an owner set one with setProviderAccount."
    zh = "尚未设置服务商 {provider} 的账户。请由所有者通过 setProviderAccount 设置。"


class ProviderAccountRefused(DomainError):
    """A part of the account at a provider cannot be right."""

    code = "PROVIDER_ACCOUNT_REFUSED"
    en = "This part of the account at {provider} is not accepted: {remedy}."
    zh = "服务商 {provider} 账户的此项不被接受：{remedy_zh}。"
