"""What a payout costs and what may be done with it, decided without a database (docs/rules.md §6)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from unicodedata import category

from saas.base.money import BPS_WHOLE, divide_half_up, plain_amount, share
from saas.payouts.errors import AboveMaximumPayout, BelowMinimumPayout, DestinationRefused, NothingLeftToPay

NAME_LONGEST = 60
NAME_BYTES_MOST = 200
"""As much as fits into one block of a payment service's encryption."""
NEVER_SEEN_AFTER = timedelta(minutes=30)
"""How long after it was sent a provider that knows nothing of a payout is believed: requests expire long before."""

_CARD = re.compile(r"\d{8,30}", re.ASCII)
_OPENID = re.compile(r"[A-Za-z0-9_-]{20,40}", re.ASCII)
_ALIPAY = re.compile(r"1\d{10}|2088\d{12}|[\w.+-]{1,64}@[\w-]+(\.[\w-]+)+", re.ASCII)


class PayoutState(StrEnum):
    """Where a payout is; the last three are final.

    It is ``UNKNOWN`` from the moment before it is given to a payment service until that has answered.
    """

    REQUESTED = "requested"
    BATCHED = "batched"
    UNKNOWN = "unknown"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = (PayoutState.REQUESTED, PayoutState.BATCHED, PayoutState.UNKNOWN, PayoutState.SENT)
"""States in which the amount waits on the distributor's payout account."""

GIVEN_STATES = (PayoutState.UNKNOWN, PayoutState.SENT)
"""States in which a provider has it, or may have it."""


class BatchState(StrEnum):
    """Where a batch is. It completes when each of its payouts has a final result."""

    OPEN = "open"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class DestinationKind(StrEnum):
    """What a destination is: a bank card, a WeChat user by openid, an Alipay account."""

    BANK_CARD = "bank_card"
    WECHAT = "wechat"
    ALIPAY = "alipay"


class DestinationState(StrEnum):
    """Where a destination is; one that is not retired is live, and a distributor has at most one of those."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    RETIRED = "retired"


class Outcome(StrEnum):
    """What a provider says became of a payout."""

    PAID = "paid"
    FAILED = "failed"


class Bracket(NamedTuple):
    """Of what is requested from an amount on, the bound included, a rate is withheld."""

    from_minor: int
    rate_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutPolicy:
    """A brand's settings of payouts, rates in basis points of the amount requested.

    ``brackets``, which rise, stand in place of the one rate of withholding; ``whole``: all of the amount bears the
    rate of the bracket it reaches, and not each part its own. A maximum of None is none.
    """

    currency: str
    minimum_minor: int
    maximum_minor: int | None = None
    fee_bps: int
    withholding_without_invoice_bps: int
    brackets: tuple[Bracket, ...] = ()
    whole: bool = False
    cooling_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Where the amount requested goes; ``requested = fee + withheld + net``, in minor units."""

    requested_minor: int
    fee_minor: int
    withheld_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayTo:
    """Whom to pay, where: ``account`` is a card's number, an openid or a name at Alipay; only a card has a bank.

    Personal data: it is kept sealed.
    """

    kind: DestinationKind = DestinationKind.BANK_CARD
    holder: str
    bank: str | None = None
    account: str


def break_down(policy: PayoutPolicy, requested_minor: int, *, has_invoice: bool) -> Breakdown:
    """Take fee and withholding from the amount requested, each half up; with an invoice nothing is withheld.

    Raises ``BelowMinimumPayout``, ``AboveMaximumPayout`` or ``NothingLeftToPay``.
    """

    def shown(amount_minor: int) -> str:
        return plain_amount(amount_minor, policy.currency)

    if requested_minor < max(policy.minimum_minor, 1):
        raise BelowMinimumPayout(
            "input.amountMinor",
            amount=shown(requested_minor),
            minimum=shown(max(policy.minimum_minor, 1)),
            currency=policy.currency,
        )
    if policy.maximum_minor is not None and requested_minor > policy.maximum_minor:
        raise AboveMaximumPayout(
            "input.amountMinor",
            amount=shown(requested_minor),
            maximum=shown(policy.maximum_minor),
            currency=policy.currency,
        )
    fee = share(requested_minor, policy.fee_bps)
    withheld = 0 if has_invoice else withholding(policy, requested_minor)
    net = requested_minor - fee - withheld
    if net <= 0:
        raise NothingLeftToPay(
            "input.amountMinor",
            amount=shown(requested_minor),
            fee=shown(fee),
            withheld=shown(withheld),
            currency=policy.currency,
        )
    return Breakdown(requested_minor=requested_minor, fee_minor=fee, withheld_minor=withheld, net_minor=net)


