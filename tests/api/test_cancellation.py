"""Five hundred requests cut off at random moments: nothing hangs or is half-written, and each can be sent again."""

import asyncio
import gc
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from inspect import CORO_CREATED, getcoroutinestate
from random import Random, SystemRandom
from time import perf_counter
from types import CoroutineType
from typing import Any

import asyncpg
import pytest
from graphql import print_type

from saas.base import clock
from saas.base.db import Database, reading, transaction
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope
from saas.ledger.checks import run_checks
from tests.api.client import PASSWORD, Api, input_type
from tests.api.conftest import World
from tests.api.generated import SCHEMA
from tests.api.population import Populated, populate

REQUESTS = 500
AT_ONCE = 8
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A request."""

    kind: str
    caller: Api
    text: str
    variables: dict[str, Any]

    async def send(self) -> Any:
        """Its answer, which may refuse but not fail."""
        answer = (await self.caller.send(self.text, self.variables)).json()
        assert "errors" not in answer, f"{self.kind}: {answer['errors']}"
        return next(iter(answer["data"].values()))


MIX = (
    ["placeOrder"] * 30 + ["payOrder"] * 20 + ["enrol"] * 16 + ["moveDistributor"] * 10 + ["downline"] * 12
    + ["logIn"] * 4 + ["requestPayout"] * 4 + ["createPayoutBatch", "releaseCommission"] + ["closeSettlement"] * 2
)  # fmt: skip
ASKED = {
    "placeOrder": ("key", "order { id status }"),
    "payOrder": ("key", "order { id status }"),
    "enrol": ("operations", "distributor { id }"),
    "moveDistributor": ("operations", "moved"),
    "logIn": ("anonymous", "token"),
    "requestPayout": ("finance", "payout { id }"),
    "createPayoutBatch": ("finance", "batch { id }"),
    "releaseCommission": ("finance", "released"),
    "closeSettlement": ("finance", "settlement { id }"),
}
"""Who sends it, and what of the answer is kept."""
SURE = {"placeOrder", "payOrder", "enrol", "requestPayout"}
"""What must succeed in the end, whatever came before; the others may be refused."""
DOWNLINE = "{ downline(first: 50) { nodes { code upline { code } totals { groupSales { amountMinor } } } } }"


@dataclass
class Shop:
    """The brand that is called, and what the calls name."""

    cedar: Populated
    random: Random
    waiting: list[str]
    chain: list[str]
    """A chain that nobody moves: a payment of the past needs the upline of then."""

    def call(self, number: int) -> Call:
        """One of what people and systems send, with a key of its own where there are keys."""
        kind = MIX[number % len(MIX)]
        if kind == "downline":
            return Call(kind, self.cedar.callers["auditor"], DOWNLINE, {})
        role, kept = ASKED[kind]
        given = self._given(kind, f"call-{number}")
        if "idempotencyKey: String!" in print_type(SCHEMA.type_map[input_type(kind).rstrip("!")]):
            given["idempotencyKey"] = f"call-{number}"
        selection = f"{{ {kept} userErrors {{ code field }} }}"
        text = f"mutation($input: {input_type(kind)}) {{ {kind}(input: $input) {selection} }}"
        return Call(kind, self.cedar.callers[role], text, {"input": given})

    def _given(self, kind: str, key: str) -> dict[str, Any]:
        anybody, other = (self.random.choice(list(self.cedar.tree.values())) for _ in range(2))
        seller = self.random.choice(self.chain)
        paid = datetime.now(UTC).isoformat()
        line = {"sku": self.cedar.names.sku, "quantity": 1, "amountMinor": self.random.randint(1, 10**6)}
        login = self.random.choice(["owner", "finance", "operations", "auditor", "distributor"])
        given: dict[str, dict[str, Any]] = {
            "placeOrder": {"sellerId": seller, "lines": [line], "placedAt": paid, "paidAt": paid},
            "payOrder": {"orderId": self.waiting[int(key.rpartition("-")[2]) % len(self.waiting)]},
            "enrol": {"code": key, "name": key, "sponsorId": anybody, "reviewed": True},
            "moveDistributor": {"distributorId": anybody, "sponsorId": other, "reason": "cut off"},
            "logIn": {"login": login, "password": PASSWORD, "kind": "BEARER"},
            "requestPayout": {"distributorId": self.cedar.tree["B"], "amountMinor": 5_000},
        }
        return given.get(kind, {})


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_five_hundred_cancelled_requests_leave_everything_whole(
    world: World, db: Database, database_url: str
) -> None:
    seed = SystemRandom().randrange(2**32)
    log.warning("seed %d", seed)
    cedar = await populate(world.cedar, "cedar")
    chain = [await cedar.brand.enrol(f"CHAIN-{n}", f"CHAIN-{n - 1}" if n else None) for n in range(4)]
    shop = Shop(cedar, Random(seed), await waiting_orders(cedar, REQUESTS), chain)
    tasks = asyncio.all_tasks()
    async with asyncio.timeout(1200):  # only to end what hangs
        ends, calls = await cut_off(shop)
        assert ends["cancelled"] > REQUESTS / 4, ends
        assert ends["finished"] > REQUESTS / 50, ends
        await nothing_is_held(db, database_url, cedar.tenant_id)
        assert asyncio.all_tasks() == tasks
        close_unstarted()
        await everything_is_whole(cedar)
        with clock.at(datetime.now(UTC) + timedelta(minutes=65)):  # whoever was cut off while logging in had to wait
            await each_can_be_sent_again(calls)
    await everything_is_whole(cedar)
    await orders_are_as_many_as_keys(cedar, calls)


async def waiting_orders(cedar: Populated, count: int) -> list[str]:
    """Orders that are placed and not paid."""
    orders = [
        {
            "sellerId": cedar.tree["C"],
            "idempotencyKey": f"waiting-{number}",
            "lines": [{"sku": cedar.names.sku, "quantity": 2, "amountMinor": 30_000 + number}],
        }
        for number in range(count)
    ]
    placed = await cedar.callers["key"].do("placeOrders", "verdicts { orderId }", orders=orders)
    return [verdict["orderId"] for verdict in placed["verdicts"]]


async def cut_off(shop: Shop) -> tuple[Counter[str], list[Call]]:
    """Send all calls, a few at once, each cancelled after a part of the time its kind takes."""
    ends: Counter[str] = Counter()
    calls = [shop.call(number) for number in range(REQUESTS)]
    took: dict[str, float] = {}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(call: Call) -> None:
        async with gate:
            began = perf_counter()
            sending = asyncio.create_task(call.send())
            usual = took.get(call.kind, 0.1)
            await asyncio.wait([sending], timeout=shop.random.uniform(0, 1.4) * usual)
            ends["cancelled" if sending.cancel() else "finished"] += 1
            await asyncio.wait([sending], timeout=120)
            assert sending.done(), f"{call.kind} hangs"
            if sending.cancelled():
                took[call.kind] = usual * 1.3  # perhaps it takes longer than was thought
            else:
                sending.result()
                took[call.kind] = (usual + perf_counter() - began) / 2

    await asyncio.gather(*(one(call) for call in calls))
    return ends, calls


def close_unstarted() -> None:
    """Close what the GraphQL library had made and not started when it was cancelled.

    The asyncpg driver keeps the tracebacks of cancelled statements, which keep these until the process ends; they
    would warn then.
    """
    for one in [found for found in gc.get_objects() if isinstance(found, CoroutineType)]:
        of_library = any(name in one.cr_code.co_filename for name in ("graphql", "strawberry"))
        if of_library and getcoroutinestate(one) == CORO_CREATED:
            one.close()


HELD = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND state <> 'idle' AND backend_type = 'client backend'"
)


async def nothing_is_held(db: Database, database_url: str, tenant_id: TenantId) -> None:
    """No transaction is open, every connection is free, and somebody may write at once."""
    if db.kind == "postgresql":
        connection = await asyncpg.connect(database_url)
        try:
            async with asyncio.timeout(5):
                while await connection.fetchval(HELD):  # noqa: ASYNC110  # readings rest before they end
                    await asyncio.sleep(0.01)
        finally:
            await connection.close()

    async def read() -> None:
        async with reading() as tx:
            await tx.value("SELECT count(*) FROM sales_order WHERE tenant_id = $1", tx.tenant_id)
            await asyncio.sleep(0.01)

    with tenant_scope(tenant_id):
        async with asyncio.timeout(5):
            await asyncio.gather(*(read() for _ in range(20)))
            async with transaction() as tx:
                await tx.execute("UPDATE network_tree SET moves = moves WHERE tenant_id = $1", tx.tenant_id)


async def everything_is_whole(cedar: Populated) -> None:
    """The books hold, every paid order has its commission, and the days' sales are those of orders less returns."""
    with tenant_scope(cedar.tenant_id):
        assert await run_checks() == []
        async with reading() as tx:
            lines = await tx.value(
                "SELECT count(*) FROM sales_order o WHERE o.tenant_id = $1 AND NOT EXISTS "
                "(SELECT 1 FROM order_line l WHERE l.tenant_id = $1 AND l.order_id = o.id)",
                tx.tenant_id,
            )
            shares = await tx.value(
                "SELECT count(*) FROM sales_order o WHERE o.tenant_id = $1 AND (o.paid_at IS NOT NULL) <> EXISTS "
                "(SELECT 1 FROM commission c WHERE c.tenant_id = $1 AND c.order_id = o.id)",
                tx.tenant_id,
            )
            sold = await tx.value("SELECT sum(amount_minor) FROM sales_day WHERE tenant_id = $1", tx.tenant_id)
            paid = await tx.value(
                "SELECT sum(l.amount_minor - l.refunded_minor) FROM order_line l JOIN sales_order o "
                "ON o.tenant_id = l.tenant_id AND o.id = l.order_id WHERE l.tenant_id = $1 AND o.paid_at IS NOT NULL",
                tx.tenant_id,
            )
    assert (lines, shares, sold) == (0, 0, paid)


