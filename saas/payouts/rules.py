"""What a payout costs and what may be done with it, decided without a database (docs/rules.md §6)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import category

from saas.base.money import plain_amount, share
from saas.payouts.errors import BelowMinimumPayout, DestinationRefused, NothingLeftToPay

NAME_LONGEST = 60
_ACCOUNT = re.compile(r"\d{8,30}", re.ASCII)


class PayoutState(StrEnum):
    """Where a payout is; the last three are final."""

    REQUESTED = "requested"
    BATCHED = "batched"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = (PayoutState.REQUESTED, PayoutState.BATCHED, PayoutState.SENT)
"""States in which the amount waits on the distributor's payout account."""


class BatchState(StrEnum):
    """Where a batch is. It completes when each of its payouts has a final result."""

    OPEN = "open"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class DestinationState(StrEnum):
    """Where a bank card is; one that is not retired is live, and a distributor has at most one of those."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    RETIRED = "retired"


class Outcome(StrEnum):
    """What a provider says became of a payout."""

    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutPolicy:
    """A brand's settings of payouts, rates in basis points of the amount requested."""

    currency: str
    minimum_minor: int
    fee_bps: int
    withholding_without_invoice_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Where the amount requested goes; ``requested = fee + withheld + net``, in minor units."""

    requested_minor: int
    fee_minor: int
    withheld_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BankCard:
    """Whom to pay, where. Personal data: it is kept sealed."""

    holder: str
    bank: str
    account: str


def break_down(policy: PayoutPolicy, requested_minor: int, *, has_invoice: bool) -> Breakdown:
    """Take fee and withholding from the amount requested, each half up; with an invoice nothing is withheld.

    Raises ``BelowMinimumPayout`` or ``NothingLeftToPay``.
    """

    def shown(amount_minor: int) -> str:
        return plain_amount(amount_minor, policy.currency)

    if requested_minor < max(policy.minimum_minor, 1):
        raise BelowMinimumPayout(
            "input.amount",
            amount=shown(requested_minor),
            minimum=shown(max(policy.minimum_minor, 1)),
            currency=policy.currency,
        )
    fee = share(requested_minor, policy.fee_bps)
    withheld = 0 if has_invoice else share(requested_minor, policy.withholding_without_invoice_bps)
    net = requested_minor - fee - withheld
    if net <= 0:
        raise NothingLeftToPay(
            "input.amount",
            amount=shown(requested_minor),
            fee=shown(fee),
            withheld=shown(withheld),
            currency=policy.currency,
        )
    return Breakdown(requested_minor=requested_minor, fee_minor=fee, withheld_minor=withheld, net_minor=net)


def bank_card(holder: str, bank: str, account: str) -> BankCard:
    """A bank card from what a person typed; spaces and hyphens in the account number do not count.

    Raises ``DestinationRefused``.
    """
    digits = re.sub(r"[\s-]", "", account)
    if not _ACCOUNT.fullmatch(digits):
        raise DestinationRefused(
            "input.account",
            part="account number",
            part_zh="账号",
            remedy="write its 8 to 30 digits",
            remedy_zh="请填写 8 至 30 位数字",
        )
    return BankCard(
        holder=_name(holder, "input.holder", "name of the holder", "户名"),
        bank=_name(bank, "input.bank", "name of the bank", "开户银行"),
        account=digits,
    )


def _name(text: str, field: str, part: str, part_zh: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= NAME_LONGEST or any(category(mark).startswith("C") for mark in name):
        raise DestinationRefused(
            field,
            part=part,
            part_zh=part_zh,
            remedy=f"write 1 to {NAME_LONGEST} visible characters",
            remedy_zh=f"请填写 1 至 {NAME_LONGEST} 个可见字符",
        )
    return name


def masked(card: BankCard) -> str:
    """A bank card for the screen: ``招商银行 ****1234``."""
    return f"{card.bank} ****{card.account[-4:]}"
