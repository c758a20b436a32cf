"""What a product may be called. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from saas.base.errors import DomainError
from saas.catalog.errors import ProductNotAccepted, ProductTwice

SKU_LONGEST = 64
NAME_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PutProduct:
    """A product as the brand wants it; ``category`` groups products for commission tables."""

    sku: str
    name: str
    category: str | None = None


def objections(products: Iterable[PutProduct]) -> Iterator[DomainError]:
    """Everything that is wrong with a list of products, with the path of each."""
    seen: set[str] = set()
    for number, product in enumerate(products):
        at = f"input.products[{number}]"
        if not _is_token(product.sku):
            words = {"what": "SKU", "what_zh": " SKU", "longest": SKU_LONGEST}
            yield ProductNotAccepted(f"{at}.sku", value=_shown(product.sku), **words)
        if not _is_name(product.name):
            words = {"what": "name", "what_zh": "名称", "longest": NAME_LONGEST}
            yield ProductNotAccepted(f"{at}.name", value=_shown(product.name), **words)
        if product.category is not None and not _is_token(product.category):
            words = {"what": "category", "what_zh": "类别", "longest": SKU_LONGEST}
            yield ProductNotAccepted(f"{at}.category", value=_shown(product.category), **words)
        if product.sku in seen:
            yield ProductTwice(f"{at}.sku", sku=product.sku)
        seen.add(product.sku)


def _is_token(text: str) -> bool:
    return 0 < len(text) <= SKU_LONGEST and text.isprintable() and " " not in text


def _is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_LONGEST and text.isprintable() and text.strip() == text


def _shown(text: str) -> str:
    return repr(text[:40])
