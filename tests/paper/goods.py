"""Orders and returns on paper."""

from datetime import date, datetime, timedelta
from fractions import Fraction

from saas.commissions.rules import Line, Member
from tenants.program.components import Pool
from tests.commissions.naive import half_up, naive_amounts
from tests.paper.things import Back, Earning, Sale
from tests.paper.tree import Tree

STEPS = {
    "pay": ("placed", "paid"),
    "ship": ("paid", "shipped"),
    "deliver": ("shipped", "delivered"),
    "close": ("delivered", "closed"),
}


class Goods(Tree):
    """A method answers whether the step is allowed, and takes it if so."""

    def pay(self, sale: Sale, day: date) -> None:
        """Commission of each line, by today's tree and program, is pending."""
        sale.state, sale.day = "paid", day
        codes = list(self.chain(sale.seller))
        sale.team = frozenset(codes)
        chain = [Member(p.id, p.tier, p.status) for p in (self.people[code] for code in codes)]
        owners = {person.id: code for code, person in self.people.items()}
        for number, (sku, category, quantity, amount) in enumerate(sale.lines):
            line = Line(sku, category, quantity, amount, day, sale.own)
            paid = naive_amounts(self.program, line, chain)
            sale.amounts.append({key: part for key, part in paid.items() if part})
            sale.bases.append(self._base(amount))
            for (component, level), part in paid.items():
                if part:
                    seat = self._seat(component, level, chain)
                    earning = Earning(owners[seat.id], number, part)
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
        sale.state, sale.delivered_at = "delivered", now
        for earning in sale.earnings:
            earning.hold = now + timedelta(days=self.program.settlement.hold_days)

    def cancel(self, sale: Sale, now: datetime) -> bool:
        """Before shipping; what is still pending goes back."""
        if sale.state not in {"placed", "paid"}:
            return False
        sale.state, sale.undone_at = "cancelled", now
        for earning in sale.earnings:
            if earning.state == "pending":
                self.turn(earning, "gone", ("", "commission_expense"))
        return True

    def ask_back(self, sale: Sale, pieces: dict[int, int] | None, now: datetime, *, late: bool) -> Back | None:
        """Ask to send pieces back, or all that are left; ``late`` lets the brand take them after their time."""
        left = {number: line[2] - sale.claimed[number] for number, line in enumerate(sale.lines)}
        wanted = {number: rest for number, rest in left.items() if rest} if pieces is None else pieces
        if sale.state not in {"delivered", "closed"} or sale.delivered_at is None or not wanted:
            return None
        if any(not 0 < quantity <= left[number] for number, quantity in wanted.items()):
            return None
        terms = self.program.returns
        for number in wanted:
            days = terms.products.get(sale.lines[number][0], terms.window_days)
            if now >= sale.delivered_at + timedelta(days=days) and not late:
                return None
        sale.claimed.update(wanted)
        self.backs.append(Back(sale, wanted))
        return self.backs[-1]

    def decide_back(self, back: Back, verdict: str) -> bool:
        """Approve, reject or withdraw."""
        needed = {"requested"} if verdict == "approved" else {"requested", "approved"}
        if back.state not in needed:
            return False
        back.state = verdict
        if verdict != "approved":
            back.sale.claimed.subtract(back.pieces)
        return True

    def receive(self, back: Back, day: date) -> bool:
        """The goods are there: everybody who earned by them earns that much less, wherever the money is by now."""
        if back.state != "approved":
            return False
        back.state, sale = "received", back.sale
        for number, quantity in back.pieces.items():
            _, _, pieces, amount = sale.lines[number]
            sale.returned[number] += quantity
            refund = half_up(Fraction(amount * sale.returned[number], pieces)) - sale.refunded[number]
            sale.refunded[number] += refund
            back.refund += refund
            for earning in sale.earnings:
                if earning.line == number:
                    self._take_back(earning, half_up(Fraction(earning.amount * sale.returned[number], pieces)))
        self.came_back[sale.seller, str(day)] += back.refund
        return True

    def _take_back(self, earning: Earning, of_it: int) -> None:
        if earning.state == "gone":
            return
        self.money[earning.owner, earning.state] -= of_it - earning.back
        self.money["", "commission_expense"] += of_it - earning.back
        earning.back = of_it
        if earning.back == earning.amount and earning.state != "settled":
            earning.state = "gone"

    def refund(self, back: Back, freight: int) -> bool:
        """The customer has its money back, and some of the freight."""
        if back.state != "received" or not 0 <= freight <= back.sale.freight:
            return False
        back.state = "refunded"
        back.sale.freight -= freight
        return True
