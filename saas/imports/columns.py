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


def _orders() -> Sequence[Column]:
    moment, flag = Form.MOMENT, Form.FLAG
    once = Said("Rows with the same number are one order. Without it each row is an order.", "订单号相同的行为同一订单；不填则每行为一个订单。")
    price = Said("One of unit price and amount, or neither: then the program prices it.", "单价与金额任填其一；均不填则按政策定价。")
    none = Said("", "")
    return [
        Column(key="order_number", title=Said("Order number", "订单号"), note=once, example="2026-0001"),
        Column(key="seller", title=Said("Seller code", "分销商编码"), note=none, example="L21", required=True),
        Column(key="sku", title=Said("SKU", "商品编码"), note=none, example="LOTUS-CREAM", required=True, of_line=True),
        Column(key="quantity", title=Said("Quantity", "数量"), note=none, example="2", form=Form.INTEGER, required=True, of_line=True),
        Column(key="unit_price", title=Said("Unit price", "单价"), note=price, example="198.00", form=Form.AMOUNT, of_line=True),
        Column(key="amount", title=Said("Amount", "金额"), note=price, example="", form=Form.AMOUNT, of_line=True),
        Column(key="customer", title=Said("Customer", "客户"), note=none, example="C-1001"),
        Column(key="channel", title=Said("Channel", "渠道"), note=none, example="wechat"),
        Column(key="region", title=Said("Region", "地区"), note=Said("A code of GB/T 2260.", "GB/T 2260 行政区划代码。"), example="440100"),
        Column(key="freight", title=Said("Freight", "运费"), note=none, example="0.00", form=Form.AMOUNT),
        Column(key="tax", title=Said("Tax", "税费"), note=none, example="0.00", form=Form.AMOUNT),
        Column(key="self_purchase", title=Said("Self purchase", "自购"), note=none, example="no", form=flag),
        Column(key="for_member", title=Said("For a member", "会员"), note=none, example="no", form=flag),
        Column(key="served_by", title=Said("Served by", "服务分销商编码"), note=Said("The distributor of the customer's region.", "客户所在地区的分销商。"), example=""),
        Column(key="placed_at", title=Said("Placed at", "下单时间"), note=none, example="2026-03-15 14:30", form=moment),
        Column(key="paid_at", title=Said("Paid at", "付款时间"), note=Said("A paid order earns commission.", "已付款的订单产生佣金。"), example="2026-03-15 14:31", form=moment),
        Column(key="shipped_at", title=Said("Shipped at", "发货时间"), note=none, example="2026-03-16", form=moment),
        Column(key="delivered_at", title=Said("Delivered at", "签收时间"), note=none, example="2026-03-18", form=moment),
    ]  # fmt: skip


def _returns() -> Sequence[Column]:
    once = Said("Rows with the same number are one return. Without it each row is a return.", "退货单号相同的行为同一退货；不填则每行为一个退货。")
    rest = Said("Without it all that is left of the order comes back.", "不填则退回订单的全部剩余商品。")
    state = Said("How far it is: requested, approved, received (the default) or refunded.", "进度：申请、同意、收货（默认）或退款。")
    late = Said("Why goods are taken back after the time for returns.", "逾期仍受理退货的原因。")
    none = Said("", "")
    return [
        Column(key="return_number", title=Said("Return number", "退货单号"), note=once, example="R-0001"),
        Column(key="order_number", title=Said("Order number", "订单号"), note=none, example="2026-0001", required=True),
        Column(key="sku", title=Said("SKU", "商品编码"), note=rest, example="LOTUS-CREAM", of_line=True),
        Column(key="line", title=Said("Order line", "订单行号"), note=Said("Where one SKU stands in several lines.", "同一商品有多行时填写。"), example="", form=Form.INTEGER, of_line=True),
        Column(key="quantity", title=Said("Quantity", "数量"), note=Said("Needed with an SKU.", "填写商品编码时必填。"), example="1", form=Form.INTEGER, of_line=True),
        Column(key="reason", title=Said("Reason", "原因"), note=none, example="does not fit", required=True),
        Column(key="state", title=Said("State", "状态"), note=state, example="received"),
        Column(key="sellable", title=Said("Sellable", "可再售"), note=none, example="yes", form=Form.FLAG),
        Column(key="freight", title=Said("Freight refunded", "退运费"), note=Said("With the state refunded.", "状态为退款时填写。"), example="", form=Form.AMOUNT),
        Column(key="override_reason", title=Said("Reason for lateness", "逾期受理原因"), note=late, example=""),
    ]  # fmt: skip


COLUMNS: Mapping[ImportKind, Sequence[Column]] = {ImportKind.ORDERS: _orders(), ImportKind.RETURNS: _returns()}
"""The columns of each kind, in the order of the template."""


def plain(header: str) -> str:
    """A header as it is compared: without case, spaces, underscores and stars."""
    text = normalize("NFKC", header).casefold()
    return "".join(letter for letter in text if letter.isalnum())


def template(kind: ImportKind, language: str) -> str:
    """A file to fill in: the headers in one language and a row as an example; a spreadsheet program takes it as UTF-8."""
    columns = COLUMNS[kind]
    return f"\ufeff{csv_text([[one.header(language) for one in columns], [one.example for one in columns]])}"
