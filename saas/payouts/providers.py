"""Who moves the money: each provider takes the payouts of an approved batch.

``manual`` writes the file that a person uploads to the bank; a payment service would send requests keyed by payout.
Submitting the same batch again must have no second effect, because a crash may hide the first answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from saas.base.ids import PayoutId
from saas.base.sheets import amount, csv_text
from saas.payouts.rules import BankCard

HEADER = ("no", "holder", "bank", "account", "amount", "currency", "payout_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A payout as a provider needs it; the only place where the bank card is in clear."""

    payout_id: PayoutId
    card: BankCard
    net_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a provider made of a batch; ``content`` is a file for a person to bring to the bank."""

    file_name: str
    media_type: str
    content: str


class Provider(Protocol):
    """A way of paying."""

    def submit(self, batch_number: str, items: Sequence[Item]) -> Submission:
        """Take the payouts of an approved batch; the same batch again gives the same answer."""
        ...


class Manual:
    """A bank file in CSV: one payout a row, in the order of their requests, amounts as plain decimals."""

    def submit(self, batch_number: str, items: Sequence[Item]) -> Submission:
        """The same items always give the same bytes."""
        rows = [
            (
                number,
                item.card.holder,
                item.card.bank,
                item.card.account,
                amount(item.net_minor, item.currency),
                item.currency,
                item.payout_id.hex,
            )
            for number, item in enumerate(sorted(items, key=lambda item: item.payout_id), start=1)
        ]
        return Submission(
            file_name=f"{batch_number}.csv", media_type="text/csv; charset=utf-8", content=csv_text([HEADER, *rows])
        )


PROVIDERS: Mapping[str, Provider] = {"manual": Manual()}
"""The providers of this installation by name."""
