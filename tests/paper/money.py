"""Periods, settlements, payouts and debts on paper."""

from datetime import date, datetime, timedelta
from fractions import Fraction

from tenants.program.components import TieredRebate
from tests.commissions.naive import half_up
from tests.paper.goods import Goods
from tests.paper.things import UNDER_WAY, Award, Batch, Decision, Request, WriteOff

PAYABLE = {"active", "exited"}
ACCOUNTS = {"adjustment": "commission_expense", "penalty": "penalties"}
"""What is decided, and the brand's account on the other side."""
FORGOTTEN = timedelta(minutes=30)
"""How long a bank that knows nothing of a payout is not believed."""


class Paper(Goods):
    """The whole brand. A method answers whether the step is allowed, and takes it if so."""

    # -- periods -------------------------------------------------------------------------------------------------------

    def release(self, through: datetime) -> int:
        """What is held no longer becomes available; answers how many shares."""
        due = [one for one in self.earnings("pending") if one.hold is not None and one.hold <= through]
        for earning in due:
            self.turn(earning, "available", (earning.owner, "available"))
        return len(due)

    def settle(self, until: datetime) -> tuple[int, int, int, int]:
        """Close a settlement; answers what it settles of commission, awards, adjustments and penalties."""
        self.release(until)
        due = [one for one in self.earnings("available") if one.hold is not None and one.hold < until]
        for earning in due:
            self.turn(earning, "settled", (earning.owner, "settled"))
        awards = [one for one in self.awards if one.state == "available" and one.earned_at <= until]
        for award in awards:
            award.state = "settled"
            self.money[award.owner, "available"] -= award.amount
            self.money[award.owner, "settled"] += award.amount
        decided = [one for one in self.decisions if one.state == "approved"]
        for one in decided:
            one.state = "settled"
            self.money[one.owner, "settled"] += one.amount
            self.money["", ACCOUNTS[one.kind]] -= one.amount
        adjusted, penalties = (sum(one.amount for one in decided if one.kind == kind) for kind in ACCOUNTS)
        return sum(one.amount - one.back for one in due), sum(one.amount for one in awards), adjusted, penalties

    def close_month(self, first: date, until: date, since: datetime, end: datetime, now: datetime) -> int:
        """Reward and review a month ``[first, until)`` that was over at ``end``; answers what it brought."""
        sales = dict.fromkeys(self.people, 0)
        for (code, day), amount in self.came_back.items():
            sales[code] -= amount if str(first) <= day < str(until) else 0
        for sale in self.sales:
            amount, undone = sum(line[3] for line in sale.lines), sale.undone_at
            if sale.day is not None and first <= sale.day < until and (undone is None or undone >= end):
                sales[sale.seller] += amount
            if sale.day is not None and sale.day < first and undone is not None and since <= undone < end:
                sales[sale.seller] -= amount
        last, brought = end - timedelta.resolution, 0
        for rebate in self.program.commission.components:
            for code, person in self.people.items():
                if isinstance(rebate, TieredRebate) and (person.at(last) or ("", ""))[1] == "active":
                    amount = _rebate(rebate, sales[code])
                    brought += amount
                    if amount:
                        self.awards.append(Award(code, amount, end))
                        self.money[code, "available"] += amount
                        self.money["", "commission_expense"] -= amount
        for code in self.people:
            self._review(code, sales[code], last, now)
        return brought

    def _review(self, code: str, sold: int, last: datetime, now: datetime) -> None:
        """Up to the highest tier that was reached, or down by one; not who stood elsewhere at the month's end."""
        person, tiers = self.people[code], [tier.code for tier in self.program.tiers]
        if person.status != "active" or person.at(last) != (person.tier, "active"):
            return
        rank = tiers.index(person.tier)
        reached = [
            number
            for number, tier in enumerate(self.program.tiers)
            if number > rank and tier.promotion is not None and sold >= tier.promotion.at_least_minor  # type: ignore[union-attr]  # the documents of lives go by own sales
        ]
        keep = self.program.tiers[rank].keep
        if reached:
            rank = reached[-1]
        elif keep is not None and sold < keep.at_least_minor and rank:  # type: ignore[union-attr]
            rank -= 1
        if tiers[rank] != person.tier:
            person.tier = tiers[rank]
            person.now(now)

    # -- payouts -------------------------------------------------------------------------------------------------------

    def set_card(self, code: str, pays_to: str, now: datetime, *, has_invoice: bool) -> bool:
        """Give another destination, that nobody looked at yet."""
        person = self.people[code]
        if any(one.owner == code and one.state in UNDER_WAY for one in self.payouts):
            return False
        days = self.program.settlement.cooling_days
        person.pays_to, person.has_invoice, person.verified = pays_to, has_invoice, False
        person.usable_from = now + timedelta(days=days) if days else None
        return True

    def request(self, owner: str, amount: int | None) -> Request | None:
        """Ask for an amount, or for everything; none when it is not allowed."""
        policy, person, settled = self.program.settlement, self.people[owner], self.money[owner, "settled"]
        most = settled if policy.maximum_payout_minor is None else policy.maximum_payout_minor
        wanted = min(settled, most) if amount is None else amount
        fee = half_up(Fraction(wanted * policy.fee_bps, 10_000))
        withheld = 0 if person.has_invoice else self._withheld(wanted)
        least = 1 if person.status == "exited" else max(policy.minimum_payout_minor, 1)  # no rest stays for ever
        enough = least <= wanted <= min(settled, most)
        if person.status not in PAYABLE or not person.verified or not enough or wanted - fee - withheld <= 0:
            return None
        made = Request(owner, wanted, fee, withheld)
        self.payouts.append(made)
        self._carry(made, "settled", "payout")
        return made

    def _withheld(self, amount: int) -> int:
        policy = self.program.settlement
        brackets = sorted((one.from_minor, one.rate_bps) for one in policy.withholding_brackets)
        if not brackets:
            return half_up(Fraction(amount * policy.withholding_without_invoice_bps, 10_000))
        if policy.withholding_applies == "WHOLE":
            rate = max((one for one in brackets if one[0] <= amount), default=(0, 0))[1]
            return half_up(Fraction(amount * rate, 10_000))
        sums = Fraction(0)
        for number, (since, rate) in enumerate(brackets):
            above = brackets[number + 1][0] if number + 1 < len(brackets) else amount
            sums += Fraction(max(min(amount, above) - since, 0) * rate, 10_000)
        return half_up(sums)

    def finish(self, payout: Request, state: str) -> None:
        """Paid, failed or cancelled."""
        payout.state = state
        if state != "paid":
            self._carry(payout, "payout", "settled")
            return
        self.money[payout.owner, "payout"] -= payout.requested
        self.money["", "fee_income"] += payout.fee
        self.money["", "withholding"] += payout.withheld
        self.money["", "cash"] += payout.requested - payout.fee - payout.withheld

    def _carry(self, payout: Request, source: str, target: str) -> None:
        self.money[payout.owner, source] -= payout.requested
        self.money[payout.owner, target] += payout.requested

    def gather(self, provider: str, now: datetime) -> Batch | None:
        """Everybody who waits, is not on hold, and can be paid this way, to a destination that has cooled down."""
        found = [one for one in self.payouts if one.state == "requested" and self._can_be_paid(one, provider, now)]
        if not found:
            return None
        for one in found:
            one.state = "batched"
        self.batches.append(Batch(provider, found))
        return self.batches[-1]

    def _can_be_paid(self, payout: Request, provider: str, now: datetime) -> bool:
        person = self.people[payout.owner]
        cooled = person.usable_from is None or person.usable_from <= now
        return person.status in PAYABLE and cooled and (provider == "manual" or person.pays_to == "wechat")

    def cancel_batch(self, batch: Batch) -> bool:
        """Its payouts wait again; once more changes nothing."""
        if batch.state not in {"open", "approved", "cancelled"}:
            return False
        for one in batch.payouts:
            one.state = "requested"
        batch.state, batch.payouts = "cancelled", []
        return True

    def submit(self, batch: Batch) -> bool:
        """Off it goes, without those put on hold meanwhile; a file is written again until a result is known."""
        if batch.state == "submitted":
            return batch.provider != "manual" or all(one.state == "sent" for one in batch.payouts)
        ready = [one for one in batch.payouts if self.people[one.owner].status in PAYABLE]
        if batch.state != "approved" or not ready:
            return False
        for one in batch.payouts:
            one.state = "requested" if one not in ready else "sent" if batch.provider == "manual" else "batched"
        batch.state, batch.payouts = "submitted", ready
        return True

    def result(self, payout: Request, outcome: str) -> bool:
        """A person says what became of it; the same again changes nothing."""
        if payout.state in {"unknown", "sent"}:
            self.finish(payout, outcome)
            self.complete()
            return True
        return payout.state == outcome

    def complete(self) -> None:
        """A batch ends with its last result."""
        for batch in self.batches:
            if batch.state == "submitted" and all(one.state in {"paid", "failed"} for one in batch.payouts):
                batch.state = "completed"

    def over_the_network(self, payout: Request, manner: str, now: datetime, *, done: bool) -> None:
        """One more turn of a payout through a bank that meets it in a manner."""
        if payout.state == "batched":
            payout.attempted_at = now
            payout.state = {"paid": "sent", "failed": "sent"}.get(manner, "unknown")
            if manner == "refused":
                self.finish(payout, "failed")
        elif payout.state in {"unknown", "sent"} and manner == "dropped":
            if payout.attempted_at is not None and now - payout.attempted_at > FORGOTTEN:
                self.finish(payout, "failed")
        elif payout.state in {"unknown", "sent"}:
            payout.state = "sent"
            if done:
                self.finish(payout, "failed" if manner == "failed" else "paid")
        self.complete()

    # -- decisions -----------------------------------------------------------------------------------------------------

    def decide(self, owner: str, amount: int, kind: str) -> Decision | None:
        """Ask for an adjustment, or for a penalty of so much."""
        if not (amount > 0 if kind == "penalty" else amount) or self._is_closed(owner):
            return None
        self.decisions.append(Decision(owner, -amount if kind == "penalty" else amount, kind))
        return self.decisions[-1]

    def lift(self, penalty: Decision) -> Decision | None:
        """Ask for a penalty to be given back, which nobody asked for that is not turned down."""
        asked = [one for one in self.decisions if one.lifts is penalty and one.state != "rejected"]
        is_penalty = penalty.kind == "penalty" and penalty.lifts is None
        if not is_penalty or penalty.state not in {"approved", "settled"} or asked or self._is_closed(penalty.owner):
            return None
        self.decisions.append(Decision(penalty.owner, -penalty.amount, "penalty", penalty))
        return self.decisions[-1]

    def answer(self, decision: Decision, verdict: str) -> bool:
        """Agree, or turn it down."""
        if decision.state != "requested":
            return False
        decision.state = verdict
        return True

    def _is_closed(self, owner: str) -> bool:
        return any(one.code == owner and one.state == "closed" for one in self.exits)

    # -- debts ---------------------------------------------------------------------------------------------------------

    def ask_write_off(self, owner: str, amount: int) -> WriteOff | None:
        """Ask to give up what somebody owes, or a part of it."""
        if not 0 < amount <= -self.money[owner, "settled"]:
            return None
        self.write_offs.append(WriteOff(owner, amount))
        return self.write_offs[-1]

    def decide_write_off(self, asked: WriteOff, verdict: str) -> bool:
        """Approve, as long as that much is still owed, or reject."""
        if asked.state != "requested":
            return False
        if verdict == "approved":
            if asked.amount > -self.money[asked.owner, "settled"]:
                return False
            self.money[asked.owner, "settled"] += asked.amount
            self.money["", "commission_expense"] -= asked.amount
        asked.state = verdict
        return True


def _rebate(rebate: TieredRebate, sales: int) -> int:
    """All of it at the rate of the highest band that was reached."""
    rate = max(((one.from_minor, one.rate_bps) for one in rebate.bands if one.from_minor <= sales), default=(0, 0))[1]
    return half_up(Fraction(sales * rate, 10_000))
