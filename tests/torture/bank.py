"""A payment service that keeps what reaches it under each payout's own id, and does not always let itself be heard."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from saas.base import clock
from saas.base.ids import PayoutId
from saas.payouts.providers import Account, Answer, Item, Notice, NoticeForged, Word
from saas.payouts.rules import DestinationKind

MANNERS = ("paid", "failed", "unheard", "told", "dropped", "refused")
EXPIRES = timedelta(minutes=5)
"""How long a request counts."""
ENDS = {"paid": Word.PAID, "unheard": Word.PAID, "told": Word.PAID, "failed": Word.FAILED}
"""What becomes of the payouts of each manner in the end; those of the others never arrive."""


@dataclass
class Bank:
    """``manners`` tells how each payout is met.

    ``paid`` and ``failed``: taken, and later so. ``unheard``: taken, but its answer is lost. ``told``: so too, and the
    bank tells by itself. ``dropped``: it never arrives. ``refused``: turned down.
    """

    manners: dict[PayoutId, str] = field(default_factory=dict)
    kinds: frozenset[DestinationKind] = frozenset({DestinationKind.WECHAT})
    sent: Counter[PayoutId] = field(default_factory=Counter)
    bills: dict[PayoutId, str] = field(default_factory=dict)
    amounts: dict[PayoutId, int] = field(default_factory=dict)
    done: bool = False

    async def send(self, item: Item, account: Account, *, at: datetime, notify_url: str) -> Answer:
        """Take a payout or not; the same again is another payment, for whoever counts on being asked twice is wrong."""
        self.sent[item.payout_id] += 1
        manner = self.manners[item.payout_id]
        if manner == "dropped":
            return Answer(word=Word.LOST)
        if manner == "refused" or clock.now() - at > EXPIRES:
            return Answer(word=Word.REFUSED, reason="no money")
        self.bills[item.payout_id], self.amounts[item.payout_id] = manner, item.net_minor
        return Answer(word=Word.LOST if manner in {"unheard", "told"} else Word.TAKEN, reference=item.payout_id.hex)

    async def ask(self, payout_id: PayoutId, account: Account) -> Answer:
        """What became of it."""
        if payout_id not in self.bills:
            return Answer(word=Word.NEVER_SEEN)
        return Answer(word=self._word(payout_id), reference=payout_id.hex)

    def read_notice(self, headers: Mapping[str, str], body: bytes, account: Account) -> Notice:
        """What it told by itself."""
        payout_id = next((one for one in self.bills if one.bytes == body), None)
        if payout_id is None:
            raise NoticeForged("no such payout")
        answer = Answer(word=self._word(payout_id), reference=payout_id.hex)
        return Notice(payout_id=payout_id, net_minor=self.amounts[payout_id], answer=answer)

    def _word(self, payout_id: PayoutId) -> Word:
        return ENDS[self.bills[payout_id]] if self.done else Word.TAKEN

    def paid(self, payout_id: PayoutId) -> bool:
        """Whether the money left."""
        return ENDS.get(self.bills.get(payout_id, "")) is Word.PAID
