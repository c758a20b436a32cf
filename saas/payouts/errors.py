"""What payouts refuse."""

from saas.base.errors import DomainError


class BelowMinimumPayout(DomainError):
    """The amount is smaller than the program's minimum, or there is nothing to pay."""

    code = "BELOW_MINIMUM_PAYOUT"
    en = "{amount} {currency} is below the minimum payout of {minimum} {currency}. Wait until the balance has grown."
    zh = "{amount} {currency} 低于最低提现金额 {minimum} {currency}。请待余额增加后再申请。"


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
    """There is no verified bank card to pay to."""

    code = "NO_VERIFIED_DESTINATION"
    en = "No verified bank card to pay to. Add one and have the brand verify it."
    zh = "没有已核验的收款银行卡。请添加并由品牌方核验。"


class DestinationRefused(DomainError):
    """A part of the bank card cannot be right."""

    code = "DESTINATION_REFUSED"
    en = "The {part} is not accepted: {remedy}."
    zh = "{part_zh}不被接受：{remedy_zh}。"


class PayoutStillOpen(DomainError):
    """A payout to the present bank card is under way."""

    code = "PAYOUT_STILL_OPEN"
    en = "A payout to the present bank card is still open. Cancel it or wait for its result, then change the card."
    zh = "当前银行卡仍有未完成的打款。请取消该打款或等待结果后再更换银行卡。"


class NothingToBatch(DomainError):
    """No payout waits that may be paid."""

    code = "NOTHING_TO_BATCH"
    en = "No payout in {currency} is waiting. Request or sweep first."
    zh = "没有待处理的 {currency} 打款。请先申请或批量发起。"


class SecondPersonNeeded(DomainError):
    """Who made the batch may not approve it."""

    code = "SECOND_PERSON_NEEDED"
    en = "You made this batch, so somebody else must approve it. Ask another person of finance."
    zh = "该批次由您创建，须由他人审批。请联系另一位财务人员。"


class CardNeedsSecondPerson(DomainError):
    """Who gave the bank card may not verify it."""

    code = "CARD_NEEDS_SECOND_PERSON"
    en = "You gave this bank card, so somebody else must verify it. Ask another person of finance."
    zh = "该银行卡由您填写，须由他人核验。请联系另一位财务人员。"


class ContradictoryResult(DomainError):
    """The payout has another final result already."""

    code = "CONTRADICTORY_RESULT"
    en = "This payout is {state} already (reference {reference}). Check with the provider; nothing was changed."
    zh = "该打款已为 {state}（参考号 {reference}）。请与服务商核对，未作任何更改。"
