"""Components of periods as documents have them, sellers and sales for the tests of pure rules."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from saas.base.ids import DistributorId
from saas.network.rules import segment
from saas.performance.rules import Holder, PeriodBook, SaleFact, SoldLine
from tenants.program.components import PeriodComponent
from tenants.program.document import Program
from tests.factories import without_periods

T0 = datetime(2026, 3, 1, 4, tzinfo=UTC)
MILLION = 100_000_000
"""A million yuan in fen."""

BRAND_BANDS = (
    {"from_minor": 0, "rate_bps": 500},
    {"from_minor": 5 * MILLION, "rate_bps": 800},
    {"from_minor": 10 * MILLION, "rate_bps": 1200},
)
"""The brand's rebate of docs/rules.md §3.3."""

_adapter: TypeAdapter[PeriodComponent] = TypeAdapter(PeriodComponent)


def component(kind: str, **settings: Any) -> Any:
    """A component by kind."""
    return _adapter.validate_python({"kind": kind, "key": "it", **settings})


def program(*components: Mapping[str, Any], **parts: Any) -> Program:
    """The preset ``lotus`` with these period components alone."""
    data = without_periods("lotus")
    data["commission"]["components"] += [dict(one) for one in components]
    return Program.model_validate({**data, **parts})


def holder(code: str, no: int, tier: str | None = "silver", status: str = "active") -> Holder:
    """A distributor at the close."""
    return Holder(DistributorId(UUID(int=no)), code, tier, status)


def seat(no: int) -> str:
    """The seat of a number."""
    return segment(no)


def path(*numbers: int) -> str:
    """A path from the root."""
    return "".join(segment(no) for no in numbers)


def sale(order: int, chain: str, *lines: SoldLine, day: int = 1, channel: str | None = None, **more: Any) -> SaleFact:
    """An order paid on a day of March 2026."""
    at = T0 + timedelta(days=day - 1)
    return SaleFact(UUID(int=order), at, date(2026, 3, day), chain, channel, lines, **more)


def sold(amount_minor: int, pieces: int = 1, sku: str = "X", category: str | None = None) -> SoldLine:
    """One line."""
    return SoldLine(sku, category, pieces, amount_minor)


def paid_by(wanted: Any, facts: list[SaleFact], holders: Mapping[str, Holder]) -> dict[tuple[str, str], int]:
    """What one component pays, by code and channel."""
    book = PeriodBook(program(wanted.model_dump(mode="json")), wanted.period)
    for fact in facts:
        book.add(fact)
    return {(one.holder.code, one.scope): one.amount_minor for one in book.awards(holders) if one.amount_minor}