async def each_can_be_sent_again(calls: list[Call]) -> None:
    """Sent again, and again: the same whole answer."""
    for call in calls:
        first, second = await call.send(), await call.send()
        if call.kind in SURE:
            assert first["userErrors"] == [], f"{call.kind} {call.variables}: {first}"
        if "idempotencyKey" in call.variables.get("input", {}):
            assert first == second, call.kind


async def orders_are_as_many_as_keys(cedar: Populated, calls: list[Call]) -> None:
    """Each key made one thing."""
    kinds = Counter(call.kind for call in calls)
    with tenant_scope(cedar.tenant_id):
        async with reading() as tx:
            made = [
                await tx.value(
                    "SELECT count(*) FROM idempotency WHERE tenant_id = $1 AND operation = $2 AND key LIKE 'call-%'",
                    tx.tenant_id,
                    operation,
                )
                for operation in ("order.place", "order.pay", "enrol", "payout.request")
            ]
            enrolled = await tx.value(
                "SELECT count(*) FROM distributor WHERE tenant_id = $1 AND code LIKE 'call-%'", tx.tenant_id
            )
            waiting = await tx.value(
                "SELECT count(*) FROM sales_order WHERE tenant_id = $1 AND status = 'placed'", tx.tenant_id
            )
    assert made == [kinds[kind] for kind in ("placeOrder", "payOrder", "enrol", "requestPayout")]
    assert (enrolled, waiting) == (kinds["enrol"], REQUESTS - kinds["payOrder"] + 2)
