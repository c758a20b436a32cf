"""What returns refuse."""

from saas.base.errors import DomainError


class ReturnWindowOver(DomainError):
    """The time to send the goods back is over; the brand may still take them, with a reason."""

    code = "RETURN_WINDOW_OVER"
    en = "SKU {sku} could be returned until {until}. The brand may take it later, with a reason (overrideReason)."
    zh = "SKU {sku} 的退货期限为 {until}。品牌方可填写原因（overrideReason）后受理逾期退货。"


class ReturnTooMany(DomainError):
    """More pieces than were sold and are not in a return yet, or none at all."""

    code = "RETURN_TOO_MANY"
    en = "{quantity} pieces of SKU {sku} cannot be returned; {left} can. Correct the quantity."
    zh = "SKU {sku} 无法退 {quantity} 件，最多可退 {left} 件。请修改数量。"


class ReturnLineTwice(DomainError):
    """One line of the order is named twice."""

    code = "RETURN_LINE_TWICE"
    en = "Line {line} is named twice. Name each line of the order once, with all of its pieces."
    zh = "第 {line} 行重复。请每行只填写一次，并写明全部件数。"


class NothingToReturn(DomainError):
    """No line is named, or everything was returned already."""

    code = "NOTHING_TO_RETURN"
    en = "There is nothing to return: no line is named, or everything is in a return already. Name a line that is left."
    zh = "没有可退的商品：未选择订单行，或全部商品已在退货中。请选择尚可退货的订单行。"


class FreightTooMuch(DomainError):
    """More freight than the order paid and is not refunded yet."""

    code = "REFUND_FREIGHT_TOO_MUCH"
    en = "Of the freight {left} can be refunded, not {asked}. Refund at most what is left."
    zh = "运费最多可退 {left}，无法退 {asked}。请填写不超过余额的金额。"


class ExchangeGiven(DomainError):
    """The return has its new order already."""

    code = "RETURN_EXCHANGED"
    en = "This return was exchanged for another order already. See the order it names."
    zh = "该退货已换货，请查看其关联的新订单。"


class ExchangeOfOther(DomainError):
    """The new order is somebody else's."""

    code = "RETURN_EXCHANGE_SELLER"
    en = "An exchange is sold by who sold the order that comes back. Name the same seller."
    zh = "换货订单须由原订单的卖方销售。请填写同一卖方。"


class NothingOwed(DomainError):
    """The settled balance is not negative by so much."""

    code = "NOTHING_OWED"
    en = "{owed} {currency} are owed; {asked} cannot be written off. Write off at most what is owed."
    zh = "欠款为 {owed} {currency}，无法核销 {asked}。请填写不超过欠款的金额。"


class WriteOffNeedsSecondPerson(DomainError):
    """Whoever asked for it may not approve it."""

    code = "WRITE_OFF_NEEDS_SECOND_PERSON"
    en = "You asked for this write-off yourself. Let another person of the brand approve it."
    zh = "该核销由您本人申请。请由品牌方的其他人员批准。"
