"""Files as brands bring them in, and what became of them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from saas.base import clock
from saas.base.ids import ImportFileId, new_id
from saas.base.paging import PageRequest
from saas.imports.columns import ImportKind
from saas.imports.files import HANDLERS, BringIn, bring_in
from saas.imports.views import FindingView, ImportView, findings, import_file
from saas.jobs.worker import run_due
from tenants.actors import Actor, Role
from tests.factories import LOTUS
from tests.orders import world as shops
from tests.orders.world import NOON, table

HEAD = "order_number,seller,sku,quantity,amount,freight,paid_at,delivered_at"
SOLD = [
    "N-1,C,PLAIN,1,100.00,5.00,2026-03-10,2026-03-12",
    "N-2,D,PLAIN,2,200.00,,2026-03-10,",
    "N-1,C,PLAIN,3,300.00,,,",
    ",B,PLAIN,1,50.00,,2026-03-10,",
]
NOW = NOON + timedelta(days=3)
OWNER = Actor(tenant_id=LOTUS, role=Role.OWNER, id=new_id(), label="owner")
OPERATIONS = Actor(tenant_id=LOTUS, role=Role.OPERATIONS, id=new_id(), label="operations")


def asked(rows: Sequence[str], kind: ImportKind = ImportKind.ORDERS, head: str = HEAD, **changes: Any) -> BringIn:
    values: dict[str, Any] = {
        "kind": kind,
        "name": "march.csv",
        "content": "\n".join([head, *rows]).encode(),
        "idempotency_key": str(new_id()),
        **changes,
    }
    return BringIn(**values)


async def brought_in(rows: Sequence[str], actor: Actor = OWNER, **changes: Any) -> ImportView:
    """A file that a worker has carried out."""
    with clock.at(NOW):
        taken = await bring_in(asked(rows, **changes), actor)
        await run_due(HANDLERS)
        found = await import_file(taken.id)
        assert found.finished_at == NOW
        return found


async def everything() -> dict[str, object]:
    """All that selling writes; the keys of the files themselves do not count."""
    keys = await table("SELECT count(*) FROM idempotency WHERE tenant_id = $1 AND operation <> 'import.file'")
    return {**await shops.everything(), "idempotency": keys}


def counted(found: ImportView) -> tuple[int, int, int]:
    return found.written, found.replayed, found.refused


async def wrong(file_id: ImportFileId) -> list[tuple[int, str | None, str]]:
    """Row, column and code of each finding."""
    items: Sequence[FindingView] = (await findings(file_id, PageRequest(100))).items
    return [(one.row_no, one.column.en if one.column else None, one.code) for one in items]
