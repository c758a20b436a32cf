"""The order of the ceiling: every row that the product writes of one, and what the answer tells."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from time import time_ns
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from uuid_utils.compat import uuid7

from bench.handwritten_db import Session

ADD_TO_BALANCE = (
    "ON CONFLICT (tenant_id, owner_id, account, currency) "
    "DO UPDATE SET amount_minor = balance.amount_minor + excluded.amount_minor"
)
ADD_TO_DAY = (
    "ON CONFLICT (tenant_id, distributor_id, day, currency) DO UPDATE SET orders = sales_day.orders + excluded.orders, "
    "pieces = sales_day.pieces + excluded.pieces, amount_minor = sales_day.amount_minor + excluded.amount_minor"
)
RATES_BPS = (1000, 1500, 2000)
COMPONENT = "levels"
CURRENCY = "CNY"
ZONE = ZoneInfo("Asia/Shanghai")
NUMBERS = count(-time_ns())
"""Of events: below those that the product gives, which would else number the ceiling's too, or go on from there."""


class _Share(NamedTuple):
    line_id: UUID
    line: Mapping[str, Any]
    level: int
    member: Mapping[str, Any]
    rate_bps: int
    amount: int


class Order:
    """An order on its way into the tables and the answer."""

    def __init__(
        self, asked: Mapping[str, Any], digest: str, chain: Sequence[Mapping[str, Any]], products: Mapping[str, UUID]
    ) -> None:
        self.asked, self.digest, self.chain, self.products = asked, digest, chain, products
        self.id, self.now = uuid7(), datetime.now(UTC)
        self.paid_at = datetime.fromisoformat(asked["paidAt"])
        self.number = f"{self.now:%y%m%d}-{self.id.hex[-10:].upper()}"
        self.goods = sum(line["amountMinor"] for line in asked["lines"])
        self.lines = [(uuid7(), line) for line in asked["lines"]]
        self.shares = [
            _Share(line_id, line, level, member, rate_bps, (line["amountMinor"] * rate_bps + 5000) // 10_000)
            for line_id, line in self.lines
            for level, (member, rate_bps) in enumerate(zip(chain, RATES_BPS, strict=False))
        ]

    async def write(self, tx: Session, tenant_id: int, who: Mapping[str, Any]) -> None:
        """Every row of it, a statement per table."""
        tenant = {"tenant_id": tenant_id}
        claim = {"operation": "order.place", "key": self.asked["idempotencyKey"], "input_hash": self.digest}
        claimed = tenant | claim | {"result": self.id, "created_at": self.now}
        if not await tx.insert("idempotency", [claimed], "ON CONFLICT DO NOTHING"):
            raise ValueError("the key was used before")
        transaction_id = uuid7()
        await tx.insert("sales_order", [tenant | self._head()])
        await tx.insert("order_line", [tenant | line for line in self._lines()])
        await tx.insert("commission", [tenant | share for share in self._shares()])
        await tx.insert("ledger_transaction", [tenant | self._posting(transaction_id)])
        await tx.insert("ledger_entry", [tenant | entry for entry in self._entries(transaction_id)])
        await tx.insert("balance", [tenant | pending for pending in self._pending()], ADD_TO_BALANCE)
        await tx.insert("sales_day", [tenant | self._day()], ADD_TO_DAY)
        audited = {"id": uuid7(), "at": self.now, "actor_kind": "member", "actor_id": who["id"]}
        about = {"action": "order.place", "subject": str(self.id), "detail": '{"paid":true}'}
        await tx.insert("audit_log", [tenant | audited | {"actor_label": who["login"]} | about])
        told = {"at": self.now}
        await tx.insert(
            "event", [tenant | told | event | {"id": uuid7(), "seq": next(NUMBERS)} for event in self._events()]
        )

    def _head(self) -> dict[str, object]:
        return {
            "id": self.id,
            "number": self.number,
            "seller_id": self.chain[0]["id"],
            "self_purchase": False,
            "source": "brand",
            "status": "paid",
            "currency": CURRENCY,
            "goods_minor": self.goods,
            "freight_minor": 0,
            "tax_minor": 0,
            "program_number": self.chain[0]["number"],
            "path": self.chain[0]["path"],
            "placed_at": self.paid_at,
            "paid_at": self.paid_at,
            "decided_at": self.now,
        }

    def _lines(self) -> Iterator[dict[str, object]]:
        for number, (line_id, line) in enumerate(self.lines, start=1):
            paid_out = sum(share.amount for share in self.shares if share.line_id == line_id)
            yield {
                "id": line_id,
                "order_id": self.id,
                "line_no": number,
                "product_id": self.products[line["sku"]],
                "sku": line["sku"],
                "quantity": line["quantity"],
                "amount_minor": line["amountMinor"],
                "company_minor": line["amountMinor"] - paid_out,
            }

    def _shares(self) -> Iterator[dict[str, object]]:
        for share in self.shares:
            yield {
                "id": uuid7(),
                "order_id": self.id,
                "line_id": share.line_id,
                "component": COMPONENT,
                "level": share.level,
                "beneficiary_id": share.member["id"],
                "tier": share.member["tier"],
                "rate_bps": share.rate_bps,
                "base_minor": share.line["amountMinor"],
                "quantity": share.line["quantity"],
                "amount_minor": share.amount,
                "reason": "in_full",
                "program_number": share.member["number"],
                "currency": CURRENCY,
                "status": "pending",
                "earned_at": self.paid_at,
            }

    def _posting(self, transaction_id: UUID) -> dict[str, object]:
        return {
            "id": transaction_id,
            "kind": "accrual",
            "reference_kind": "order",
            "reference_id": self.id,
            "idempotency_key": f"accrual:{self.id}",
            "input_hash": self.digest,
            "effective_at": self.paid_at,
            "recorded_at": self.now,
        }

    def _earned(self) -> dict[UUID, int]:
        earned: dict[UUID, int] = {}
        for share in self.shares:
            owner = share.member["id"]
            earned[owner] = earned.get(owner, 0) + share.amount
        return earned

    def _entries(self, transaction_id: UUID) -> Iterator[dict[str, object]]:
        earned = self._earned()
        sides: list[tuple[str, UUID | None, int]] = [("pending", owner, amount) for owner, amount in earned.items()]
        sides.append(("commission_expense", None, -sum(earned.values())))
        for number, (account, owner, amount) in enumerate(sides, start=1):
            yield {
                "transaction_id": transaction_id,
                "entry_no": number,
                "account": account,
                "owner_id": owner,
                "currency": CURRENCY,
                "amount_minor": amount,
                "effective_at": self.paid_at,
            }

    def _pending(self) -> Iterator[dict[str, object]]:
        for owner, amount in sorted(self._earned().items()):
            yield {"owner_id": owner, "account": "pending", "currency": CURRENCY, "amount_minor": amount}

    def _day(self) -> dict[str, object]:
        return {
            "distributor_id": self.chain[0]["id"],
            "day": self.paid_at.astimezone(ZONE).date(),
            "currency": CURRENCY,
            "orders": 1,
            "pieces": sum(line["quantity"] for _, line in self.lines),
            "amount_minor": self.goods,
        }

    def _events(self) -> Iterator[dict[str, object]]:
        nothing = {"amount_minor": None, "currency": None}
        seller, earned = self.chain[0]["id"], self._earned()
        for kind in ("order.placed", "order.paid"):
            yield {"kind": kind, "distributor_id": seller, "subject_id": self.id, **nothing}
        for owner in earned:
            yield {"kind": "balance.changed", "distributor_id": owner, "subject_id": owner, **nothing}
        for owner, amount in earned.items():
            money = {"amount_minor": amount, "currency": CURRENCY}
            yield {"kind": "commission.earned", "distributor_id": owner, "subject_id": self.id, **money}

    def told(self) -> dict[str, object]:
        """The order as the answer tells it."""
        return {
            "id": f"ord_{self.id.hex}",
            "number": self.number,
            "status": "PAID",
            "placedAt": self.paid_at.isoformat(),
            "paidAt": self.paid_at.isoformat(),
            "goods": {"amountMinor": self.goods, "currency": CURRENCY},
            "lines": [
                {"sku": line["sku"], "quantity": line["quantity"], "amount": {"amountMinor": line["amountMinor"]}}
                for _, line in self.lines
            ],
            "commissions": [_told(share) for share in self.shares],
        }


def _told(share: _Share) -> dict[str, object]:
    amount, base, member = _money(share.amount), _money(share.line["amountMinor"]), share.member
    who = f"Upline level {share.level}" if share.level else "The seller (level 0)"
    source = f"program {member['number']}, component {COMPONENT}, tier {member['tier']}"
    return {
        "level": share.level,
        "outcome": "EARNED",
        "reason": "IN_FULL",
        "amount": {"amountMinor": share.amount, "formatted": amount},
        "explanation": f"{who} earned {amount}: {share.rate_bps // 100} % × {base} ({source}).",
        "beneficiary": {"code": member["code"]},
    }


def _money(minor: int) -> str:
    return f"CN¥{minor // 100:,}.{minor % 100:02}"
