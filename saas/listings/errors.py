"""The refusals of listings."""

from saas.base.errors import DomainError


class ListedAlready(DomainError):
    """The distributor offers the product in this channel already."""

    code = "LISTED_ALREADY"
    en = "{code} offers SKU {sku} in channel {channel} already. Change the price of that listing, or close it first."
    zh = "{code} 已在渠道 {channel} 上架 SKU {sku}。请修改该上架的价格，或先将其下架。"


class ListingClosed(DomainError):
    """The listing was closed before; it stays as it was."""

    code = "LISTING_CLOSED"
    en = "This listing is closed. Open a new one to offer the product again."
    zh = "该上架已下架。如需再次销售，请重新上架。"
