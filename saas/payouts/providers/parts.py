"""What providers are given and what they answer. There are two ways of paying.

A ``FileProvider`` writes a file that a person brings to the bank; what became of each payout is recorded by a person.
A ``Gateway`` is asked over the network, one payout at a time, under the payout's own id: whatever gets lost on the way,
asking for that id again tells what became of it, and nothing is sent a second time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from saas.base.ids import PayoutId
from saas.payouts.rules import DestinationKind, PayTo

Account: TypeAlias = Mapping[str, str]
"""A brand's account at a provider: the settings that ``accounts`` has checked, in clear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A payout as a provider needs it; the only place where the destination is in clear."""

    payout_id: PayoutId
    to: PayTo
    net_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A file for a person to bring to the bank."""

    file_name: str
    media_type: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a file is made from; the same sheet always gives the same file."""

    number: str
    submitted_at: datetime
    items: Sequence[Item]


class FileProvider(Protocol):
    """Pays by a file."""

    kinds: frozenset[DestinationKind]
    """The destinations it can pay to."""

    needs_account: bool
    """Whether the brand must have given an account."""

    def write(self, sheet: Sheet, account: Account) -> Submission:
        """The file; the same sheet again gives the same bytes."""
        ...


class Word(StrEnum):
    """What a gateway said of a payout.

    ``REFUSED`` was said to a request and proves nothing yet; ``NEVER_SEEN`` was said when asked; of ``LOST`` nothing
    that can be believed was said at all.
    """

    TAKEN = "taken"
    PAID = "paid"
    FAILED = "failed"
    REFUSED = "refused"
    NEVER_SEEN = "never_seen"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A gateway's word on one payout, its own number of it, and why it failed."""

    word: Word
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a gateway told without being asked."""

    payout_id: PayoutId
    net_minor: int
    answer: Answer


class NoticeForged(Exception):
    """A notice that the provider did not write, or not for this brand, or long ago."""


class Gateway(Protocol):
    """Pays over the network. No method may be called inside a transaction, and none raises for what a network does."""

    kinds: frozenset[DestinationKind]
    """The destinations it can pay to."""

    async def send(self, item: Item, account: Account, *, at: datetime, notify_url: str) -> Answer:
        """Ask for a payout under its id. The request counts from ``at`` and expires minutes later."""
        ...

    async def ask(self, payout_id: PayoutId, account: Account) -> Answer:
        """What became of a payout."""
        ...

    def read_notice(self, headers: Mapping[str, str], body: bytes, account: Account) -> Notice:
        """Verify and open what came in. Raises ``NoticeForged``."""
        ...
