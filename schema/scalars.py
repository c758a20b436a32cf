"""Scalars and the money type."""

from datetime import UTC, date, datetime
from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from saas.base.money import formatted
from schema.context import Info

BigInt = NewType("BigInt", int)
SAFE_INTEGER = 2**53 - 1


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > SAFE_INTEGER:
        raise ValueError("BigInt is a whole number between -(2^53 - 1) and 2^53 - 1")
    return value


YEARS = range(1900, 2200)
"""The years moments and days may lie in: no time zone can carry them beyond what databases know."""


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        raise ValueError("DateTime is ISO 8601 with an offset, such as 2026-03-01T08:00:00Z")
    return moment.astimezone(UTC)


def _day(value: object) -> date:
    day = date.fromisoformat(value) if isinstance(value, str) else None
    if day is None or day.year not in YEARS:
        raise ValueError("Date is ISO 8601, such as 2026-03-01")
    return day


def moment_text(moment: datetime) -> str:
    """A moment in UTC; nearly all of them are already."""
    return moment.isoformat() if moment.tzinfo is UTC else moment.astimezone(UTC).isoformat()


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment, ISO 8601 with an offset; answers are in UTC.",
        serialize=moment_text,
        parse_value=_moment,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A day of the brand's calendar, ISO 8601.",
        serialize=lambda day: day.isoformat(),
        parse_value=_day,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of up to 53 bits, so that JSON clients read it exactly.",
        serialize=lambda value: value,
        parse_value=_whole,
    ),
}


@strawberry.type(description="An amount of money, exact.")
class Money:
    """Minor units and a currency; the formatted text is made only when it is asked for."""

    amount_minor: BigInt = strawberry.field(description="The amount in the currency's minor unit (分, cents).")
    currency: str = strawberry.field(description="ISO 4217 code.")

    @strawberry.field(description="The amount written for the caller's language.")
    def formatted(self, info: Info) -> str:
        """For people; programs use ``amountMinor``."""
        return formatted(self.amount_minor, self.currency, info.context.locale)


def money(amount_minor: int, currency: str) -> Money:
    """An amount for the API."""
    return Money(amount_minor=BigInt(amount_minor), currency=currency)
