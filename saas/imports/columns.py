"""The columns of the tables that a brand brings in, with their names in both languages. Pure.

A header may be the column's key, or its title in Chinese or English, in any case, with a star for what is required.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import normalize

from saas.base.errors import Said
from saas.base.sheets import csv_text


class ImportKind(StrEnum):
    """What the rows of a file are."""

    ORDERS = "orders"
    RETURNS = "returns"


class Form(StrEnum):
    """How a cell is written."""

    TEXT = "text"
    INTEGER = "integer"
    AMOUNT = "amount"
    MOMENT = "moment"
    FLAG = "flag"


FORMS: Mapping[Form, Said] = {
    Form.TEXT: Said("text", "文本"),
    Form.INTEGER: Said("a whole number", "整数"),
    Form.AMOUNT: Said("an amount such as 1234.50, in the brand's currency", "金额，例如 1234.50，以品牌币种计"),
    Form.MOMENT: Said(
        "a day such as 2026-03-15, or a moment such as 2026-03-15 14:30, in the brand's time zone",
        "日期（例如 2026-03-15）或时间（例如 2026-03-15 14:30），以品牌时区计",
    ),
    Form.FLAG: Said("yes or no", "是或否"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column. ``of_line``: it may differ between the rows of one order or return; all others are said once."""

    key: str
    title: Said
    note: Said
    example: str
    form: Form = Form.TEXT
    required: bool = False
    of_line: bool = False

    def header(self, language: str) -> str:
        """What stands in a template's first line."""
        return self.title.zh if language.lower().startswith("zh") else self.title.en

    @property
    def names(self) -> frozenset[str]:
        """Every way to name it, as ``plain`` writes them."""
        return frozenset(map(plain, (self.key, self.title.en, self.title.zh)))


_SAID_ONCE, _OF_LINE = False, True

_PRICE = Said(
    "Give the unit price or the amount, or neither: then the program prices the line.",
    "单价与金额任填其一；均不填则按政策定价。",
)
_ORDER_NOTES: Mapping[str, Said] = {
    "order_number": Said(
        "Rows with the same number are one order. Without it each row is an order.",
        "订单号相同的行为同一订单；不填则每行为一个订单。",
    ),
    "unit_price": _PRICE,
    "amount": _PRICE,
    "trace_codes": Said(
        "The codes on its items or boxes, parted by spaces, commas or semicolons.",
        "商品或箱上的溯源码，以空格、逗号或分号分隔。",
    ),
    "region": Said("A code of GB/T 2260.", "GB/T 2260 行政区划代码。"),
    "served_by": Said("The distributor of the customer's region.", "客户所在地区的分销商。"),
    "paid_at": Said("A paid order earns commission.", "已付款的订单产生佣金。"),
}
_RETURN_NOTES: Mapping[str, Said] = {
    "return_number": Said(
        "Rows with the same number are one return. Without it each row is a return.",
        "退货单号相同的行为同一退货；不填则每行为一个退货。",
    ),
    "sku": Said("Without it all that is left of the order comes back.", "不填则退回订单的全部剩余商品。"),
    "line": Said("Needed where one SKU stands in several lines.", "同一商品有多行时填写。"),
    "quantity": Said("Needed with an SKU.", "填写商品编码时必填。"),
    "state": Said(
        "How far it is: requested, approved, received (the default) or refunded.",
        "进度：申请、同意、收货（默认）或退款。",
    ),
    "freight": Said("With the state refunded.", "状态为退款时填写。"),
    "override_reason": Said("Why goods are taken back after the time for returns.", "逾期仍受理退货的原因。"),
}

