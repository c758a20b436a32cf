"""What an import refuses: a row, with the reason, or the file or brand as a whole."""

from saas.base.errors import DomainError


class LogRefused(DomainError):
    """The file is no purchase log."""

    code = "LOG_REFUSED"
    en = "{file} is not a purchase log. Its first line must be: {header}."
    zh = "{file} 不是购买记录。首行须为：{header}。"


class BrandCurrencyDiffers(DomainError):
    """The log's amounts are of another currency than the brand's."""

    code = "BRAND_CURRENCY_DIFFERS"
    en = "The log is in {log_currency}, the brand {slug} in {currency}. Name a brand of that currency, or a new one."
    zh = "购买记录币种为 {log_currency}，品牌 {slug} 币种为 {currency}。请指定币种相同的品牌或新品牌。"


class RowShapeWrong(DomainError):
    """A row has not the four fields."""

    code = "ROW_SHAPE_WRONG"
    en = "The row has {count} fields. Give customer, date, items and value."
    zh = "该行有 {count} 个字段。应依次为客户、日期、件数、金额。"


class RowFieldWrong(DomainError):
    """A field of a row cannot be read; ``expected`` says how it is written."""

    code = "ROW_FIELD_WRONG"
    en = "The {what} {value} cannot be read. Write it as {expected}."
    zh = "字段 {what} 的值 {value} 无法识别。请写作 {expected}。"
