"""The writes of orders that others may call."""

from uuid import UUID

from saas.base import clock
from saas.base.db import transaction
from saas.base.errors import NotFound
from saas.orders.candidates import Gathered, Verdict
from saas.orders.draft import Ground, PlaceLine, PlaceOrder, Seller
from saas.orders.errors import PriceCaseClosed, TextRefused
from saas.orders.models import PriceCase
from saas.orders.placing import Placed, imagine_orders, place_and_tell, place_order, place_orders, preview_orders
from saas.orders.steps import OrderStep, cancel, close, deliver, pay, ship
from tenants import audit
from tenants.actors import Actor

__all__ = [
    "Gathered",
    "Ground",
    "OrderStep",
    "PlaceLine",
    "PlaceOrder",
    "Placed",
    "Seller",
    "Verdict",
    "cancel",
    "close",
    "close_price_case",
    "deliver",
    "imagine_orders",
    "pay",
    "place_and_tell",
    "place_order",
    "place_orders",
    "preview_orders",
    "ship",
]

RESOLUTION_LONGEST = 200


async def close_price_case(case_id: UUID, resolution: str, actor: Actor) -> None:
    """Close a price case with what was decided about it, in a few words.

    Raises ``TextRefused``, ``NotFound`` or ``PriceCaseClosed``.
    """
    words = resolution.strip()
    if not words or len(words) > RESOLUTION_LONGEST:
        raise TextRefused("input.resolution", what="resolution", longest=RESOLUTION_LONGEST)
    async with transaction():
        changed = await PriceCase.filter(id=case_id, status="open").update(
            status="closed", closed_at=clock.now(), resolution=words
        )
        if not changed and await PriceCase.filter(id=case_id).exists():
            raise PriceCaseClosed("input.caseId")
        if not changed:
            raise NotFound("input.caseId", kind="price case", value=case_id)
        await audit.record(actor, "price_case.close", str(case_id), resolution=words)