_ORDERS = (
    ("order_number", "Order number", "订单号", "2026-0001", Form.TEXT, _SAID_ONCE),
    ("seller*", "Seller code", "分销商编码", "L21", Form.TEXT, _SAID_ONCE),
    ("sku*", "SKU", "商品编码", "LOTUS-CREAM", Form.TEXT, _OF_LINE),
    ("quantity*", "Quantity", "数量", "2", Form.INTEGER, _OF_LINE),
    ("unit_price", "Unit price", "单价", "198.00", Form.AMOUNT, _OF_LINE),
    ("amount", "Amount", "金额", "", Form.AMOUNT, _OF_LINE),
    ("trace_codes", "Trace codes", "溯源码", "T-0001 T-0002", Form.TEXT, _OF_LINE),
    ("customer", "Customer", "客户", "C-1001", Form.TEXT, _SAID_ONCE),
    ("channel", "Channel", "渠道", "wechat", Form.TEXT, _SAID_ONCE),
    ("region", "Region", "地区", "440100", Form.TEXT, _SAID_ONCE),
    ("freight", "Freight", "运费", "0.00", Form.AMOUNT, _SAID_ONCE),
    ("tax", "Tax", "税费", "0.00", Form.AMOUNT, _SAID_ONCE),
    ("self_purchase", "Self purchase", "自购", "no", Form.FLAG, _SAID_ONCE),
    ("for_member", "For a member", "会员", "no", Form.FLAG, _SAID_ONCE),
    ("served_by", "Served by", "服务分销商编码", "", Form.TEXT, _SAID_ONCE),
    ("placed_at", "Placed at", "下单时间", "2026-03-15 14:30", Form.MOMENT, _SAID_ONCE),
    ("paid_at", "Paid at", "付款时间", "2026-03-15 14:31", Form.MOMENT, _SAID_ONCE),
    ("shipped_at", "Shipped at", "发货时间", "2026-03-16", Form.MOMENT, _SAID_ONCE),
    ("delivered_at", "Delivered at", "签收时间", "2026-03-18", Form.MOMENT, _SAID_ONCE),
)
_RETURNS = (
    ("return_number", "Return number", "退货单号", "R-0001", Form.TEXT, _SAID_ONCE),
    ("order_number*", "Order number", "订单号", "2026-0001", Form.TEXT, _SAID_ONCE),
    ("sku", "SKU", "商品编码", "LOTUS-CREAM", Form.TEXT, _OF_LINE),
    ("line", "Order line", "订单行号", "", Form.INTEGER, _OF_LINE),
    ("quantity", "Quantity", "数量", "1", Form.INTEGER, _OF_LINE),
    ("reason*", "Reason", "原因", "does not fit", Form.TEXT, _SAID_ONCE),
    ("state", "State", "状态", "received", Form.TEXT, _SAID_ONCE),
    ("sellable", "Sellable", "可再售", "yes", Form.FLAG, _SAID_ONCE),
    ("freight", "Freight refunded", "退运费", "", Form.AMOUNT, _SAID_ONCE),
    ("override_reason", "Reason for lateness", "逾期受理原因", "", Form.TEXT, _SAID_ONCE),
)
"""Key, with a star when it is required; titles; an example; the form; and whether it is said of each line."""


def _columns(told: Sequence[tuple[str, str, str, str, Form, bool]], notes: Mapping[str, Said]) -> Sequence[Column]:
    return [
        Column(
            key=name.removesuffix("*"),
            title=Said(en, zh),
            note=notes.get(name, Said("", "")),
            example=example,
            form=form,
            required=name.endswith("*"),
            of_line=of_line,
        )
        for name, en, zh, example, form, of_line in told
    ]


COLUMNS: Mapping[ImportKind, Sequence[Column]] = {
    ImportKind.ORDERS: _columns(_ORDERS, _ORDER_NOTES),
    ImportKind.RETURNS: _columns(_RETURNS, _RETURN_NOTES),
}
"""The columns of each kind, in the order of the template."""


def plain(header: str) -> str:
    """A header as it is compared: without case, spaces, underscores and stars."""
    text = normalize("NFKC", header).casefold()
    return "".join(letter for letter in text if letter.isalnum())


def template(kind: ImportKind, language: str) -> str:
    """A CSV file to fill in: the headers in one language, and a row as an example."""
    columns = COLUMNS[kind]
    return f"\ufeff{csv_text([[one.header(language) for one in columns], [one.example for one in columns]])}"
