"""Products: upsert, archive, list; two brands side by side."""

import pytest

from saas.base.db import Database
from saas.base.errors import NotFound, Rejected
from saas.base.paging import PageRequest
from saas.catalog.commands import archive_products, put_products
from saas.catalog.queries import ProductFilter, by_sku, products
from saas.catalog.rules import PutProduct
from tenants.actors import system
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

WHO = system(LOTUS, "test")


async def _skus(wanted: ProductFilter, first: int = 100, after: str | None = None) -> list[str]:
    return [view.sku for view in (await products(PageRequest(first, after), wanted)).items]


async def test_put_creates_then_updates_and_leaves_the_other_brand_alone(db: Database) -> None:
    await make_tenants()
    with as_tenant(CEDAR):
        await put_products([PutProduct(sku="TEA", name="Cedar tea")], system(CEDAR, "test"))
    with as_tenant(LOTUS):
        first = await put_products([PutProduct(sku="TEA", name="Tea"), PutProduct(sku="CUP", name="Cup")], WHO)
        again = await put_products([PutProduct(sku="TEA", name="Green tea", category="drinks")], WHO)
        assert again[0].id == first[0].id
        assert (again[0].name, again[0].category) == ("Green tea", "drinks")
        assert await _skus(ProductFilter()) == ["CUP", "TEA"]
    with as_tenant(CEDAR):
        assert [view.name for view in (await by_sku(["TEA", "CUP"])).values()] == ["Cedar tea"]


async def test_archive_is_repeatable_and_put_brings_a_product_back(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        await put_products([PutProduct(sku="A", name="A"), PutProduct(sku="B", name="B")], WHO)
        for _ in range(2):
            assert [view.status for view in await archive_products(["A"], WHO)] == ["archived"]
        assert await _skus(ProductFilter(status="active")) == ["B"]
        await put_products([PutProduct(sku="A", name="A")], WHO)
        assert await _skus(ProductFilter(status="active")) == ["A", "B"]
    with as_tenant(CEDAR):
        with pytest.raises(Rejected) as refused:
            await archive_products(["B"], system(CEDAR, "test"))
        assert isinstance(refused.value.errors[0], NotFound)
    with as_tenant(LOTUS):
        assert (await by_sku(["B"]))["B"].status == "active"


async def test_everything_wrong_is_told_at_once_and_nothing_is_kept(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        wrong = [
            PutProduct(sku="GOOD", name="Good"),
            PutProduct(sku="has space", name=""),
            PutProduct(sku="GOOD", name="Twice", category="a\x00b"),
        ]
        with pytest.raises(Rejected) as refused:
            await put_products(wrong, WHO)
        assert [(error.code, error.field) for error in refused.value.errors] == [
            ("PRODUCT_NOT_ACCEPTED", "input.products[1].sku"),
            ("PRODUCT_NOT_ACCEPTED", "input.products[1].name"),
            ("PRODUCT_NOT_ACCEPTED", "input.products[2].category"),
            ("PRODUCT_TWICE", "input.products[2].sku"),
        ]
        assert all(error.message(language) for error in refused.value.errors for language in ("en", "zh-CN"))
        assert await _skus(ProductFilter()) == []


async def test_pages_search_and_filters(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        await put_products(
            [PutProduct(sku=f"P{i:02}", name=f"面霜 {i}", category="skin" if i % 2 else "hair") for i in range(7)], WHO
        )
        page = await products(PageRequest(3), ProductFilter())
        assert [view.sku for view in page.items] == ["P00", "P01", "P02"]
        assert page.has_next
        rest = await products(PageRequest(10, page.cursors[-1]), ProductFilter())
        assert [view.sku for view in rest.items] == ["P03", "P04", "P05", "P06"]
        assert not rest.has_next
        assert await _skus(ProductFilter(category="skin")) == ["P01", "P03", "P05"]
        assert await _skus(ProductFilter(search="p06")) == ["P06"]
        assert await _skus(ProductFilter(search="面霜 4")) == ["P04"]
        assert await _skus(ProductFilter(search="%")) == []
