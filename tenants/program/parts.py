"""What all parts of the program document are made of: forms of text and numbers, names, limits, calendars."""

import re
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from saas.base.money import BPS_WHOLE

AMOUNT_MAX = 10**13
"""The largest amount a document may hold, in minor units: far above any price, far below 64 bits."""


def _iso_date(value: object) -> date:
    if type(value) is date:
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("iso_date", "not a day written YYYY-MM-DD")


CODE_FORM = r"^[a-z][a-z0-9_]{0,39}$"
NUMBER_FORM = r"^[^\s\p{C}]{1,64}$"
TEXT_FORM = r"^[^\s\p{C}]([^\p{C}\p{Zl}\p{Zp}]*[^\s\p{C}])?$"
CURRENCY_FORM = r"^[A-Z]{3}$"
REGION_FORM = r"^[0-9]{6}$"
PROFILE_FORM = r"^[A-Z]{2,8}$"

Bps = Annotated[int, Field(strict=True, ge=0, le=BPS_WHOLE)]
Minor = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MAX)]
Positive = Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
Count = Annotated[int, Field(strict=True, ge=0, le=366)]
Flag = Annotated[bool, Field(strict=True)]
Code = Annotated[str, Field(strict=True, pattern=CODE_FORM)]
Sku = Annotated[str, Field(strict=True, pattern=NUMBER_FORM)]

Region = Annotated[str, Field(strict=True, pattern=REGION_FORM)]
Category = Annotated[str, Field(strict=True, pattern=NUMBER_FORM)]
Text = Annotated[str, Field(strict=True, min_length=1, max_length=100, pattern=TEXT_FORM)]
Channel = Text
Day = Annotated[date, BeforeValidator(_iso_date)]


class Part(BaseModel):
    """A part of the document: it never changes, and takes no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Names(Part):
    """A name as people read it, in both languages."""

    zh: Text
    en: Text


class Limits(Part):
    """Where a component applies: to these SKUs and to the products of these categories, to both when both are given."""

    products: Annotated[tuple[Sku, ...], Field(min_length=1)] | None = None
    categories: Annotated[tuple[Category, ...], Field(min_length=1)] | None = None

    def covers(self, sku: str | None, category: str | None) -> bool:
        """Whether a product is meant; ``None`` is one that the document does not name."""
        if self.products is None and self.categories is None:
            return True
        return sku in (self.products or ()) or category in (self.categories or ())


PeriodLength: TypeAlias = Literal["month", "quarter", "year"]
"""A calendar month, quarter or year in the brand's time zone, half-open."""

Measure: TypeAlias = Literal["own_sales", "group_sales"]
"""What a distributor sold, or what it and everybody below it sold as the tree was at each sale; paid, not undone."""
