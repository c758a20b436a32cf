"""What people are told of, whom it concerns, and in which words. Pure.

An event carries numbers and names of its own matter alone, never another person's data: a distributor is told of what
is its own, and the office of codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from saas.base.errors import Said
from saas.base.ids import DistributorId, ExitId, OrderId, PayoutId, StatementId
from saas.base.money import formatted


class EventKind(StrEnum):
    """What happened."""

    ORDER_PAID = "order_paid"
    COMMISSION_AVAILABLE = "commission_available"
    STATEMENT_READY = "statement_ready"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    EXIT_EXECUTED = "exit_executed"
    TIER_CHANGED = "tier_changed"


_WORDS: Mapping[EventKind, Said] = {
    EventKind.ORDER_PAID: Said("An order was paid: {amount}.", "一笔订单已付款：{amount}。"),
    EventKind.COMMISSION_AVAILABLE: Said(
        "Commission of {amount} is available: its hold is over.", "佣金 {amount} 冻结期已满，现可结算。"
    ),
    EventKind.STATEMENT_READY: Said(
        "Statement {number} of {label} is ready: {amount} earned.",
        "{label} 结算单 {number} 已生成，本期收入 {amount}。",
    ),
    EventKind.PAYOUT_PAID: Said("A payout of {amount} was paid.", "一笔提现 {amount} 已打款。"),
    EventKind.PAYOUT_FAILED: Said(
        "A payout of {amount} failed; the money is back in the balance.", "一笔提现 {amount} 失败，款项已退回余额。"
    ),
    EventKind.EXIT_EXECUTED: Said("The exit of {code} was executed.", "{code} 的清退已执行。"),
    EventKind.TIER_CHANGED: Said("The tier is {tier} now; it was {before}.", "级别由 {before} 变更为 {tier}。"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a distributor; ``subject_id`` is the order, payout, statement or exit."""

    kind: EventKind
    distributor_id: DistributorId
    subject_id: UUID
    data: Mapping[str, str | int]


def order_paid(seller: DistributorId, order_id: OrderId, amount_minor: int, currency: str) -> Event:
    """Goods of so much were paid."""
    return Event(EventKind.ORDER_PAID, seller, order_id, _money(amount_minor, currency))


def commission_available(owner: DistributorId, amount_minor: int, currency: str) -> Event:
    """Holds of so much commission ended."""
    return Event(EventKind.COMMISSION_AVAILABLE, owner, owner, _money(amount_minor, currency))


def statement_ready(
    owner: DistributorId, statement_id: StatementId, amount_minor: int, currency: str, *, number: str, label: str
) -> Event:
    """A statement was written that says so much was earned."""
    told = {**_money(amount_minor, currency), "number": number, "label": label}
    return Event(EventKind.STATEMENT_READY, owner, statement_id, told)


def payout_ended(owner: DistributorId, payout_id: PayoutId, net_minor: int, currency: str, *, paid: bool) -> Event:
    """A payout was paid, or failed."""
    kind = EventKind.PAYOUT_PAID if paid else EventKind.PAYOUT_FAILED
    return Event(kind, owner, payout_id, _money(net_minor, currency))


def exit_executed(owner: DistributorId, exit_id: ExitId, code: str) -> Event:
    """A distributor left."""
    return Event(EventKind.EXIT_EXECUTED, owner, exit_id, {"code": code})


def tier_changed(owner: DistributorId, before: str, tier: str) -> Event:
    """A distributor has another tier."""
    return Event(EventKind.TIER_CHANGED, owner, owner, {"before": before, "tier": tier})


def _money(amount_minor: int, currency: str) -> Mapping[str, str | int]:
    return {"amount_minor": amount_minor, "currency": currency}


def told(kind: EventKind, data: Mapping[str, Any]) -> Said:
    """An event in one sentence, in both languages."""
    words = _WORDS[kind]
    return Said(words.en.format(**_shown(data, "en")), words.zh.format(**_shown(data, "zh-CN")))


def _shown(data: Mapping[str, Any], locale: str) -> Mapping[str, Any]:
    if "amount_minor" not in data:
        return data
    return {**data, "amount": formatted(data["amount_minor"], data["currency"], locale)}
