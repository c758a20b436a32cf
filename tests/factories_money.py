"""Distributors, and orders with commission as payment and delivery leave them: pending, accrued, under a hold."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from uuid import UUID

import yaml

from saas.base import clock
from saas.base.db import transaction
from saas.base.ids import DistributorId, new_id
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting
from saas.settlement.commands import CloseSettlement, close
from tenants.actors import system
from tenants.program.versions import SaveDraft, activate, save_draft

T0 = datetime(2026, 3, 1, tzinfo=UTC)
"""When the small world begins."""

SETTLED_AT = datetime(2026, 3, 31, 16, tzinfo=UTC)
"""The first moment of April in Shanghai, when March can be closed."""


async def make_distributors(*codes: str, status: str = "active") -> list[DistributorId]:
    """Distributors directly under the brand, in the order of their codes given."""
    async with transaction() as tx:
        taken = await tx.value("SELECT count(*) FROM distributor WHERE tenant_id = $1", tx.tenant_id)
        made = [(new_id(), taken + number, code) for number, code in enumerate(codes, start=1)]
        await tx.insert_many(
            "distributor",
            (
                "id",
                "no",
                "code",
                "name",
                "kind",
                "status",
                "tier",
                "path",
                "depth",
                "applied_at",
                "joined_at",
                "changed_at",
            ),
            [
                (id_, no, code, f"Name of {code}", "person", status, "silver", f"{no:06}", 0, T0, T0, T0)
                for id_, no, code in made
            ],
        )
        await tx.insert_many(
            "standing",
            ("distributor_id", "valid_from", "tier", "status", "kind"),
            [(id_, T0, "silver", status, "enrolment") for id_, _, _ in made],
        )
    return [DistributorId(id_) for id_, _, _ in made]


async def make_order(
    shares: Mapping[DistributorId, int],
    *,
    hold_until: datetime | None = None,
    paid_at: datetime = T0,
    currency: str = "CNY",
) -> UUID:
    """A paid order of one line whose commission is ``shares``, delivered when ``hold_until`` is given."""
    order_id, line_id, product_id = new_id(), new_id(), new_id()
    total = sum(shares.values())
    delivered = None if hold_until is None else hold_until - timedelta(days=7)
    async with transaction() as tx:
        program = await _program()
        await tx.insert_many(
            "product",
            ("id", "sku", "name", "status", "created_at"),
            [(product_id, f"SKU-{product_id.hex}", "Cream", "active", T0)],
        )
        await tx.insert_many(
            "sales_order",
            (
                "id", "number", "seller_id", "self_purchase", "source", "status", "currency", "goods_minor",
                "freight_minor", "tax_minor", "program_number", "path", "placed_at", "paid_at", "delivered_at",
                "hold_until",
            ),
            [
                (
                    order_id, order_id.hex, next(iter(shares)), False, "brand", "delivered" if delivered else "paid",
                    currency, 10 * total, 0, 0, program, "000001", paid_at, paid_at, delivered, hold_until,
                )
            ],
        )  # fmt: skip
        await tx.insert_many(
            "order_line",
            ("id", "order_id", "line_no", "product_id", "sku", "quantity", "amount_minor", "company_minor"),
            [(line_id, order_id, 1, product_id, f"SKU-{product_id.hex}", 1, 10 * total, 9 * total)],
        )
        await tx.insert_many(
            "commission",
            (
                "id", "order_id", "line_id", "component", "level", "beneficiary_id", "tier", "rate_bps", "base_minor",
                "quantity", "amount_minor", "reason", "program_number", "currency", "status", "earned_at", "hold_until",
            ),
            [
                (
                    new_id(), order_id, line_id, "levels", level, owner, "silver", 1000, 10 * total, 1, amount,
                    "in_full", program, currency, "pending", paid_at, hold_until,
                )
                for level, (owner, amount) in enumerate(shares.items())
            ],
        )  # fmt: skip
        await post([accrual(order_id, shares, at=paid_at, currency=currency)])
    return order_id


def accrual(
    order_id: UUID, shares: Mapping[DistributorId, int], *, at: datetime = T0, currency: str = "CNY"
) -> Posting:
    """What payment posts for an order."""
    entries = [Entry(Account.PENDING, owner, amount, currency) for owner, amount in shares.items()]
    expense = Entry(Account.COMMISSION_EXPENSE, None, -sum(shares.values()), currency)
    return Posting(
        kind=Kind.ACCRUAL,
        reference_kind="order",
        reference_id=order_id,
        idempotency_key=f"accrual:{order_id}",
        effective_at=at,
        entries=(*entries, expense),
    )


async def use_program(**settlement: object) -> int:
    """Make the preset ``lotus`` the active program, with other settings of settlement where given."""
    data = yaml.safe_load(files("tenants.program.presets").joinpath("lotus.yaml").read_text("utf-8"))
    data["settlement"].update(settlement)
    async with transaction() as tx:
        actor = system(tx.tenant_id, "test")
        number = (await save_draft(SaveDraft(document=data), actor)).version.number
        await activate(number, actor)
    return number


async def _program() -> int:
    async with transaction() as tx:
        active = await tx.value(
            "SELECT number FROM program_version WHERE tenant_id = $1 AND status = 'active'", tx.tenant_id
        )
        return await use_program() if active is None else int(active)


async def settle_for(shares: Mapping[DistributorId, int], *, at: datetime = SETTLED_AT) -> None:
    """Bring each share onto the settled balance the way the house does: an order, its hold, the close of a period."""
    await make_order(shares, hold_until=at - timedelta(days=1))
    async with transaction() as tx:
        tenant = tx.tenant_id
    with clock.at(at):
        await close(CloseSettlement(idempotency_key=at.isoformat()), system(tenant, "test"))
