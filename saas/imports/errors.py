"""What an import refuses: a row, with the reason, or the file or brand as a whole."""

from saas.base.errors import DomainError, Said


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


class FileUnreadable(DomainError):
    """The file as a whole cannot be read; ``why`` says what is the matter and what to do."""

    code = "IMPORT_FILE_UNREADABLE"
    en = "The file cannot be read: {why}."
    zh = "无法读取文件：{why}。"

    def __init__(self, field: str, *, why: Said) -> None:
        super().__init__(field, why=why)


class FileTooLarge(DomainError):
    """More bytes or rows than one file may have."""

    code = "IMPORT_FILE_TOO_LARGE"
    en = "The file has {size} {what}; at most {most} are taken at once. Split it; what is there already is skipped."
    zh = "文件有 {size} {what}，每次最多 {most}。请拆分文件；已导入的行会自动跳过。"


class ColumnsWrong(DomainError):
    """The first line does not name the columns: some are unknown, some are missing, or one is there twice."""

    code = "IMPORT_COLUMNS_WRONG"
    en = "The first line must name the columns: {why}. The columns are {known}."
    zh = "首行须为列名：{why}。可用的列为：{known}。"


class CellsMerged(DomainError):
    """Merged cells say nothing of the rows below the first."""

    code = "IMPORT_CELLS_MERGED"
    en = "The cells {cells} are merged. Undo that and fill in every row."
    zh = "单元格 {cells} 已合并。请取消合并并逐行填写。"


class CellUnreadable(DomainError):
    """What a cell says is not of its form."""

    code = "IMPORT_CELL_UNREADABLE"
    en = "{value} cannot be read here. Write {expected}."
    zh = "无法识别 {value}。请填写{expected}。"


class CellMissing(DomainError):
    """A cell that is needed is empty."""

    code = "IMPORT_CELL_MISSING"
    en = "This cell is empty. Fill it in: {expected}."
    zh = "此单元格为空。请填写：{expected}。"


class DigitsLost(DomainError):
    """A spreadsheet program has taken a long number for a quantity and forgotten its last digits."""

    code = "IMPORT_DIGITS_LOST"
    en = "The number {value} has lost its last digits. Format the column as text and enter it again."
    zh = "数字 {value} 的末位已丢失。请将该列设为文本格式后重新输入。"


class RowsDiffer(DomainError):
    """Two rows of one order or return contradict each other."""

    code = "IMPORT_ROWS_DIFFER"
    en = "Row {row} of the same number says {other}, this one {value}. Say the same in all of its rows."
    zh = "同一单号的第 {row} 行为 {other}，此行为 {value}。请保持一致。"


class LineUnclear(DomainError):
    """The order has no line with that SKU, or several."""

    code = "IMPORT_LINE_UNCLEAR"
    en = "Order {number} has {count} such lines with the SKU {sku}. Give an SKU it has, and the line if it has several."
    zh = "订单 {number} 有 {count} 行商品 {sku}。请填写订单中的商品；有多行时请填写行号。"
