"""Periods are closed, payouts go out and come back, debts are given up."""

from dataclasses import replace

from saas.base.errors import DomainError
from saas.payouts import commands as payouts
from saas.payouts.rules import Outcome
from saas.payouts.sending import carry_out
from saas.performance.commands import ClosePeriod, close_period
from saas.returns.write_offs import RequestWriteOff, approve_write_off, reject_write_off, request_write_off
from saas.settlement.adjusted import AdjustmentKind
from saas.settlement.adjustments import (
    NewAdjustment,
    RequestAdjustments,
    approve_adjustments,
    reject_adjustments,
    request_adjustments,
)
from saas.settlement.commands import CloseSettlement, release_due
from saas.settlement.commands import close as close_settlement
from saas.settlement.penalties import Lift, LiftPenalties, lift_penalties
from tenants.actors import Role
from tenants.program.calendar import period_bounds, period_days
from tests.house.goods import Goods
from tests.house.ground import ZONE, agreed, finance, refused
from tests.network.world import staff
from tests.payouts.wechat import settings
from tests.torture.bank import MANNERS


class Purse(Goods):
    """What happens to money."""

    async def release(self, *_: int) -> None:
        """What is held no longer."""
        expected = await release_due(staff(), dry_run=True)
        assert await release_due(staff()) == self.paper.release(self.now) == expected

    async def settle(self, *_: int) -> None:
        """The next settlement, if its period is over."""
        try:
            closed = await close_settlement(CloseSettlement(idempotency_key=self.key()), staff())
        except DomainError:
            return
        assert closed.period.until <= self.now
        stated = (closed.commission_minor, closed.awards_minor, closed.adjusted_minor, closed.penalties_minor)
        assert stated == self.paper.settle(closed.period.until)

    async def close_month(self, *_: int) -> None:
        """The next month, if it is over; closed again it changes nothing."""
        command = ClosePeriod(length="month", day=self.month, idempotency_key=self.key())
        first, until = period_days("month", self.month)
        since, end = period_bounds("month", self.month, ZONE)
        if end > self.now:
            await refused(close_period(command, finance()))
            return
        closed = await close_period(command, finance())
        assert closed.awards_minor == self.paper.close_month(first, until, since, end, self.now)
        assert (await close_period(replace(command, idempotency_key=self.key()), finance())).id == closed.id
        self.month = until

    # -- payouts -------------------------------------------------------------------------------------------------------

    async def request(self, one: int, two: int, _: int) -> None:
        """Somebody asks for money."""
        rich = [code for code in self.paper.people if self.paper.money[code, "settled"] > 0]
        owner = rich[one % len(rich)] if rich and one % 4 else self.somebody(one)
        settled = self.paper.money[owner, "settled"]
        amount = (None, max(settled, 0) // (1 + two % 3), two)[two % 3]
        asked = payouts.RequestPayout(distributor_id=self.ids[owner], amount_minor=amount, idempotency_key=self.key())
        made = self.paper.request(owner, amount)
        if made is None:
            await refused(payouts.request_payout(asked, staff()))
            return
        view = await payouts.request_payout(asked, staff())
        amounts = view.amounts
        assert (amounts.requested_minor, amounts.fee_minor, amounts.withheld_minor) == (
            made.requested,
            made.fee,
            made.withheld,
        )
        self.asked.append(view.id)

    async def withdraw(self, one: int, *_: int) -> None:
        """A request is taken back."""
        if not self.asked:
            return
        number = one % len(self.asked)
        payout = self.paper.payouts[number]
        command = payouts.CancelPayout(payout_id=self.asked[number], idempotency_key=self.key())
        await agreed(payout.state in {"requested", "cancelled"}, payouts.cancel_payout(command, staff()))
        if payout.state == "requested":
            self.paper.finish(payout, "cancelled")

    async def gather(self, one: int, *_: int) -> None:
        """A batch is made."""
        provider = ("manual", "wechat_pay")[one % 2]
        if provider == "wechat_pay" and not self.has_account:
            account = payouts.SetAccount(provider=provider, settings=settings())
            await payouts.set_account(account, replace(staff(), role=Role.OWNER))
            self.has_account = True
        command = payouts.CreateBatch(provider=provider, idempotency_key=self.key())
        made = self.paper.gather(provider, self.now)
        if made is None:
            await refused(payouts.create_batch(command, staff()))
            return
        view = await payouts.create_batch(command, staff())
        assert view.payouts == len(made.payouts)
        self.batches.append(view.id)

    def _batch(self, one: int, *states: str) -> int:
        """A batch, mostly one in these states."""
        fit = [i for i, batch in enumerate(self.paper.batches) if batch.state in states]
        return fit[one % len(fit)] if fit and one % 8 else one % len(self.batches)

    async def approve(self, one: int, *_: int) -> None:
        """A second person agrees to a batch."""
        if self.batches:
            number = self._batch(one, "open")
            batch = self.paper.batches[number]
            await agreed(batch.state == "open", payouts.approve_batch(self.batches[number], staff()))
            batch.state = "approved" if batch.state == "open" else batch.state

    async def undo(self, one: int, *_: int) -> None:
        """A batch is given up."""
        if self.batches:
            number = self._batch(one, "open", "approved")
            allowed = self.paper.cancel_batch(self.paper.batches[number])
            await agreed(allowed, payouts.cancel_batch(self.batches[number], staff()))

    async def submit(self, one: int, *_: int) -> None:
        """A batch goes out."""
        if self.batches:
            number = self._batch(one, "approved", "submitted")
            allowed = self.paper.submit(self.paper.batches[number])
            await agreed(allowed, payouts.submit_batch(self.batches[number], staff()))

    async def result(self, one: int, two: int, _: int) -> None:
        """A person says what became of a payout."""
        if not self.asked:
            return
        fit = [i for i, payout in enumerate(self.paper.payouts) if payout.state in {"sent", "unknown"}]
        number = fit[one % len(fit)] if fit and one % 4 else one % len(self.asked)
        outcome = Outcome.FAILED if two % 3 == 0 else Outcome.PAID
        command = payouts.RecordResult(payout_id=self.asked[number], outcome=outcome, idempotency_key=self.key())
        allowed = self.paper.result(self.paper.payouts[number], outcome)
        await agreed(allowed, payouts.record_result(command, staff()))

    async def carry(self, one: int, two: int, _: int) -> None:
        """What goes over the network is sent, or asked for; the bank meets each in a manner of its own."""
        found = [i for i, batch in enumerate(self.paper.batches) if batch.provider == "wechat_pay"]
        if not found:
            return
        number = found[one % len(found)]
        batch = self.paper.batches[number]
        self.bank.done = bool(two % 2)
        going = list(zip(self.asked, self.paper.payouts, strict=True))
        for at, (id_, payout) in enumerate(going):
            if any(payout is other for other in batch.payouts):
                self.bank.manners.setdefault(id_, MANNERS[(two + at) % len(MANNERS)])
        await carry_out(self.batches[number])
        if batch.state != "submitted":
            return
        for id_, payout in going:
            if any(payout is other for other in batch.payouts):
                self.paper.over_the_network(payout, self.bank.manners[id_], self.now, done=self.bank.done)

    async def pay_out(self, one: int, two: int, three: int) -> None:
        """A batch from the gathering to the results."""
        before = len(self.batches)
        await self.gather(one)
        if len(self.batches) == before:
            return
        number, batch = before, self.paper.batches[before]
        await payouts.approve_batch(self.batches[number], staff())
        batch.state = "approved"
        await agreed(self.paper.submit(batch), payouts.submit_batch(self.batches[number], staff()))
        for payout in list(batch.payouts) if batch.provider == "manual" else ():
            at = next(i for i, other in enumerate(self.paper.payouts) if other is payout)
            outcome = Outcome.FAILED if two >> at & 1 else Outcome.PAID
            said = payouts.RecordResult(payout_id=self.asked[at], outcome=outcome, idempotency_key=self.key())
            await agreed(self.paper.result(payout, outcome), payouts.record_result(said, staff()))
        if batch.provider != "manual":
            await self.carry(0, two, three)

    # -- decisions -----------------------------------------------------------------------------------------------------

    async def ask_decision(self, one: int, two: int, three: int) -> None:
        """Somebody asks for an adjustment or a penalty."""
        owner, kind = self.somebody(one), list(AdjustmentKind)[two % 2]
        amount = three % 1_000 - 300
        line = NewAdjustment(distributor_id=self.ids[owner], amount_minor=amount, reason="test", kind=kind)
        asked = RequestAdjustments(adjustments=[line], idempotency_key=self.key())
        if self.paper.decide(owner, amount, kind) is None:
            await refused(request_adjustments(asked, finance()))
            return
        self.decisions.append((await request_adjustments(asked, finance())).adjustments[0].id)

    async def ask_lift(self, one: int, *_: int) -> None:
        """Somebody asks for a penalty to be given back."""
        fit = [i for i, decision in enumerate(self.paper.decisions) if decision.amount < 0]
        if not fit:
            return
        number = fit[one % len(fit)]
        asked = LiftPenalties(penalties=[Lift(self.decisions[number], "test")], idempotency_key=self.key())
        if self.paper.lift(self.paper.decisions[number]) is None:
            await refused(lift_penalties(asked, finance()))
            return
        self.decisions.append((await lift_penalties(asked, finance())).adjustments[0].id)

    async def answer(self, one: int, two: int, _: int) -> None:
        """A second person decides, mostly about what waits."""
        if not self.decisions:
            return
        fit = [i for i, decision in enumerate(self.paper.decisions) if decision.state == "requested"]
        number = fit[one % len(fit)] if fit and one % 8 else one % len(self.decisions)
        verdict, decide = ("approved", approve_adjustments) if two % 4 else ("rejected", reject_adjustments)
        allowed = self.paper.answer(self.paper.decisions[number], verdict)
        await agreed(allowed, decide([self.decisions[number]], finance()))

    # -- debts ---------------------------------------------------------------------------------------------------------

    async def forgive(self, one: int, two: int, _: int) -> None:
        """Somebody asks that a debt, or a part of it, be given up."""
        owing = [code for code in self.paper.people if self.paper.money[code, "settled"] < 0]
        owner = owing[one % len(owing)] if owing and one % 8 else self.somebody(one)
        amount = -self.paper.money[owner, "settled"] // (1 + two % 2)
        command = RequestWriteOff(
            distributor_id=self.ids[owner], amount_minor=amount, reason="test", idempotency_key=self.key()
        )
        if self.paper.ask_write_off(owner, amount) is None:
            await refused(request_write_off(command, finance()))
            return
        self.write_offs.append((await request_write_off(command, finance())).id)

    async def decide_debt(self, one: int, two: int, _: int) -> None:
        """A second person decides about it."""
        if not self.write_offs:
            return
        number = one % len(self.write_offs)
        verdict = "approved" if two % 3 else "rejected"
        decide = approve_write_off if two % 3 else reject_write_off
        allowed = self.paper.decide_write_off(self.paper.write_offs[number], verdict)
        await agreed(allowed, decide(self.write_offs[number], finance()))
