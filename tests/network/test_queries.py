"""Lists of the network: filters, orders, pages, totals, and what a distributor may see."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import InvalidInput
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.network.commands import approve, enrol, leave, reject, set_tier, suspend
from saas.network.queries import (
    Downline,
    Filters,
    SalesPeriod,
    Sort,
    SortKey,
    Visibility,
    by_code,
    chains,
    children,
    downline,
    find,
    history,
    totals_of,
    upline,
    visibility_of,
)
from saas.network.rules import Status
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import T0, plant, request, sell, staff, two_brands

PAGE = PageRequest(first=100)
MARCH = SalesPeriod(first=date(2026, 3, 1), until=date(2026, 4, 1), currency="CNY")
TREE: Mapping[str, str | None] = {"A": None, "B": "A", "C": "B", "D": "B", "E": "A", "F": "E", "Z": None}


async def listed(asked: Downline, view: Visibility | None = None, *, first: int = 2) -> list[str]:
    """The codes of all pages, read two by two, forgetting nobody and repeating nobody."""
    codes: list[str] = []
    after = None
    while True:
        page = await downline(asked, PageRequest(first=first, after=after), view)
        codes += [item.code for item in page.items]
        assert len(page.items) == first or not page.has_next
        if not page.has_next:
            return codes
        after = page.cursors[-1]


@pytest.fixture
async def ids(db: Database) -> dict[str, DistributorId]:
    """The tree of the tests in both brands; the ids of Lotus, whose March sales are a power of two each."""
    await two_brands()
    with as_tenant(CEDAR):
        await plant(TREE)
    with as_tenant(LOTUS):
        made = await plant(TREE)
        sales = [(id_, date(2026, 3, 31), 2**i) for i, id_ in enumerate(made.values())]
        outside = [(id_, day, 10**6) for id_ in made.values() for day in (date(2026, 2, 28), date(2026, 4, 1))]
        await sell([*sales, *outside])
        await sell([(id_, date(2026, 3, 2), 10**6) for id_ in made.values()], currency="USD")
    return made


async def test_filters_narrow_a_downline(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        await set_tier(ids["C"], "gold", "test", staff())
        await suspend(ids["F"], "test", staff())
        await enrol(request("R", ids["A"], region="310100"), staff())
        for filters, expected in (
            (Filters(), "BCDEFR"),
            (Filters(tiers={"gold", "diamond"}), "C"),
            (Filters(tiers=[]), ""),
            (Filters(statuses=[Status.SUSPENDED]), "F"),
            (Filters(statuses=[Status.ACTIVE, Status.SUSPENDED], tiers=["silver"]), "BDEFR"),
            (Filters(regions=["310100", "110000"]), "R"),
            (Filters(search="name OF c"), "C"),
            (Filters(search="%"), ""),
            (Filters(search="_"), ""),
            (Filters(search="!"), ""),
        ):
            assert "".join(await listed(Downline(of=ids["A"], filters=filters))) == expected, filters


@pytest.mark.parametrize(
    ("key", "ascending"),
    [
        (SortKey.CODE, "BCDEF"),
        (SortKey.NAME, "BCDEF"),
        (SortKey.LEVEL, "BECDF"),
        (SortKey.TREE, "BCDEF"),
        (SortKey.OWN_SALES, "BCDEF"),
        (SortKey.GROUP_SALES, "CDBFE"),
    ],
)
async def test_orders_of_a_downline(db: Database, ids: dict[str, DistributorId], key: SortKey, ascending: str) -> None:
    with as_tenant(LOTUS):
        for as_of in (None, T0):
            for descending in (False, True):
                asked = Downline(of=ids["A"], sort=Sort(key=key, descending=descending, period=MARCH), as_of=as_of)
                assert "".join(await listed(asked)) == (ascending[::-1] if descending else ascending)


async def test_joining_orders_by_the_application_until_then(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        with clock.at(T0 + timedelta(days=1)):
            await enrol(request("X", ids["A"]), staff())
        with clock.at(T0 + timedelta(days=2, microseconds=1)):
            await enrol(request("Y", ids["A"]), staff())
        assert "".join(await listed(Downline(of=ids["A"], sort=Sort(key=SortKey.JOINED_AT)))) == "BCDEFXY"


async def test_max_depth_and_children(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        assert "".join(await listed(Downline(of=ids["A"], max_depth=1))) == "BE"
        assert await listed(Downline(of=ids["A"], max_depth=0)) == []
        assert "".join(await listed(Downline(max_depth=1))) == "AZ"
        assert [item.code for item in (await children(None, PAGE)).items] == ["A", "Z"]
        assert [(item.code, item.level) for item in (await children(ids["B"], PAGE)).items] == [("C", 1), ("D", 1)]
        assert [(item.code, item.level) for item in await upline(ids["C"])] == [("B", 1), ("A", 2)]


async def test_totals_of_a_period_and_a_currency(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        found = await totals_of(list(ids.values()), MARCH)
        own = {code: found[id_].own_minor for code, id_ in ids.items()}
        group = {code: found[id_].group_minor for code, id_ in ids.items()}
        assert own == {"A": 1, "B": 2, "C": 4, "D": 8, "E": 16, "F": 32, "Z": 64}
        assert group == {"A": 63, "B": 14, "C": 4, "D": 8, "E": 48, "F": 32, "Z": 64}
        assert [found[ids[code]].head_count for code in "ABEZ"] == [6, 3, 2, 1]
        other = SalesPeriod(first=date(2026, 3, 1), until=date(2026, 4, 1), currency="USD")
        assert (await totals_of([ids["B"]], other))[ids["B"]].group_minor == 3 * 10**6
    with as_tenant(CEDAR):
        assert await totals_of(list(ids.values()), MARCH) == {}


async def test_heads_are_those_who_joined_and_did_not_leave(db: Database) -> None:
    await two_brands(applicant_review="manual")
    with as_tenant(LOTUS):
        top = await enrol(request("A", reviewed=True), staff())
        made = [await enrol(request(code, top), staff()) for code in "BCDE"]
        await approve(made[0], staff())
        await approve(made[1], staff())
        await suspend(made[0], "test", staff())
        await leave(made[1], downline_to="brand", reason="", actor=staff())
        await reject(made[2], "test", staff())
        assert (await totals_of([top], MARCH))[top].head_count == 2


async def test_a_page_with_totals_takes_two_statements(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        statements: list[str] = []
        db.observer = statements.append
        for as_of in (None, T0):
            statements.clear()
            page = await downline(Downline(of=ids["A"], as_of=as_of), PAGE)
            await totals_of([item.id for item in page.items], MARCH, as_of=as_of)
            assert len(statements) == 2
        statements.clear()
        await chains(list(ids.values()))
        assert len(statements) == 1
        db.observer = None


async def test_a_cursor_belongs_to_its_list(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        page = await downline(Downline(of=ids["A"], sort=Sort(key=SortKey.CODE)), PageRequest(first=1))
        for key in (SortKey.NAME, SortKey.LEVEL, SortKey.JOINED_AT):
            with pytest.raises(InvalidInput):
                after = PageRequest(first=1, after=page.cursors[0])
                await downline(Downline(of=ids["A"], sort=Sort(key=key)), after)
        with pytest.raises(InvalidInput):
            await downline(Downline(sort=Sort(key=SortKey.OWN_SALES)), PAGE)


async def test_the_other_brand_does_not_exist(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(CEDAR):
        for as_of in (None, T0):
            assert await listed(Downline(of=ids["A"], as_of=as_of)) == []
            assert await upline(ids["C"], as_of=as_of) == []
        assert await find(list(ids.values())) == {}
        assert await chains(list(ids.values())) == {}
        assert await history(ids["B"]) == []
        assert await visibility_of(ids["A"], generations=None, masked=False) is None
        mine = await by_code("A")
        assert mine is not None
        assert mine.id != ids["A"]


async def test_a_distributor_sees_itself_and_so_many_generations(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        for generations, expected in ((0, "A"), (1, "ABE"), (2, "ABCDEF"), (None, "ABCDEF")):
            view = await visibility_of(ids["A"], generations=generations, masked=False)
            for as_of in (None, T0):
                assert "".join(await listed(Downline(as_of=as_of), view)) == expected
            found = await find(list(ids.values()), view)
            assert {item.code for item in found.values()} == set(expected)
        view = await visibility_of(ids["B"], generations=1, masked=False)
        assert await by_code("A", view) is None
        assert await by_code("Z", view) is None
        (above,) = await upline(ids["C"], view)
        assert (above.code, above.level, above.sponsor_id) == ("B", 1, None)
        assert await upline(ids["B"], view) == []
        assert await listed(Downline(of=ids["A"]), view) == []
        assert [(item.sponsor_id, item.reason) for item in await history(ids["B"], view)] == [(None, None)]
        assert all(item.reason for item in await history(ids["B"]))
        assert await history(ids["A"], view) == []
        totals = await totals_of([ids["B"], ids["C"], ids["A"]], MARCH, view)
        assert {id_: t.group_minor for id_, t in totals.items()} == {ids["B"]: 14, ids["C"]: 4}


async def test_group_sales_order_by_what_the_viewer_sees(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        with clock.at(T0):
            deep = await enrol(request("G", ids["C"]), staff())
        await sell([(deep, date(2026, 3, 5), 1000)])
        for generations, expected in ((None, "DFEGCB"), (2, "CDBFE")):
            view = await visibility_of(ids["A"], generations=generations, masked=False)
            for as_of in (None, T0):
                asked = Downline(of=ids["A"], sort=Sort(key=SortKey.GROUP_SALES, period=MARCH), as_of=as_of)
                assert "".join(await listed(asked, view)) == expected


async def test_a_masked_view_tells_no_names(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        await enrol(request("N", ids["A"], id_number="31010119900101123X", phone="13812345678"), staff())
        view = await visibility_of(ids["A"], generations=None, masked=True)
        seen = await by_code("N", view)
        own = await by_code("A", view)
        assert seen is not None
        assert own is not None
        assert (seen.name, seen.id_number_masked, seen.phone_masked) == ("N**", None, "138****5678")
        assert own.name == "Name of A", "a viewer knows its own name"
        assert await listed(Downline(filters=Filters(search="name of")), view) == []
        assert await listed(Downline(filters=Filters(search="n")), view) == ["N"]
        with pytest.raises(InvalidInput):
            await downline(Downline(sort=Sort(key=SortKey.NAME)), PAGE, view)


async def test_a_viewers_cursor_does_not_tell_who_is_above(db: Database, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        view = await visibility_of(ids["B"], generations=None, masked=False)
        assert view is not None
        page = await downline(Downline(of=ids["B"]), PageRequest(first=1), view)
        told = urlsafe_b64decode(page.cursors[0] + "==").decode()
        assert view.path not in told
        assert "".join(await listed(Downline(of=ids["B"]), view, first=1)) == "CD"
