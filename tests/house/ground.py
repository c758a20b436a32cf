"""The brand in the database, and beside it on paper; what every part of it stands on."""

from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from saas.base import clock
from saas.base.errors import DomainError, Rejected
from saas.base.ids import AdjustmentId, DistributorId, ExitId, OrderId, PayoutBatchId, PayoutId, ReturnId, WriteOffId
from tenants.actors import Actor, Role
from tests.network.world import staff
from tests.paper import Paper
from tests.tenants.program.documents import CATEGORIES, SKUS
from tests.torture.bank import Bank

T0 = datetime(2026, 6, 29, 12, tzinfo=UTC)
"""Just before components of the documents come into effect and end."""
ZONE = "Asia/Shanghai"
OTHER = "unpriced"
PRODUCTS = {sku: (*CATEGORIES, None)[i % 4] for i, sku in enumerate((*SKUS, OTHER))}


@dataclass
class Ground:
    """Both brands; the lists stand in the order of those on paper."""

    paper: Paper
    ids: dict[str, DistributorId] = field(default_factory=dict)
    orders: list[OrderId] = field(default_factory=list)
    backs: list[ReturnId] = field(default_factory=list)
    asked: list[PayoutId] = field(default_factory=list)
    batches: list[PayoutBatchId] = field(default_factory=list)
    write_offs: list[WriteOffId] = field(default_factory=list)
    decisions: list[AdjustmentId] = field(default_factory=list)
    exits: list[ExitId] = field(default_factory=list)
    month: date = date(2026, 6, 1)
    """The first month that is not closed."""
    bank: Bank = field(default_factory=Bank)
    has_account: bool = False
    now: datetime = T0
    keys: Any = field(default_factory=count)

    def key(self) -> str:
        """A key of its own."""
        return f"key-{next(self.keys)}"

    def somebody(self, number: int) -> str:
        """One of the people."""
        return list(self.paper.people)[number % len(self.paper.people)]

    @property
    def today(self) -> date:
        """The day it is for the brand."""
        return clock.local_day(self.now, ZONE)

    async def wait(self, one: int, *_: int) -> None:
        """Time goes by."""
        self.now += timedelta(hours=one % 40, days=one % 25 if one % 3 == 0 else 0)


def finance() -> Actor:
    """Somebody who may give up what is owed."""
    return replace(staff(), role=Role.FINANCE)


async def refused(doing: Awaitable[Any]) -> None:
    """Await what must be refused."""
    try:
        await doing
    except (DomainError, Rejected):
        return
    raise AssertionError("it was not refused")


async def agreed(allowed: bool, doing: Awaitable[Any]) -> None:
    """Await what must be done, or refused."""
    await (doing if allowed else refused(doing))
