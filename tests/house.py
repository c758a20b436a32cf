"""A brand in the database and the same brand on paper, and all that can happen to both: the ground of random lives.

docs/rules.md §5: entries add up to zero, available within what was accrued less what was reversed, paid within
settled, nothing earned without ground. Also: commission is what the naive rules say, the company keeps the rest, and
daily sums are those of the orders.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from saas.base import clock
from saas.base.errors import DomainError, Rejected
from saas.base.ids import DistributorId, OrderId, PayoutId
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.exits.commands import ExecuteExit, QuoteExit, approve_exit, execute_exit, quote_exit
from saas.exits.rules import ExitKind
from saas.network.commands import Move, enrol, move, reinstate, set_tier, suspend
from saas.orders.commands import OrderStep, PlaceLine, PlaceOrder, cancel, deliver, pay, place_order, ship
from saas.payouts import commands as payouts
from saas.payouts.rules import Outcome
from saas.proof.checks import broken
from saas.settlement.commands import CloseSettlement, release_due
from saas.settlement.commands import close as close_settlement
from tenants.program import Program, errors_in, parse, validate
from tenants.program.versions import SaveDraft, activate, save_draft
from tests.network.world import request, staff
from tests.orders.world import balances, table
from tests.paper import STEPS, Paper, Person, Request, Sale
from tests.tenants.program.documents import CATEGORIES, SKUS, TIERS, documents, rates

T0 = datetime(2026, 6, 29, 12, tzinfo=UTC)
"""Just before components of the documents come into effect and end."""
OTHER = "unpriced"
PRODUCTS = {sku: (*CATEGORIES, None)[i % 4] for i, sku in enumerate((*SKUS, OTHER))}
ORDER_STEPS = {"pay": pay, "ship": ship, "deliver": deliver, "cancel": cancel}
KINDS = (
    ["place"] * 5 + ["sell"] * 4 + ["pay"] * 2 + ["ship", "deliver"] * 5 + ["cancel"] * 2 + ["enrol", "wait"] * 4
    + ["move", "tier", "suspend", "reinstate", "leave"] + ["release"] * 2 + ["settle"] * 3 + ["request"] * 4
    + ["withdraw", "batch", "batch"]
)  # fmt: skip
Step = tuple[str, int, int, int]


@st.composite
def programs(draw: st.DrawFn) -> dict[str, Any]:
    """Documents a brand may activate, with every setting of settlement and exits."""
    made = draw(documents(levels=3, most=900))
    made["commission"]["components"].append(rates(*draw(st.lists(st.integers(100, 800), min_size=1, max_size=3))))
    made["settlement"] |= {
        "hold_days": draw(st.integers(0, 10)),
        "minimum_payout_minor": draw(st.sampled_from([0, 1, 500])),
        "fee_bps": draw(st.sampled_from([0, 60, 5_000])),
        "withholding_without_invoice_bps": draw(st.sampled_from([0, 2_000, 6_000])),
    }
    terms = {"downline_to": st.sampled_from(["sponsor", "brand"]), "pending": st.sampled_from(["keep", "forfeit"])}
    made["exit"] = {kind: draw(st.fixed_dictionaries(terms)) for kind in ("voluntary", "breach")}
    made["hierarchy"]["applicant_review"] = "automatic"
    parsed = parse(made)
    assume(isinstance(parsed, Program) and not errors_in(validate(parsed)))
    return made


def steps(seed: int, length: int) -> list[Step]:
    """A long life; lists that Hypothesis draws one by one stay too short and too even for money to get anywhere."""
    chance = Random(seed)
    amount = partial(chance.randrange, 10**6)
    return [(chance.choice(KINDS), amount(), amount(), amount()) for _ in range(length)]


@dataclass
class House:
    """The brand in the database, and beside it on paper."""

    paper: Paper
    ids: dict[str, DistributorId] = field(default_factory=dict)
    orders: list[OrderId] = field(default_factory=list)
    asked: list[PayoutId] = field(default_factory=list)
    now: datetime = T0
    keys: Any = field(default_factory=count)

    def key(self) -> str:
        return f"key-{next(self.keys)}"

    def somebody(self, number: int) -> str:
        return list(self.paper.people)[number % len(self.paper.people)]

    async def take(self, step: Step) -> None:
        """One step, at its own moment."""
        kind, *given = step
        self.now += timedelta(minutes=1)
        with clock.at(self.now):
            if kind in ORDER_STEPS:
                await self.order_step(kind, given[0])
            else:
                await getattr(self, kind)(*given)

    async def wait(self, one: int, *_: int) -> None:
        self.now += timedelta(hours=one % 40, days=one % 25 if one % 3 == 0 else 0)

    # -- people --------------------------------------------------------------------------------------------------------

    async def enrol(self, one: int, two: int, three: int) -> None:
        sponsor = self.somebody(one) if self.paper.people and one % 5 else None
        code, tier, invoices = f"D{len(self.ids)}", TIERS[two % 3], bool(three % 2)
        asked = request(code, self.ids[sponsor] if sponsor else None, tier=tier)
        if sponsor is not None and self.paper.people[sponsor].status != "active":
            await refused(enrol(asked, staff()))
            return
        id_ = self.ids[code] = await enrol(asked, staff())
        self.paper.people[code] = Person(id_, sponsor, tier, has_invoice=invoices)
        card = payouts.SetDestination(
            distributor_id=id_, holder=code, bank="Bank", account="62220000", has_invoice=invoices, idempotency_key=code
        )
        await payouts.verify_destination((await payouts.set_destination(card, staff())).id, staff())

    async def move(self, one: int, two: int, _: int) -> None:
        code, sponsor = self.somebody(one), self.somebody(two) if two % 4 else None
        command = Move(distributor=self.ids[code], sponsor=self.ids[sponsor] if sponsor else None, reason="test")
        await agreed(self.paper.move(code, sponsor), move(command, staff()))

    async def tier(self, one: int, two: int, _: int) -> None:
        code, tier = self.somebody(one), TIERS[two % 3]
        allowed = self.paper.people[code].status != "exited"
        if allowed:
            self.paper.people[code].tier = tier
        await agreed(allowed, set_tier(self.ids[code], tier, "test", staff()))

    async def suspend(self, one: int, *_: int) -> None:
        code = self.somebody(one)
        await agreed(self.paper.set_status(code, "active", "suspended"), suspend(self.ids[code], "test", staff()))

    async def reinstate(self, one: int, *_: int) -> None:
        code = self.somebody(one)
        await agreed(self.paper.set_status(code, "suspended", "active"), reinstate(self.ids[code], "test", staff()))

    async def leave(self, one: int, two: int, _: int) -> None:
        code, kind = self.somebody(one), (ExitKind.VOLUNTARY, ExitKind.BREACH)[two % 2]
        command = QuoteExit(distributor_id=self.ids[code], kind=kind, reason="test", idempotency_key=self.key())
        if not self.paper.leave(code, kind):
            await refused(quote_exit(command, staff()))
            return
        exit_id = (await quote_exit(command, staff())).id
        await approve_exit(exit_id, staff())
        await execute_exit(ExecuteExit(exit_id=exit_id, idempotency_key=self.key()), staff())

    # -- orders --------------------------------------------------------------------------------------------------------

    async def place(self, one: int, two: int, three: int) -> None:
        await self._place(one, two, three, paid=False)

    async def sell(self, one: int, two: int, three: int) -> None:
        """Place as paid."""
        await self._place(one, two, three, paid=True)

    async def _place(self, one: int, two: int, three: int, *, paid: bool) -> None:
        seller = self.somebody(one)
        lines = [self._line(number) for number in ((two, three), (three, two))[: 1 + two % 2]]
        asked = PlaceOrder(
            seller_id=self.ids[seller],
            lines=[PlaceLine(sku=sku, quantity=quantity, amount_minor=amount) for sku, _, quantity, amount in lines],
            self_purchase=not three % 4,
            freight_minor=three,
            tax_minor=two,
            paid_at=self.now if paid else None,
            idempotency_key=self.key(),
        )
        if self.paper.people[seller].status != "active":
            await refused(place_order(asked, staff()))
            return
        self.orders.append(await place_order(asked, staff()))
        self.paper.sales.append(Sale(seller, asked.self_purchase, lines))
        if paid:
            self.paper.pay(self.paper.sales[-1], clock.local_day(self.now, "Asia/Shanghai"))

    def _line(self, numbers: tuple[int, int]) -> tuple[str, str | None, int, int]:
        sku, quantity = list(PRODUCTS)[numbers[0] % len(PRODUCTS)], 1 + numbers[1] % 7
        priced = self.paper.program.price_policy.products.get(sku)
        return sku, PRODUCTS[sku], quantity, numbers[1] if priced is None else priced.guide_price_minor * quantity

    async def order_step(self, kind: str, one: int) -> None:
        if not self.orders:
            return
        fit = [i for i, sale in enumerate(self.paper.sales) if kind in STEPS and sale.state == STEPS[kind][0]]
        number = fit[one % len(fit)] if fit and one % 4 else one % len(self.orders)
        sale = self.paper.sales[number]
        doing = ORDER_STEPS[kind]([OrderStep(order_id=self.orders[number], idempotency_key=self.key())], staff())
        if kind == "cancel":
            await agreed(self.paper.cancel(sale), doing)
            return
        needed, reached = STEPS[kind]
        await agreed(sale.state == needed, doing)
        if sale.state != needed:
            return
        sale.state = reached
        if kind == "pay":
            self.paper.pay(sale, clock.local_day(self.now, "Asia/Shanghai"))
        elif kind == "deliver":
            self.paper.deliver(sale, self.now)

    # -- money ---------------------------------------------------------------------------------------------------------

    async def release(self, *_: int) -> None:
        assert await release_due(staff()) == self.paper.release(self.now)

    async def settle(self, *_: int) -> None:
        try:
            closed = await close_settlement(CloseSettlement(idempotency_key=self.key()), staff())
        except DomainError:
            return
        assert closed.period.until <= self.now
        assert closed.commission_minor == self.paper.settle(closed.period.until)

    async def request(self, one: int, two: int, _: int) -> None:
        rich = [code for code in self.paper.people if self.paper.money[code, "settled"]]
        owner = rich[one % len(rich)] if rich and one % 4 else self.somebody(one)
        amount = (None, self.paper.money[owner, "settled"] // (1 + two % 3), two)[two % 3]
        asked = payouts.RequestPayout(distributor_id=self.ids[owner], amount_minor=amount, idempotency_key=self.key())
        made = self.paper.request(owner, amount)
        if made is None:
            await refused(payouts.request_payout(asked, staff()))
            return
        view = await payouts.request_payout(asked, staff())
        assert (view.amounts.requested_minor, view.amounts.fee_minor) == (made.requested, made.fee)
        self.asked.append(view.id)

    async def withdraw(self, one: int, *_: int) -> None:
        if not self.asked:
            return
        number = one % len(self.asked)
        payout = self.paper.payouts[number]
        command = payouts.CancelPayout(payout_id=self.asked[number], idempotency_key=self.key())
        await agreed(payout.state in {"requested", "cancelled"}, payouts.cancel_payout(command, staff()))
        if payout.state == "requested":
            self.paper.finish(payout, "cancelled")

    async def batch(self, one: int, *_: int) -> None:
        """Gather, approve, send; then each is paid or fails."""
        waiting = [(id_, made) for id_, made in zip(self.asked, self.paper.payouts, strict=True) if self._due(made)]
        command = payouts.CreateBatch(idempotency_key=self.key())
        if not waiting:
            await refused(payouts.create_batch(command, staff()))
            return
        made = await payouts.create_batch(command, staff())
        assert made.payouts == len(waiting)
        await payouts.approve_batch(made.id, staff())
        await payouts.submit_batch(made.id, staff())
        for number, (id_, payout) in enumerate(waiting):
            outcome = Outcome.FAILED if one >> number & 1 else Outcome.PAID
            result = payouts.RecordResult(payout_id=id_, outcome=outcome, idempotency_key=self.key())
            await payouts.record_result(result, staff())
            self.paper.finish(payout, outcome.value)

    def _due(self, payout: Request) -> bool:
        return payout.state == "requested" and self.paper.people[payout.owner].status in {"active", "exited"}

    # -- agreement -----------------------------------------------------------------------------------------------------

    async def agrees(self) -> None:
        """The books are sound, and say what the paper says."""
        assert await broken() == []
        own = await table(
            "SELECT '', account, CAST(sum(amount_minor) AS bigint) FROM ledger_entry "
            "WHERE tenant_id = $1 AND owner_id IS NULL GROUP BY account"
        )
        booked = await balances() | {(owner, account): amount for owner, account, amount in own if amount}
        assert booked == {key: amount for key, amount in self.paper.money.items() if amount}
        sold = await table(
            "SELECT d.code, s.day, s.amount_minor FROM sales_day s JOIN distributor d "
            "ON d.tenant_id = s.tenant_id AND d.id = s.distributor_id WHERE s.tenant_id = $1 AND s.amount_minor <> 0"
        )
        assert {(code, str(day)): amount for code, day, amount in sold} == {
            k: v for k, v in self.paper.sold().items() if v
        }
        await self._lines_agree()

    async def _lines_agree(self) -> None:
        """Each share is what the naive rules say, and the company keeps the base without the shares."""
        rows = await table(
            "SELECT c.order_id, l.line_no, c.component, c.level, c.amount_minor FROM commission c JOIN order_line l "
            "ON l.tenant_id = c.tenant_id AND l.id = c.line_id WHERE c.tenant_id = $1 AND c.amount_minor <> 0"
        )
        company = await table("SELECT order_id, line_no, company_minor FROM order_line WHERE tenant_id = $1")
        kept = {(order, number): minor for order, number, minor in company}
        paid = {(order, number, component, level): amount for order, number, component, level, amount in rows}
        expected: dict[tuple[object, ...], int] = {}
        for order, sale in zip(self.orders, self.paper.sales, strict=True):
            for number in range(1, len(sale.lines) + 1):
                amounts = sale.amounts[number - 1] if sale.day else {}
                expected |= {(order, number, *key): amount for key, amount in amounts.items()}
                assert kept[order, number] == (sale.bases[number - 1] - sum(amounts.values()) if sale.day else None)
        assert paid == expected


async def refused(doing: Any) -> None:
    """Await what must be refused."""
    try:
        await doing
    except (DomainError, Rejected):
        return
    raise AssertionError("it was not refused")


async def agreed(allowed: bool, doing: Any) -> None:
    """Await what must be done, or refused."""
    await (doing if allowed else refused(doing))


async def found_house(program: dict[str, Any]) -> House:
    """The active brand under a program, with products and a handful of people, at ``T0``."""
    parsed = parse(program)
    assert isinstance(parsed, Program)
    house = House(Paper(parsed))
    draft = await save_draft(SaveDraft(document=program), staff())
    await activate(draft.version.number, staff())
    await put_products([PutProduct(sku=s, name=s, category=c) for s, c in PRODUCTS.items()], staff())
    for number in (0, 1, 6, 7, 8):
        await house.enrol(number, number, number)
    return house
