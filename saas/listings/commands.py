"""The writes of listings. A distributor's own are the only ones that exist for it."""

from saas.base import clock
from saas.base.db import current_tx, transaction
from saas.base.errors import NotFound, Rejected
from saas.base.ids import DistributorId, ListingId, new_id
from saas.catalog.queries import by_sku
from saas.listings.errors import ListedAlready, ListingClosed
from saas.listings.queries import ListingView, listing
from saas.listings.rules import OpenListing, channel_objections, price_objections
from saas.network.queries import DistributorRow, find
from saas.network.rules import Status
from saas.network.standstill import hold_still
from saas.orders.errors import SellerNotActive, UnknownProduct
from tenants import audit
from tenants.actors import Actor, Role
from tenants.program.versions import active_program

__all__ = ["OpenListing", "change_listing_price", "close_listing", "close_listings_of", "open_listing"]

_COLUMNS = (
    "id", "distributor_id", "product_id", "sku", "channel", "price_minor", "currency", "status", "opened_at",
    "changed_at",
)  # fmt: skip


async def open_listing(asked: OpenListing, actor: Actor) -> ListingView:
    """Offer a product in a channel.

    Raises ``NotFound`` for a distributor that the actor may not act for, ``ListedAlready``, or ``Rejected`` with
    everything else that is wrong.
    """
    async with transaction() as tx:
        seller = await _seller(asked.distributor_id, actor, "input.distributorId")
        program = (await active_program()).program
        prices, currency = program.price_policy, program.currency
        product = (await by_sku([asked.sku])).get(asked.sku)
        wrong = [
            *channel_objections(prices, asked.sku, asked.channel),
            *price_objections(prices, asked.sku, asked.price_minor, currency),
        ]
        if product is None or product.status != "active":
            wrong.insert(0, UnknownProduct("input.sku", sku=asked.sku[:64]))
        if wrong or product is None:
            raise Rejected(wrong)
        id_, now = ListingId(new_id()), clock.now()
        row = (id_, seller.id, product.id, asked.sku, asked.channel, asked.price_minor, currency, "open", now, now)
        if not await tx.insert_many("listing", _COLUMNS, [row], or_ignore=True):
            raise ListedAlready("input.sku", code=seller.code, sku=asked.sku, channel=asked.channel)
        await audit.record(actor, "listing.open", str(id_), sku=asked.sku, price_minor=asked.price_minor)
        return await listing(id_)


async def change_listing_price(listing_id: ListingId, price_minor: int, actor: Actor) -> ListingView:
    """Ask another price for a piece from now on.

    Raises ``NotFound``, ``ListingClosed``, or ``Rejected`` with everything that is wrong with it today.
    """
    async with transaction() as tx:
        found = await listing(listing_id, _own(actor), "input.listingId")
        await _seller(found.distributor_id, actor, "input.listingId")
        program = (await active_program()).program
        wrong = [
            *channel_objections(program.price_policy, found.sku, found.channel),
            *price_objections(program.price_policy, found.sku, price_minor, program.currency),
        ]
        if wrong:
            raise Rejected(wrong)
        changed = await tx.execute(
            "UPDATE listing SET price_minor = $3, changed_at = $4 WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
            tx.tenant_id,
            listing_id,
            price_minor,
            clock.now(),
        )
        if not changed:
            raise ListingClosed("input.listingId")
        prices = audit.change({"price_minor": found.price_minor}, {"price_minor": price_minor})
        await audit.record(actor, "listing.change_price", str(listing_id), **prices)
        return await listing(listing_id)


async def close_listing(listing_id: ListingId, actor: Actor) -> ListingView:
    """Offer it no longer. Raises ``NotFound`` or ``ListingClosed``."""
    async with transaction() as tx:
        await listing(listing_id, _own(actor), "input.listingId")
        closed = await tx.execute(
            "UPDATE listing SET status = 'closed', closed_at = $3, changed_at = $3 "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'open'",
            tx.tenant_id,
            listing_id,
            clock.now(),
        )
        if not closed:
            raise ListingClosed("input.listingId")
        await audit.record(actor, "listing.close", str(listing_id))
        return await listing(listing_id)


async def close_listings_of(distributor_id: DistributorId) -> int:
    """Close all that a distributor offers, in the running transaction of its exit; answers how many."""
    tx = current_tx()
    return await tx.execute(
        "UPDATE listing SET status = 'closed', closed_at = $3, changed_at = $3 "
        "WHERE tenant_id = $1 AND distributor_id = $2 AND status = 'open'",
        tx.tenant_id,
        distributor_id,
        clock.now(),
    )


def _own(actor: Actor) -> DistributorId | None:
    return actor.distributor_id if actor.role is Role.DISTRIBUTOR else None


async def _seller(distributor_id: DistributorId, actor: Actor, field: str) -> DistributorRow:
    """Who offers, held as it stands until the transaction ends: whoever leaves closes what it offers."""
    if actor.role is Role.DISTRIBUTOR and distributor_id != actor.distributor_id:
        raise NotFound(field, kind="distributor", value=distributor_id)
    standing = (await hold_still([distributor_id])).get(distributor_id)
    if standing is None:
        raise NotFound(field, kind="distributor", value=distributor_id)
    seller = (await find([distributor_id]))[distributor_id]
    if standing is not Status.ACTIVE:
        raise SellerNotActive(field, code=seller.code, state=standing.value)
    return seller