def withholding(policy: PayoutPolicy, amount_minor: int) -> int:
    """What is withheld of an amount when no invoice is given; the sum of a marginal one's parts is rounded once."""
    if not policy.brackets:
        return share(amount_minor, policy.withholding_without_invoice_bps)
    reached = [bracket for bracket in policy.brackets if bracket.from_minor <= amount_minor]
    if policy.whole:
        return share(amount_minor, reached[-1].rate_bps) if reached else 0
    ends = pairwise([*reached, Bracket(amount_minor, 0)])
    parts = sum((above.from_minor - lower.from_minor) * lower.rate_bps for lower, above in ends)
    return divide_half_up(parts, BPS_WHOLE)


def usable_from(given_at: datetime, policy: PayoutPolicy, *, replaces: bool) -> datetime | None:
    """From when payouts leave for a destination: at once (None) for the first, cooled down for a changed one."""
    return given_at + timedelta(days=policy.cooling_days) if replaces and policy.cooling_days else None


def pay_to(kind: DestinationKind, holder: str, bank: str | None, account: str) -> PayTo:
    """A destination from what a person typed; spaces and hyphens in a card's number do not count.

    Raises ``DestinationRefused``.
    """
    name = _name(holder, "input.holder", "name of the holder", "户名")
    if kind is DestinationKind.BANK_CARD:
        digits = _fit(_CARD, re.sub(r"[\s-]", "", account), "its 8 to 30 digits", "8 至 30 位数字")
        return PayTo(
            kind=kind, holder=name, bank=_name(bank or "", "input.bank", "name of the bank", "开户银行"), account=digits
        )
    if bank is not None:
        raise DestinationRefused(
            "input.bank",
            part="name of a bank",
            part_zh="开户银行",
            remedy="leave it out; only a bank card has one",
            remedy_zh="请留空，仅银行卡需要填写",
        )
    form, words = _FORMS[kind]
    return PayTo(kind=kind, holder=name, account=_fit(form, account.strip(), *words))


_FORMS = {
    DestinationKind.WECHAT: (_OPENID, ("the user's openid", "用户的 openid")),
    DestinationKind.ALIPAY: (
        _ALIPAY,
        (
            "a phone number, an e-mail address or the 16 digits that begin with 2088",
            "手机号、邮箱或以 2088 开头的 16 位数字",
        ),
    ),
}


def _fit(form: re.Pattern[str], text: str, remedy: str, remedy_zh: str) -> str:
    if not form.fullmatch(text):
        raise DestinationRefused(
            "input.account",
            part="account number",
            part_zh="账号",
            remedy=f"write {remedy}",
            remedy_zh=f"请填写{' ' if remedy_zh[0].isascii() else ''}{remedy_zh}",
        )
    return text


def _name(text: str, field: str, part: str, part_zh: str) -> str:
    name = text.strip()
    invisible = any(category(mark).startswith("C") for mark in name)
    if invisible or not 0 < len(name) <= NAME_LONGEST or len(name.encode()) > NAME_BYTES_MOST:
        raise DestinationRefused(
            field,
            part=part,
            part_zh=part_zh,
            remedy=f"write 1 to {NAME_LONGEST} visible characters",
            remedy_zh=f"请填写 1 至 {NAME_LONGEST} 个可见字符",
        )
    return name


def masked(to: PayTo) -> str:
    """A destination for the screen: ``招商银行 ****1234``, ``支付宝 a****@example.com``."""
    name, at, domain = to.account.partition("@")
    shown = f"{name[0]}****@{domain}" if at else f"****{to.account[-4:]}"
    where = {DestinationKind.WECHAT: "微信", DestinationKind.ALIPAY: "支付宝"}.get(to.kind, to.bank)
    return f"{where} {shown}"
