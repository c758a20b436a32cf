"""The refusals of the orders room."""

from saas.base.errors import DomainError


class OrderStepRefused(DomainError):
    """The order's state does not allow the step."""

    code = "ORDER_STEP_REFUSED"
    en = "This order is {state}; to {event} it, it must be: {needed}."
    zh = "该订单状态为 {state}，执行 {event} 要求状态为：{needed}。"


class NoLines(DomainError):
    """An order without a line."""

    code = "ORDER_WITHOUT_LINES"
    en = "An order needs 1 to {most} lines; this one has {count}. Correct the lines."
    zh = "一张订单须有 1 至 {most} 行，当前为 {count} 行。请修改订单行。"


class UnknownProduct(DomainError):
    """The brand does not sell this SKU, or no longer."""

    code = "UNKNOWN_PRODUCT"
    en = "SKU {sku} is not for sale. Use the SKU of an active product."
    zh = "SKU {sku} 不在售。请使用在售产品的 SKU。"


class QuantityRefused(DomainError):
    """A quantity below one, or absurdly large."""

    code = "QUANTITY_REFUSED"
    en = "A quantity of {quantity} is not possible. Order 1 to {most} pieces."
    zh = "数量 {quantity} 无效。请填写 1 至 {most}。"


class PriceUnclear(DomainError):
    """A line gives both its unit price and its amount."""

    code = "PRICE_UNCLEAR"
    en = "The line's price is not clear. Give the price of one piece, or the amount of the line, or neither."
    zh = "该行价格不明确。请只填写单价或行金额其中之一，或均留空由系统定价。"


class PriceNotKnown(DomainError):
    """A line without a price, of a product that the program does not price."""

    code = "PRICE_NOT_KNOWN"
    en = "The program has no guide price for SKU {sku}. Give the line's price, or add the product to the price policy."
    zh = "分销政策中没有 SKU {sku} 的指导零售价。请填写该行价格，或在价格政策中加入该产品。"


class ChannelRefused(DomainError):
    """The program sells the product in certain channels only, and this is none of them."""

    code = "CHANNEL_REFUSED"
    en = "SKU {sku} is sold only in these channels: {channels}. Name one of them as the channel."
    zh = "SKU {sku} 仅限以下渠道销售：{channels}。请将其中之一填为渠道。"


class AmountRefused(DomainError):
    """An amount below the least that is possible, or beyond what is stored."""

    code = "AMOUNT_REFUSED"
    en = "An amount of {amount} {currency} is not possible. Give {least} to {most} {currency}."
    zh = "金额 {amount} {currency} 无效。请填写 {least} 至 {most} {currency}。"


class PriceOutsideBand(DomainError):
    """The program refuses what was paid for the line; ``least`` and ``most`` are what it allows for the quantity."""

    code = "PRICE_OUTSIDE_BAND"
    en = "{amount} {currency} for {quantity} × {sku} is outside the allowed band. Charge {least} to {most} {currency}."
    zh = "{quantity} × {sku} 的金额 {amount} {currency} 超出允许范围。请按 {least} 至 {most} {currency} 收取。"


class SellerNotActive(DomainError):
    """Who has applied, is suspended or has left sells nothing."""

    code = "SELLER_NOT_ACTIVE"
    en = "The seller {code} is {state} and cannot sell. Name an active distributor as seller."
    zh = "销售者 {code} 当前状态为 {state}，不能销售。请指定状态为有效的分销商。"


class TextRefused(DomainError):
    """A name, number or note nobody could read back."""

    code = "TEXT_REFUSED"
    en = "The {what} must be 1 to {longest} visible characters. Correct it or leave it out."
    zh = "{what} 须为 1 至 {longest} 个可见字符。请修改或留空。"


class NumberTaken(DomainError):
    """Another order of the brand has this number."""

    code = "ORDER_NUMBER_TAKEN"
    en = "The order number {number} is taken. Choose another, or leave it out to be given one."
    zh = "订单号 {number} 已被使用。请更换，或留空由系统生成。"


class TraceCodeRefused(DomainError):
    """A trace code nobody could scan or type again."""

    code = "TRACE_CODE_REFUSED"
    en = "{value} is no trace code. Give 1 to {longest} letters, digits or marks without spaces, commas and semicolons."
    zh = "{value} 不是有效的溯源码。请填写 1 至 {longest} 个字母、数字或符号，不含空格、逗号和分号。"


class TraceCodesTooMany(DomainError):
    """More trace codes than a line has pieces, or an order may have."""

    code = "TRACE_CODES_TOO_MANY"
    en = "{count} trace codes are too many here. Give at most {most}: one for an item or a box of the line."
    zh = "此处有 {count} 个溯源码，数量过多。请最多填写 {most} 个：该行每件或每箱一个。"


class TraceCodeTaken(DomainError):
    """A trace code names one item or box, and this one is on another line."""

    code = "TRACE_CODE_TAKEN"
    en = "The trace code {value} is on another line. Correct it, or first have that order cancelled or returned."
    zh = "溯源码 {value} 已用于其他订单行。请修改，或先取消该订单或办理其退货。"


class TraceCodeNotBack(DomainError):
    """A trace code that is on no line of the return, or one more than pieces come back."""

    code = "TRACE_CODE_NOT_BACK"
    en = "The trace code {value} is none of the pieces that come back. Name codes of its lines, one for a piece."
    zh = "溯源码 {value} 不属于本次退回的商品。请填写退货行上的溯源码，每件至多一个。"


class DatesRefused(DomainError):
    """Moments in the wrong order, without a time zone, or in the future."""

    code = "ORDER_DATES_REFUSED"
    en = "{what} cannot be {moment}. Give past moments in the order placed, paid, shipped, delivered."
    zh = "{what} 不能为 {moment}。请按下单、付款、发货、签收的顺序填写已发生的时间。"


class PaidBeforeChange(DomainError):
    """A payment of the past, of before the program, the tree or a tier changed: what held then is not known."""

    code = "PAID_BEFORE_CHANGE"
    en = "Paid at {moment}, before the last change of program, upline or tier. Give {earliest} or a later moment."
    zh = "付款时间 {moment} 早于政策、上级或等级的最近一次变更。请填写 {earliest} 或之后的时间。"


class ReservedForBrand(DomainError):
    """A field that a distributor may not fill: it would decide over its own order."""

    code = "RESERVED_FOR_BRAND"
    en = "Only the brand sets {what}. Leave it out."
    zh = "只有品牌方可以设置 {what}。请留空。"


class LeadsNotShared(DomainError):
    """The order names who serves the customer's region, and the program shares no cross-region leads."""

    code = "LEADS_NOT_SHARED"
    en = "The program shares no cross-region leads. Leave this out, or set territory.cross_region_lead in the program."
    zh = "分销政策未启用跨区线索分成。请留空，或在政策中设置 territory.cross_region_lead。"


class PartnerRefused(DomainError):
    """A sale is shared with another active distributor only, and none that the seller makes to itself."""

    code = "PARTNER_REFUSED"
    en = "The sale cannot be shared with {code}. Name another active distributor, and on no self purchase."
    zh = "该销售不能与 {code} 分成。请指定另一位状态为有效的分销商；自购订单不可分成。"


class PriceCaseClosed(DomainError):
    """The price case was decided before."""

    code = "PRICE_CASE_CLOSED"
    en = "This price case is closed already. Nothing needs to be done."
    zh = "该价格案件已关闭，无需再处理。"
