"""Orders are placed, paid, shipped and delivered, and come back."""

from saas.orders.commands import OrderStep, PlaceLine, PlaceOrder, cancel, close, deliver, pay, place_order, ship
from saas.orders.queries import lines_of
from saas.returns.commands import (
    LineBack,
    ReceiveReturn,
    RefundReturn,
    RequestReturn,
    approve_return,
    receive_return,
    refund_return,
    reject_return,
    request_return,
    withdraw_return,
)
from tests.house.ground import PRODUCTS, agreed, refused
from tests.house.people import People
from tests.network.world import staff
from tests.paper import STEPS, Sale

ORDER_STEPS = {"pay": pay, "ship": ship, "deliver": deliver, "cancel": cancel, "close": close}


class Goods(People):
    """What happens to goods."""

    async def place(self, one: int, two: int, three: int) -> None:
        """An order."""
        await self._place(one, two, three, paid=False)

    async def sell(self, one: int, two: int, three: int) -> None:
        """Place as paid."""
        await self._place(one, two, three, paid=True)

    async def whole_sale(self, one: int, two: int, three: int) -> None:
        """Sold, shipped and delivered; then time goes by."""
        before = len(self.orders)
        await self.sell(one, two, three)
        if len(self.orders) > before:
            sale = self.paper.sales[-1]
            step = [OrderStep(order_id=self.orders[-1], idempotency_key=self.key())]
            await ship(step, staff())
            await deliver(step, staff())
            self.paper.deliver(sale, self.now)
            await self.wait(3 * one)

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
        self.paper.sales.append(Sale(seller, asked.self_purchase, lines, three))
        if paid:
            self.paper.pay(self.paper.sales[-1], self.today)

    def _line(self, numbers: tuple[int, int]) -> tuple[str, str | None, int, int]:
        sku, quantity = list(PRODUCTS)[numbers[0] % len(PRODUCTS)], 1 + numbers[1] % 7
        priced = self.paper.program.price_policy.products.get(sku)
        return sku, PRODUCTS[sku], quantity, numbers[1] if priced is None else priced.guide_price_minor * quantity

    async def order_step(self, kind: str, one: int) -> None:
        """A step of some order, mostly of one that may take it."""
        if not self.orders:
            return
        fit = [i for i, sale in enumerate(self.paper.sales) if kind in STEPS and sale.state == STEPS[kind][0]]
        number = fit[one % len(fit)] if fit and one % 4 else one % len(self.orders)
        sale = self.paper.sales[number]
        doing = ORDER_STEPS[kind]([OrderStep(order_id=self.orders[number], idempotency_key=self.key())], staff())
        if kind == "cancel":
            await agreed(self.paper.cancel(sale, self.now), doing)
            return
        needed, reached = STEPS[kind]
        await agreed(sale.state == needed, doing)
        if sale.state != needed:
            return
        sale.state = reached
        if kind == "pay":
            self.paper.pay(sale, self.today)
        elif kind == "deliver":
            self.paper.deliver(sale, self.now)

    async def ask_back(self, one: int, two: int, three: int) -> None:
        """Some pieces of a line are to come back, or all that is left of an order; often after their time."""
        if not self.orders:
            return
        fit = [i for i, sale in enumerate(self.paper.sales) if sale.state in {"delivered", "closed"}]
        number = fit[one % len(fit)] if fit and one % 8 else one % len(self.orders)
        sale = self.paper.sales[number]
        line = two % len(sale.lines)
        pieces = {line: 1 + three % sale.lines[line][2]} if two % 3 else None
        late = bool(three % 4)
        ids = [row.id for row in (await lines_of([self.orders[number]]))[self.orders[number]]]
        command = RequestReturn(
            order_id=self.orders[number],
            lines=[LineBack(line_id=ids[at], quantity=quantity) for at, quantity in (pieces or {}).items()],
            reason="test",
            override_reason="agreed" if late else None,
            idempotency_key=self.key(),
        )
        if self.paper.ask_back(sale, pieces, self.now, late=late) is None:
            await refused(request_return(command, staff()))
            return
        self.backs.append((await request_return(command, staff())).id)

    def _back(self, one: int, *states: str) -> int:
        """A return, mostly one in these states."""
        fit = [i for i, back in enumerate(self.paper.backs) if back.state in states]
        return fit[one % len(fit)] if fit and one % 4 else one % len(self.backs)

    async def decide_back(self, one: int, two: int, _: int) -> None:
        """A return is approved, turned down or taken back."""
        if not self.backs:
            return
        number = self._back(one, "requested")
        verdict = ("approved", "approved", "rejected", "withdrawn")[two % 4]
        doing = {
            "approved": lambda id_: approve_return(id_, staff()),
            "rejected": lambda id_: reject_return(id_, "test", staff()),
            "withdrawn": lambda id_: withdraw_return(id_, staff()),
        }[verdict](self.backs[number])
        await agreed(self.paper.decide_back(self.paper.backs[number], verdict), doing)

    async def receive(self, one: int, two: int, _: int) -> None:
        """Goods arrive."""
        if not self.backs:
            return
        number = self._back(one, "approved")
        back = self.paper.backs[number]
        command = ReceiveReturn(return_id=self.backs[number], sellable=bool(two % 2), idempotency_key=self.key())
        if not self.paper.receive(back, self.today):
            await refused(receive_return(command, staff()))
            return
        assert (await receive_return(command, staff())).goods_minor == back.refund

    async def refund(self, one: int, two: int, _: int) -> None:
        """A customer has its money back."""
        if not self.backs:
            return
        number = self._back(one, "received")
        back = self.paper.backs[number]
        freight = (0, back.sale.freight, two)[two % 3]
        command = RefundReturn(return_id=self.backs[number], freight_minor=freight, idempotency_key=self.key())
        if not self.paper.refund(back, freight):
            await refused(refund_return(command, staff()))
            return
        assert (await refund_return(command, staff())).refunded_minor == back.refund + freight

    async def bring_back(self, one: int, two: int, three: int) -> None:
        """A return from the question to the goods."""
        before = len(self.backs)
        await self.ask_back(one, two, three)
        if len(self.backs) > before:
            await approve_return(self.backs[-1], staff())
            self.paper.decide_back(self.paper.backs[-1], "approved")
            command = ReceiveReturn(return_id=self.backs[-1], sellable=True, idempotency_key=self.key())
            self.paper.receive(self.paper.backs[-1], self.today)
            await receive_return(command, staff())
