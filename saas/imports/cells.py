"""What a cell says, read strictly: what could mean two things is refused with how to write it. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from unicodedata import normalize
from zoneinfo import ZoneInfo

from saas.base.errors import Said
from saas.base.money import parse_amount
from saas.imports.columns import FORMS, Form
from saas.imports.errors import CellUnreadable, DigitsLost

_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,3}", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_WHOLE = re.compile(r"[0-9]{1,12}(\.0+)?")
_MOMENT = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_SERIAL = re.compile(r"([0-9]{5})(\.[0-9]+)?")
_SERIAL_DAYS = range(36_526, 109_575)
"""The years 2000 to 2199, as spreadsheet programs count days from 1899-12-30."""
_DAY_ZERO = date(1899, 12, 30)
_MARKS: Mapping[str, tuple[str, str]] = {"CNY": ("¥|CNY|RMB", "元"), "JPY": ("¥|JPY", "円")}
"""What may stand before and after an amount of a currency, where that is not its code alone."""
_FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "y", "true", "1", "是", "有"), True),
    **dict.fromkeys(("no", "n", "false", "0", "否", "无"), False),
}


def text_of(cell: str) -> str:
    """Text as it stands. Raises ``DigitsLost`` for a number of which a program has kept only the first digits."""
    if _SCIENTIFIC.fullmatch(cell):
        raise DigitsLost(value=cell)
    return cell


def integer_of(cell: str) -> int:
    """A whole number; ``1,200`` and ``3.0`` are whole. Raises ``CellUnreadable``."""
    plain = _ungrouped(cell)
    if not _WHOLE.fullmatch(plain):
        raise _unreadable(cell, Form.INTEGER)
    return int(plain.partition(".")[0])


def amount_of(cell: str, currency: str) -> int:
    """An amount in minor units; of CNY ``¥1,234.50`` is one, ``1234,50`` is not, and nothing is rounded.

    What bears the mark of another currency is refused rather than taken for this one.

    Raises ``CellUnreadable``.
    """
    before, after = _MARKS.get(currency, (currency, ""))
    plain = _ungrouped(re.sub(rf"^({before})\s*", "", cell).removesuffix(after))
    try:
        return parse_amount(plain.rstrip("0").removesuffix(".") if "." in plain else plain, currency)
    except ValueError as wrong:
        raise _unreadable(cell, Form.AMOUNT) from wrong


def moment_of(cell: str, time_zone: str) -> datetime:
    """A moment, in the brand's time zone unless it names its own; a day alone is its first moment.

    ``03/04/2026`` could be two days and is refused. Raises ``CellUnreadable``.
    """
    if serial := _SERIAL.fullmatch(cell):
        return _from_serial(cell, int(serial[1]), time_zone)
    found = _MOMENT.fullmatch(cell)
    if found is None:
        raise _unreadable(cell, Form.MOMENT)
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=_zone(found[7], time_zone))
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise _unreadable(cell, Form.MOMENT) from wrong


def flag_of(cell: str) -> bool:
    """Yes or no, in either language. Raises ``CellUnreadable``."""
    try:
        return _FLAGS[cell.casefold()]
    except KeyError as wrong:
        raise _unreadable(cell, Form.FLAG) from wrong


def value_of(cell: str, form: Form, *, currency: str, time_zone: str) -> object:
    """What a cell says. Raises ``CellUnreadable`` or ``DigitsLost``."""
    wide = normalize("NFKC", cell).strip() if form is not Form.TEXT else cell
    match form:
        case Form.INTEGER:
            return integer_of(wide)
        case Form.AMOUNT:
            return amount_of(wide, currency)
        case Form.MOMENT:
            return moment_of(wide, time_zone)
        case Form.FLAG:
            return flag_of(wide)
        case Form.TEXT:
            return text_of(wide)


def _ungrouped(cell: str) -> str:
    return cell.replace(",", "") if _GROUPED.fullmatch(cell) else cell


def _from_serial(cell: str, days: int, time_zone: str) -> datetime:
    if days not in _SERIAL_DAYS:
        raise _unreadable(cell, Form.MOMENT)
    digits = cell.partition(".")[2]
    seconds = 0 if not digits else (86_400 * int(digits) * 2 + 10 ** len(digits)) // (2 * 10 ** len(digits))
    local = datetime.combine(_DAY_ZERO + timedelta(days=days), time(), ZoneInfo(time_zone))
    return (local + timedelta(seconds=seconds)).astimezone(UTC)


def _zone(written: str | None, time_zone: str) -> tzinfo | None:
    """The zone a moment names, or the brand's. Raises ``ValueError``."""
    if written is None:
        return ZoneInfo(time_zone)
    return datetime.fromisoformat(f"2000-01-01T00:00:00{written}").tzinfo


def _unreadable(cell: str, form: Form) -> CellUnreadable:
    return CellUnreadable(value=cell[:40], expected=Said(*FORMS[form]))
