"""A brand on paper: its tree, its orders and everybody's money in plain dictionaries, written from docs/rules.md.

Shares no code with the house but the program document; amounts come from the naive rules of commission.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from uuid import UUID

from saas.commissions.rules import Line, Member
from tenants.program.components import Pool
from tenants.program.document import Program
from tests.commissions.naive import half_up, naive_amounts

Money = Counter[tuple[str, str]]
"""Amounts by distributor and account; the brand's own accounts are under the empty name."""
STEPS = {"pay": ("placed", "paid"), "ship": ("paid", "shipped"), "deliver": ("shipped", "delivered")}
PAYABLE = {"active", "exited"}


@dataclass
class Person:
    """A distributor."""

    id: UUID
    sponsor: str | None
    tier: str
    status: str = "active"
    has_invoice: bool = False


@dataclass
class Earning:
    """A share of an order on its way: pending, available, settled, or gone."""

    owner: str
    amount: int
    state: str = "pending"
    hold: datetime | None = None


@dataclass
class Sale:
    """An order; ``lines`` are (SKU, category, quantity, amount)."""

    seller: str
    own: bool
    lines: list[tuple[str, str | None, int, int]]
    state: str = "placed"
    day: date | None = None
    earnings: list[Earning] = field(default_factory=list)
    amounts: list[dict[tuple[str, int], int]] = field(default_factory=list)
    """Of each line, what each component pays each level."""
    bases: list[int] = field(default_factory=list)


@dataclass
class Request:
    """A payout."""

    owner: str
    requested: int
    fee: int
    withheld: int
    state: str = "requested"


@dataclass
class Paper:
    """The brand. A method answers whether the step is allowed, and takes it if so."""

    program: Program
    people: dict[str, Person] = field(default_factory=dict)
    sales: list[Sale] = field(default_factory=list)
    payouts: list[Request] = field(default_factory=list)
    money: Money = field(default_factory=Counter)

    # -- the tree ------------------------------------------------------------------------------------------------------

    def chain(self, code: str | None) -> Iterator[str]:
        """Somebody and everybody above."""
        while code is not None:
            yield code
            code = self.people[code].sponsor

    def move(self, code: str, sponsor: str | None) -> bool:
        """Hang somebody elsewhere; where it hangs already is allowed and changes nothing."""
        mover = self.people[code]
        if mover.status == "exited":
            return False
        if sponsor != mover.sponsor:
            if sponsor is not None and (code in self.chain(sponsor) or self.people[sponsor].status != "active"):
                return False
            mover.sponsor = sponsor
        return True

    def set_status(self, code: str, expected: str, status: str) -> bool:
        """Suspend or reinstate."""
        allowed = self.people[code].status == expected
        if allowed:
            self.people[code].status = status
        return allowed

    def leave(self, code: str, kind: str) -> bool:
        """An exit, from quote to execution."""
        leaver = self.people[code]
        if leaver.status not in {"active", "suspended"}:
            return False
        terms = self.program.exit.breach if kind == "breach" else self.program.exit.voluntary
        heir = leaver.sponsor if terms.downline_to == "sponsor" else None
        leaver.status = "exited"
        for person in self.people.values():
            if person.sponsor == code:
                person.sponsor = heir
        if terms.pending == "forfeit":
            for earning in self._earnings("pending"):
                if earning.owner == code:
                    self._turn(earning, "gone", ("", "forfeited"))
        return True

    # -- orders --------------------------------------------------------------------------------------------------------

    def pay(self, sale: Sale, day: date) -> None:
        """Commission of each line, by today's tree and program, is pending."""
        sale.state, sale.day = "paid", day
        codes = list(self.chain(sale.seller))
        chain = [Member(p.id, p.tier, p.status) for p in (self.people[code] for code in codes)]
        owners = {person.id: code for code, person in self.people.items()}
        for sku, category, quantity, amount in sale.lines:
            line = Line(sku, category, quantity, amount, day, sale.own)
            paid = naive_amounts(self.program, line, chain)
            sale.amounts.append({key: part for key, part in paid.items() if part})
            sale.bases.append(self._base(amount))
            for (component, level), part in paid.items():
                if part:
                    seat = self._seat(component, level, chain)
                    earning = Earning(owners[seat.id], part)
                    sale.earnings.append(earning)
                    self.money[earning.owner, "pending"] += part
                    self.money["", "commission_expense"] -= part

    def _seat(self, component: str, level: int, chain: list[Member]) -> Member:
        if level == 0 or self.program.commission.inactive_upline == "keep":
            return chain[level]
        return [member for member in chain[1:] if member.status == "active"][level - 1]

    def _base(self, amount: int) -> int:
        base = self.program.commission.base
        return half_up(Fraction(amount * base.share_bps, 10_000)) if isinstance(base, Pool) else amount

    def deliver(self, sale: Sale, now: datetime) -> None:
        """The hold begins."""
        sale.state = "delivered"
        for earning in sale.earnings:
            earning.hold = now + timedelta(days=self.program.settlement.hold_days)

    def cancel(self, sale: Sale) -> bool:
        """Before shipping; what is still pending goes back."""
        if sale.state not in {"placed", "paid"}:
            return False
        sale.state = "cancelled"
        for earning in sale.earnings:
            if earning.state == "pending":
                self._turn(earning, "gone", ("", "commission_expense"))
        return True

    # -- money ---------------------------------------------------------------------------------------------------------

    def release(self, through: datetime) -> int:
        """What is held no longer becomes available; answers how many shares."""
        due = [one for one in self._earnings("pending") if one.hold is not None and one.hold <= through]
        for earning in due:
            self._turn(earning, "available", (earning.owner, "available"))
        return len(due)

    def settle(self, until: datetime) -> int:
        """Close a period; answers what it settles."""
        self.release(until)
        due = [one for one in self._earnings("available") if one.hold is not None and one.hold < until]
        for earning in due:
            self._turn(earning, "settled", (earning.owner, "settled"))
        return sum(earning.amount for earning in due)

    def _earnings(self, state: str) -> list[Earning]:
        return [earning for sale in self.sales for earning in sale.earnings if earning.state == state]

    def _turn(self, earning: Earning, state: str, account: tuple[str, str]) -> None:
        self.money[earning.owner, earning.state] -= earning.amount
        self.money[account] += earning.amount
        earning.state = state

    def request(self, owner: str, amount: int | None) -> Request | None:
        """Ask for an amount, or for everything; none when it is not allowed."""
        policy, person = self.program.settlement, self.people[owner]
        wanted = self.money[owner, "settled"] if amount is None else amount
        fee = half_up(Fraction(wanted * policy.fee_bps, 10_000))
        rate = 0 if person.has_invoice else policy.withholding_without_invoice_bps
        withheld = half_up(Fraction(wanted * rate, 10_000))
        least = 1 if person.status == "exited" else max(policy.minimum_payout_minor, 1)  # no rest stays for ever
        enough = least <= wanted <= self.money[owner, "settled"]
        if person.status not in PAYABLE or not enough or wanted - fee - withheld <= 0:
            return None
        made = Request(owner, wanted, fee, withheld)
        self.payouts.append(made)
        self._carry(made, "settled", "payout")
        return made

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

    # -- what the house must agree with --------------------------------------------------------------------------------

    def sold(self) -> Counter[tuple[str, str]]:
        """What each sold on each day: orders that were paid and not cancelled."""
        sums: Counter[tuple[str, str]] = Counter()
        for sale in self.sales:
            if sale.day is not None and sale.state != "cancelled":
                sums[sale.seller, str(sale.day)] += sum(line[3] for line in sale.lines)
        return sums
