"""People come, move, rise and leave."""

from saas.exits.commands import (
    ExecuteExit,
    QuoteExit,
    approve_exit,
    close_finished,
    execute_exit,
    quote_exit,
    reject_exit,
    withdraw_exit,
)
from saas.exits.rules import ExitKind
from saas.network.commands import Move, enrol, move, reinstate, set_tier, suspend
from saas.payouts.commands import SetDestination, set_destination, verify_destination
from saas.payouts.queries import destination_of
from saas.payouts.rules import DestinationKind
from tenants.program.calendar import period_bounds, period_days
from tests.house.ground import ZONE, Ground, agreed, refused
from tests.network.world import request, staff
from tests.paper import Month, Person
from tests.tenants.program.documents import TIERS


class People(Ground):
    """What happens to people."""

    async def enrol(self, one: int, two: int, three: int) -> None:
        """Somebody joins, with a destination that was looked at."""
        sponsor = self.somebody(one) if self.paper.people and one % 5 else None
        code, tier, invoices = f"D{len(self.ids)}", TIERS[two % 3], bool(three % 2)
        asked = request(code, self.ids[sponsor] if sponsor else None, tier=tier)
        if sponsor is not None and self.paper.people[sponsor].status != "active":
            await refused(enrol(asked, staff()))
            return
        self.ids[code] = await enrol(asked, staff())
        pays_to = ("bank_card", "wechat")[one % 2]
        person = Person(self.ids[code], sponsor, tier, has_invoice=invoices, pays_to=pays_to)
        person.now(self.now)
        self.paper.people[code] = person
        made = await set_destination(self._card(code, pays_to, invoices), staff())
        await verify_destination(made.id, staff())

    def _card(self, code: str, pays_to: str, has_invoice: bool) -> SetDestination:
        wechat = pays_to == "wechat"
        return SetDestination(
            distributor_id=self.ids[code],
            kind=DestinationKind(pays_to),
            holder=code,
            bank=None if wechat else "Bank",
            account="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" if wechat else "62220000",
            has_invoice=has_invoice,
            idempotency_key=self.key(),
        )

    async def card(self, one: int, two: int, three: int) -> None:
        """Another destination, mostly looked at at once."""
        code, pays_to, invoices = self.somebody(one), ("bank_card", "wechat")[two % 2], bool(three % 2)
        doing = set_destination(self._card(code, pays_to, invoices), staff())
        if not self.paper.set_card(code, pays_to, self.now, has_invoice=invoices):
            await refused(doing)
            return
        await doing
        if three % 4:
            await self.verify(one)

    async def verify(self, one: int, *_: int) -> None:
        """Somebody looks at a destination; again, it changes nothing."""
        code = self.somebody(one)
        found = await destination_of(self.ids[code])
        assert found is not None
        await verify_destination(found.id, staff())
        self.paper.people[code].verified = True

    async def move(self, one: int, two: int, _: int) -> None:
        """Somebody hangs elsewhere."""
        code, sponsor = self.somebody(one), self.somebody(two) if two % 4 else None
        command = Move(distributor=self.ids[code], sponsor=self.ids[sponsor] if sponsor else None, reason="test")
        await agreed(self.paper.move(code, sponsor), move(command, staff()))

    async def tier(self, one: int, two: int, _: int) -> None:
        """Somebody gets a tier."""
        code, tier = self.somebody(one), TIERS[two % 3]
        await agreed(self.paper.set_tier(code, tier, self.now), set_tier(self.ids[code], tier, "test", staff()))

    async def suspend(self, one: int, *_: int) -> None:
        """Somebody is suspended."""
        code = self.somebody(one)
        allowed = self.paper.set_status(code, "active", "suspended", self.now)
        await agreed(allowed, suspend(self.ids[code], "test", staff()))

    async def reinstate(self, one: int, *_: int) -> None:
        """Somebody is back."""
        code = self.somebody(one)
        allowed = self.paper.set_status(code, "suspended", "active", self.now)
        await agreed(allowed, reinstate(self.ids[code], "test", staff()))

    async def ask_to_leave(self, one: int, two: int, three: int) -> None:
        """An exit is quoted, and agreed to by a second person."""
        code, kind = self.somebody(one), list(ExitKind)[two % 4]
        heir = self.somebody(three) if two % 3 else None
        command = QuoteExit(
            distributor_id=self.ids[code],
            kind=kind,
            heir_id=self.ids[heir] if heir else None,
            reason="test",
            idempotency_key=self.key(),
        )
        if self.paper.quote(code, kind, heir) is None:
            await refused(quote_exit(command, staff()))
            return
        self.exits.append((await quote_exit(command, staff())).id)
        await approve_exit(self.exits[-1], staff())

    async def execute(self, one: int, *_: int) -> None:
        """An exit happens."""
        if self.exits:
            number = one % len(self.exits)
            command = ExecuteExit(exit_id=self.exits[number], idempotency_key=self.key())
            await agreed(self.paper.execute(self.paper.exits[number], self.now), execute_exit(command, staff()))

    async def leave(self, one: int, two: int, three: int) -> None:
        """An exit from the question to the end."""
        before = len(self.exits)
        await self.ask_to_leave(one, two, three)
        if len(self.exits) > before:
            await self.execute(before)

    async def stay(self, one: int, *_: int) -> None:
        """An exit that did not happen yet is turned down, or taken back where it was voluntary."""
        if not self.exits:
            return
        number = one % len(self.exits)
        leaving, exit_id = self.paper.exits[number], self.exits[number]
        if leaving.state == "approved" and leaving.kind == "voluntary":
            leaving.state = "withdrawn"
            await withdraw_exit(exit_id, staff())
        elif leaving.state == "approved":
            await refused(withdraw_exit(exit_id, staff()))
            leaving.state = "rejected"
            await reject_exit(exit_id, "test", staff())
        else:
            await refused(reject_exit(exit_id, "test", staff()))

    async def close_exits(self, *_: int) -> None:
        """The exits of those with nothing left are closed."""
        months, day = [], self.month
        while (month := Month(*period_days("month", day), period_bounds("month", day, ZONE)[1])).end <= self.now:
            months.append(month)
            day = month.until
        assert await close_finished(staff()) == self.paper.close_exits(months)
