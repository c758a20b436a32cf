"""The tree on paper: who hangs under whom, and who leaves."""

from collections.abc import Sequence
from datetime import datetime

from tests.paper.things import MEMBERS, Leaving, Month, Sheet


class Tree(Sheet):
    """A method answers whether the step is allowed, and takes it if so."""

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

    def set_tier(self, code: str, tier: str, now: datetime) -> bool:
        """Give somebody a tier."""
        person = self.people[code]
        if person.status == "exited":
            return False
        person.tier = tier
        person.now(now)
        return True

    def set_status(self, code: str, expected: str, status: str, now: datetime) -> bool:
        """Suspend or reinstate."""
        person = self.people[code]
        if person.status != expected:
            return False
        person.status = status
        person.now(now)
        return True

    def below(self, code: str) -> list[str]:
        """Those directly below."""
        return [other for other, person in self.people.items() if person.sponsor == code]

    def fits(self, code: str, heir: str) -> bool:
        """Whether an heir can take the downline: active, and not from deeper below than directly."""
        here = self.people[heir]
        return here.status == "active" and (code not in self.chain(heir) or here.sponsor == code)

    def quote(self, code: str, kind: str, heir: str | None) -> Leaving | None:
        """Ask for an exit and agree to it; none when it is not allowed."""
        terms = getattr(self.program.exit, kind)
        open_ = [one for one in self.exits if one.code == code and one.state not in {"withdrawn", "rejected"}]
        if self.people[code].status not in MEMBERS or open_:
            return None
        if terms.downline_to != "heir":
            allowed = heir is None
        else:
            allowed = not self.below(code) if heir is None else self.fits(code, heir)
        if not allowed:
            return None
        self.exits.append(Leaving(code, kind, terms, heir))
        return self.exits[-1]

    def execute(self, leaving: Leaving, now: datetime) -> bool:
        """Let an exit happen."""
        code, terms, heir = leaving.code, leaving.terms, leaving.heir
        leaver, heads = self.people[code], self.below(code)
        if leaving.state != "approved" or leaver.status not in MEMBERS:
            return False
        if heads and terms.downline_to == "heir" and (heir is None or not self.fits(code, heir)):
            return False
        if heads and terms.downline_to == "heir" and heir in heads:
            self.people[heir].sponsor = leaver.sponsor
            heads.remove(heir)
        for head in heads:
            self.people[head].sponsor = {"sponsor": leaver.sponsor, "brand": None, "heir": heir}[terms.downline_to]
        leaver.status, leaving.state, leaving.left_at = "exited", "executed", now
        leaver.now(now)
        if terms.pending == "forfeit":
            for earning in self.earnings("pending"):
                if earning.owner == code:
                    self.turn(earning, "gone", ("", "forfeited"))
        return True

    def close_exits(self, months: Sequence[Month]) -> int:
        """Close the exits of those who have nothing left, and nothing to come; ``months`` are over and not closed."""
        closed = 0
        for one in self.exits:
            left = [amount for (owner, _), amount in self.money.items() if owner == one.code and amount]
            if one.state == "executed" and not left and not self._to_come(one, months):
                one.state = "closed"
                closed += 1
        return closed

    def _to_come(self, leaving: Leaving, months: Sequence[Month]) -> bool:
        """What waits for a statement, goods under way that take of its money, a month before with sales of its team."""
        code, left_at = leaving.code, leaving.left_at
        goods = [
            earning
            for back in self.backs
            if back.state in {"requested", "approved"}
            for earning in back.sale.earnings
            if earning.owner == code and earning.line in back.pieces and earning.back < earning.amount
            if earning.state != "gone"
        ]
        earned = [
            month
            for month in months
            if left_at is not None and month.end <= left_at
            for sale in self.sales
            if sale.day is not None and month.first <= sale.day < month.until and code in sale.team
        ]
        waiting = [one for one in self.decisions if one.owner == code and one.state in {"requested", "approved"}]
        return bool(goods or earned or waiting)
