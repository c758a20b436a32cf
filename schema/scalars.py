"""Scalars and the money type."""

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


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of up to 53 bits, so that JSON clients read it exactly.",
        serialize=lambda value: value,
        parse_value=_whole,
    )
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
