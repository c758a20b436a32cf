"""The import of real orders: to the cent what the file says, once, whatever happens meanwhile."""

from pathlib import Path

import pytest

from saas.base.db import Database
from saas.base.paging import PageRequest
from saas.base.scope import tenant_scope
from saas.commissions.queries import CommissionFilter, summary
from saas.imports.errors import BrandCurrencyDiffers
from saas.imports.orders import ImportReport, run
from saas.ledger.checks import run_checks
from tenants import registry
from tests.factories import LOTUS, as_tenant, make_tenants
from tests.imports.independent import Expected, expected
from tests.orders.world import everything, table

LOG = Path(__file__).parents[2] / "saas" / "demo" / "data" / "orders.txt"


def counted(report: ImportReport) -> tuple[int, int, int, int, int, dict[int, int]]:
    """What a report says of the orders it placed."""
    return (
        report.placed,
        report.gifts,
        report.pieces,
        report.goods_minor,
        report.company_minor,
        report.commission_minor,
    )


def first_rows(count: int, path: Path, *more: str) -> Path:
    """A log of the first rows of the real one."""
    with LOG.open() as log:
        rows = [line for line in log if not line.startswith("#")][: count + 1]
    path.write_text("".join([*rows, *more]))
    return path


async def compare(wanted: Expected) -> None:
    """Everything stored against the independent sums."""
    sums = await table(
        "SELECT o.currency, count(DISTINCT o.id), CAST(sum(x.amount_minor) AS bigint), "
        "CAST(sum(x.company_minor) AS bigint) FROM sales_order o "
        "JOIN order_line x ON x.tenant_id = o.tenant_id AND x.order_id = o.id "
        "WHERE o.tenant_id = $1 AND o.status <> 'cancelled' GROUP BY o.currency"
    )
    assert sums == [("USD", wanted.orders, wanted.goods, wanted.company)]
    levels = await summary(CommissionFilter())
    assert {one.level: one.earned_minor for one in levels} == wanted.by_level
    by_number = "CAST(substr(d.code, 2) AS integer)"
    owner = "JOIN distributor d ON d.tenant_id = x.tenant_id AND d.id ="
    entries = await table(
        f"SELECT {by_number}, CAST(sum(x.amount_minor) AS bigint) FROM ledger_entry x {owner} x.owner_id "
        f"WHERE x.tenant_id = $1 AND x.account = 'pending' GROUP BY d.code"
    )
    balances = await table(
        f"SELECT {by_number}, x.amount_minor FROM balance x {owner} x.owner_id WHERE x.tenant_id = $1"
    )
    sales = await table(
        f"SELECT {by_number}, CAST(sum(x.amount_minor) AS bigint) FROM sales_day x {owner} x.distributor_id "
        f"WHERE x.tenant_id = $1 GROUP BY d.code"
    )
    assert dict(entries) == dict(balances) == +wanted.earned  # type: ignore[arg-type]
    assert dict(sales) == wanted.sold  # type: ignore[arg-type]
    expense = await table(
        "SELECT CAST(sum(amount_minor) AS bigint) FROM ledger_entry "
        "WHERE tenant_id = $1 AND account = 'commission_expense'"
    )
    assert expense == [(-wanted.by_level.total(),)]
    assert wanted.goods == wanted.company + wanted.by_level.total()


async def test_a_tenth_of_the_log_comes_to_the_cent_to_what_the_file_says(db: Database) -> None:
    await make_tenants()
    with LOG.open() as log:
        wanted = expected(log)
    told: list[tuple[str, int, int]] = []
    rehearsed = await run(LOG, "cdnow", dry_run=True)
    report = await run(LOG, "cdnow", progress=lambda step, done, of: told.append((step, done, of)))
    assert counted(rehearsed) == counted(report)
    assert counted(report) == (
        wanted.orders,
        wanted.gifts,
        wanted.pieces,
        wanted.goods,
        wanted.company,
        dict(wanted.by_level),
    )
    assert (report.rows, report.placed, report.replayed, report.bad_rows) == (6_966, 6_966, 0, [])
    assert told[-1][:2] == ("orders", 6_966)
    brand = await registry.by_slug("cdnow")
    with tenant_scope(brand.id):
        await compare(wanted)
        assert await run_checks() == []
        before = await everything()
    for dry_run in (True, False):
        again = await run(LOG, "cdnow", dry_run=dry_run)
        assert (again.placed, again.replayed, again.goods_minor) == (0, 6_966, 0)
    with tenant_scope(brand.id):
        assert await everything() == before
    with as_tenant(LOTUS):
        assert (await everything())["sales_order"] == 0


async def test_a_bad_row_is_reported_and_the_rest_goes_on(db: Database, tmp_path: Path) -> None:
    path = first_rows(3, tmp_path / "log.txt", "9 19970230 1 1.00\n", "8 29970101 1 1.00\n", "7 19970105 2 0.00\n")
    for dry_run in (True, False):
        report = await run(path, "cdnow", dry_run=dry_run)
        assert (report.rows, report.placed, report.gifts) == (6, 4, 1)
        assert [(bad.line_no, [error.code for error in bad.errors]) for bad in report.bad_rows] == [
            (5, ["ROW_FIELD_WRONG"]),
            (6, ["ORDER_DATES_REFUSED"]),
        ]
        assert any("line 5 left out" in line for line in report.lines())


async def test_after_a_crash_whole_batches_are_there_and_a_second_run_adds_the_rest(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas.imports.orders.BATCH", 20)
    path = first_rows(70, tmp_path / "log.txt")

    def crash(step: str, done: int, of: int) -> None:
        if step == "orders" and done == 40:
            raise KeyError(of)

    with pytest.raises(KeyError):
        await run(path, "cdnow", progress=crash)
    brand = await registry.by_slug("cdnow")
    with tenant_scope(brand.id):
        assert await table("SELECT count(*) FROM sales_order WHERE tenant_id = $1") == [(40,)]
        assert await run_checks() == []
    report = await run(path, "cdnow")
    assert (report.placed, report.replayed) == (30, 40)
    longer = await run(first_rows(75, tmp_path / "longer.txt"), "cdnow")
    assert (longer.placed, longer.replayed) == (5, 70)
    with tenant_scope(brand.id):
        await compare(expected((tmp_path / "longer.txt").read_text().splitlines()))


async def test_a_dry_run_makes_no_brand_and_another_currency_is_refused(db: Database, tmp_path: Path) -> None:
    await make_tenants()
    path = first_rows(5, tmp_path / "log.txt")
    await run(path, "cdnow", dry_run=True)
    assert [brand.slug for brand in (await registry.brands(PageRequest())).items] == ["cedar", "lotus"]
    for dry_run in (True, False):
        with pytest.raises(BrandCurrencyDiffers):
            await run(path, "lotus", dry_run=dry_run)
