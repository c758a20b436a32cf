"""Files brought in from the command line: reported, once, and told apart from purchase logs."""

from pathlib import Path

from saas.base.db import open_database
from saas.imports.columns import ImportKind, template
from saas.imports.log import is_log
from tests.factories import LOTUS, as_tenant
from tests.imports.test_orders import LOG
from tests.orders.world import table, two_shops
from tests.test_main import command, refused

SOLD = "order_number,seller,sku,quantity,amount\nN-1,C,PLAIN,1,10.00\nN-2,NOBODY,PLAIN,1,10.00\n"
BACK = "order_number,reason,override_reason\nN-1,does not fit,\n"


async def test_orders_and_returns_by_command(sqlite_url: str, tmp_path: Path) -> None:
    sold, back = tmp_path / "sold.csv", tmp_path / "back.csv"
    sold.write_text(SOLD)
    back.write_text(BACK)
    async with open_database(sqlite_url):
        await two_shops()
    for arguments, line in (
        (("--dry-run",), "sold.csv: 2 rows, 2 orders: 1 would be written, 0 were there before, 1 left out"),
        ((), "sold.csv: 2 rows, 2 orders: 1 written, 0 were there before, 1 left out"),
        ((), "sold.csv: 2 rows, 2 orders: 0 written, 1 were there before, 1 left out"),
    ):
        told = command(sqlite_url, "import", "orders", sold, "--tenant", "lotus", *arguments)
        assert told.returncode == 2, told.stdout + told.stderr
        assert line in told.stdout
        assert "row 3, Seller code: No distributor found for NOBODY. Check the identifier. [NOT_FOUND]" in told.stdout
    told = command(sqlite_url, "import", "returns", back, "--tenant", "lotus")
    assert told.returncode == 2
    assert "row 2, Order number" in told.stdout
    assert "[WRONG_STATE]" in told.stdout, "it was not delivered"
    refused(command(sqlite_url, "import", "orders", sold, "--tenant", "nowhere"), "NOT_FOUND")
    broken = tmp_path / "broken.csv"
    broken.write_text("a,b\n1,2\n")
    refused(command(sqlite_url, "import", "returns", broken, "--tenant", "lotus"), "IMPORT_COLUMNS_WRONG")
    async with open_database(sqlite_url):
        with as_tenant(LOTUS):
            assert await table("SELECT number FROM sales_order WHERE tenant_id = $1") == [("N-1",)]


def test_a_template_by_command(sqlite_url: str) -> None:
    told = command(sqlite_url, "import", "template", "returns", "--language", "zh-CN")
    assert told.stdout.splitlines() == template(ImportKind.RETURNS, "zh-CN").splitlines()


def test_a_log_is_told_from_a_table(tmp_path: Path) -> None:
    assert is_log(LOG)
    for content in (SOLD, "", "# only a comment\n"):
        (tmp_path / "file").write_text(content)
        assert not is_log(tmp_path / "file")
