"""Files of orders: once, whole or not at all, each refusal at its row and column, whatever happens."""

from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import IdempotencyConflict, InvalidInput, NotFound
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.imports import files, order_rows
from saas.imports.errors import ColumnsWrong, FileTooLarge, FileUnreadable
from saas.imports.files import BYTES_MOST, HANDLERS, bring_in, carry_out, drop_abandoned
from saas.imports.views import findings, findings_csv, import_file, import_files
from saas.jobs.commands import cancel
from saas.jobs.lease import take
from saas.jobs.queries import job
from saas.jobs.rules import LEASE, JobStatus
from saas.jobs.worker import run_due
from saas.ledger.checks import run_checks
from saas.orders.commands import place_order
from saas.orders.queries import order_by_number
from tenants import audit
from tenants.actors import Actor
from tenants.errors import Forbidden
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.imports.world import NOW, OPERATIONS, OWNER, SOLD, asked, brought_in, counted, everything, wrong
from tests.network.world import T0
from tests.orders.world import order, table, two_shops


@pytest.fixture(autouse=True)
async def ids(db: Database) -> dict[str, DistributorId]:
    """Lotus' distributors by code; Cedar has the same codes and products."""
    return (await two_shops())[0]


async def test_a_file_is_placed_once_however_often_it_is_brought_in(db: Database) -> None:
    with as_tenant(LOTUS):
        first = await brought_in(SOLD)
        assert (first.row_count, first.units, counted(first)) == (4, 3, (3, 0, 0))
        number_one = await order_by_number("N-1")
        rows = await table("SELECT quantity, amount_minor FROM order_line WHERE tenant_id = $1 ORDER BY amount_minor")
        assert rows == [(1, 5_000), (1, 10_000), (2, 20_000), (3, 30_000)]
        heads = await table("SELECT freight_minor, status FROM sales_order WHERE tenant_id = $1 AND number = 'N-1'")
        assert heads == [(500, "delivered")]
        before = await everything()
        again = await brought_in(SOLD)
        moved = await brought_in([SOLD[3], SOLD[1], SOLD[0], SOLD[2]])
        assert (counted(again), counted(moved)) == ((0, 3, 0), (0, 3, 0))
        assert await everything() == before
        assert await order_by_number("N-1") == number_one
        assert await run_checks() == []
        told = [line.action for line in (await audit.lines(PageRequest(), audit.Sought(action="import."))).items]
        assert sorted(told) == ["import.begin"] * 3 + ["import.end"] * 3


async def test_codes_come_with_the_lines_they_are_on(db: Database) -> None:
    head = "order_number,seller,sku,quantity,amount,trace_codes"
    rows = [
        'N-1,C,PLAIN,3,100.00,"T-1,T-2；T-3"',
        "N-1,C,PLAIN,1,100.00,T-4",
        "N-2,C,PLAIN,2,100.00,T-5 T-1",
        "N-3,C,PLAIN,1,100.00,",
        "N-4,C,PLAIN,1,100.00,T-6 T-7",
    ]
    with as_tenant(LOTUS):
        found = await brought_in(rows, head=head)
        assert (counted(found), await wrong(found.id)) == (
            (2, 0, 2),
            [(4, "Trace codes", "TRACE_CODE_TAKEN"), (6, "Trace codes", "TRACE_CODES_TOO_MANY")],
        )
        assert counted(await brought_in(rows[:2], head=head)) == (0, 1, 0)
        kept = await table(
            "SELECT l.line_no, t.code FROM trace_code t JOIN order_line l ON l.tenant_id = t.tenant_id "
            "AND l.id = t.line_id WHERE t.tenant_id = $1 ORDER BY t.code"
        )
        assert kept == [(1, "T-1"), (1, "T-2"), (1, "T-3"), (2, "T-4")]


async def test_a_dry_run_tells_the_same_and_writes_nothing(db: Database) -> None:
    bad = [*SOLD, "N-9,NOBODY,PLAIN,1,1.00,,,"]
    with as_tenant(LOTUS):
        before = await everything()
        dry = await brought_in(bad, dry_run=True)
        assert await everything() == before
        wet = await brought_in(bad)
        assert counted(dry) == counted(wet) == (3, 0, 1)
        assert await wrong(dry.id) == await wrong(wet.id) == [(6, "Seller code", "NOT_FOUND")]


async def test_what_is_wrong_is_told_at_its_row_and_column_in_both_languages_and_keeps_nothing_else(
    db: Database, ids: dict[str, DistributorId]
) -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        await place_order(order(ids["B"], number="TAKEN"), OPERATIONS)
    rows = [
        "GOOD,C,PLAIN,1,10.00,,,",
        "N-1,C,PLAIN,1,10.00,,,",
        "N-1,,UNKNOWN,1,10.00,,,",
        'N-2,C,PLAIN,0,"1234,50",x,03/04/2026,',
        "TAKEN,C,PLAIN,1,10.00,,,",
        "2.02611E+17,C,PLAIN,1,10.00,,,",
        "N-3,C,PLAIN,,10.00,,2026-03-10,2026-03-09",
        "N-4,C,PLAIN,1,10.00,,2026-03-10,2026-03-09",
    ]
    with as_tenant(LOTUS):
        found = await brought_in(rows)
        assert counted(found) == (1, 0, 6)
        assert await wrong(found.id) == [
            (4, "SKU", "UNKNOWN_PRODUCT"),
            (5, "Amount", "IMPORT_CELL_UNREADABLE"),
            (5, "Freight", "IMPORT_CELL_UNREADABLE"),
            (5, "Paid at", "IMPORT_CELL_UNREADABLE"),
            (6, "Order number", "ORDER_NUMBER_TAKEN"),
            (7, "Order number", "IMPORT_DIGITS_LOST"),
            (8, "Quantity", "IMPORT_CELL_MISSING"),
            (9, "Delivered at", "ORDER_DATES_REFUSED"),
        ]
        assert await order_by_number("GOOD")
        assert await order_by_number("N-1") is None, "one wrong line keeps the order out as a whole"
        for language, title in (("en", "Paid at"), ("zh-CN", "付款时间")):
            told = await findings_csv(found.id, language)
            assert title in told
            assert len(told.splitlines()) == 9


async def test_the_same_number_with_other_content_is_refused(db: Database) -> None:
    with as_tenant(LOTUS):
        await brought_in(SOLD)
        before = await everything()
        changed = await brought_in([SOLD[1].replace("200.00", "210.00")])
        assert await everything() == before
        assert await wrong(changed.id) == [(2, "Order number", "IDEMPOTENCY_CONFLICT")]


async def test_orders_of_before_the_last_change_are_taken_only_when_an_owner_says_so(db: Database) -> None:
    old = ["OLD,C,PLAIN,1,10.00,,2025-01-01,"]
    assert T0.year == 2026
    with as_tenant(LOTUS):
        refused = await brought_in(old)
        assert await wrong(refused.id) == [(2, "Paid at", "PAID_BEFORE_CHANGE")]
        with pytest.raises(Forbidden):
            await bring_in(asked(old, historical=True), OPERATIONS)
        assert counted(await brought_in(old, historical=True)) == (1, 0, 0)
        assert await run_checks() == []


async def test_a_file_is_taken_in_once_for_its_key(db: Database) -> None:
    with as_tenant(LOTUS):
        first = await bring_in(asked(SOLD, idempotency_key="k"), OWNER)
        assert await bring_in(asked(SOLD, idempotency_key="k"), OWNER) == first
        with pytest.raises(IdempotencyConflict):
            await bring_in(asked(SOLD[:1], idempotency_key="k"), OWNER)
        assert len((await import_files(PageRequest())).items) == 1
        assert await run_due(HANDLERS) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"content": b""}, FileUnreadable),
        ({"content": b"a,b\n1,2\n"}, ColumnsWrong),
        ({"content": b"x" * (BYTES_MOST + 1)}, FileTooLarge),
        ({"name": ""}, InvalidInput),
        ({"name": "a\nb"}, InvalidInput),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_at_once(
    db: Database, changes: dict[str, Any], error: type[Exception]
) -> None:
    with as_tenant(LOTUS):
        with pytest.raises(error):
            await bring_in(asked(SOLD, **changes), OWNER)
        assert (await import_files(PageRequest())).items == []
        assert await run_due(HANDLERS) == 0


async def test_one_brand_sees_and_changes_nothing_of_anothers_files(db: Database) -> None:
    with as_tenant(LOTUS):
        mine = await brought_in(["N,NOBODY,PLAIN,1,1.00,,,"])
    with as_tenant(CEDAR):
        before = await everything()
        for read in (import_file(mine.id), findings_csv(mine.id, "en")):
            with pytest.raises(NotFound):
                await read
        assert (await findings(mine.id, PageRequest())).items == []
        assert (await import_files(PageRequest())).items == []
        with pytest.raises(NotFound):
            await carry_out(mine.id, OWNER, _quiet)
        assert await everything() == before


async def _quiet(done: int, of: int) -> None:
    """Hears nothing."""


class _Died(BaseException):
    """A worker that is no more."""


async def test_a_worker_that_dies_midway_leaves_whole_steps_and_another_one_does_the_rest(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_rows, "BATCH", 2)
    rows = [f"N-{n},C,PLAIN,1,10.00,,2026-03-10," for n in range(7)]
    with as_tenant(LOTUS), clock.at(NOW):
        taken = await bring_in(asked(rows), OWNER)
        held = await take(HANDLERS)
        assert held is not None

        async def dies(done: int, of: int) -> None:
            if done == 4:
                raise _Died

        with pytest.raises(_Died):
            await carry_out(taken.id, OWNER, dies)
        assert (await import_file(taken.id)).done == 4
        assert await table("SELECT count(*) FROM sales_order WHERE tenant_id = $1") == [(4,)]
    with as_tenant(LOTUS), clock.at(NOW + LEASE + timedelta(seconds=1)):
        assert await run_due(HANDLERS) == 1
        found = await import_file(taken.id)
        assert (counted(found), found.done, found.finished_at is not None) == ((7, 0, 0), 7, True)
        assert await run_checks() == []


async def test_two_who_carry_out_one_file_do_not_count_a_row_twice(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one began where the first was, and finds that the rows were done with."""
    monkeypatch.setattr(order_rows, "BATCH", 2)
    rows = [f"N-{n},C,PLAIN,1,10.00,,2026-03-10," for n in range(6)]
    with as_tenant(LOTUS), clock.at(NOW):
        taken = await bring_in(asked(rows), OWNER)

        async def one_step(done: int, of: int) -> None:
            if done == 4:
                raise _Died

        async def overtaken(done: int, of: int) -> None:
            if done == 2:
                with pytest.raises(_Died):
                    await carry_out(taken.id, OWNER, one_step)

        with pytest.raises(RuntimeError, match="somebody else"):
            await carry_out(taken.id, OWNER, overtaken)
        found = await import_file(taken.id)
        assert (found.done, counted(found)) == (4, (4, 0, 0))
        await carry_out(taken.id, OWNER, _quiet)
        assert counted(await import_file(taken.id)) == (6, 0, 0)
        assert await table("SELECT count(*) FROM sales_order WHERE tenant_id = $1") == [(6,)]


async def test_a_file_that_is_given_up_keeps_what_was_placed_and_places_nothing_more(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_rows, "BATCH", 1)
    monkeypatch.setattr("saas.jobs.worker.REPORT_EVERY", timedelta(0))
    with as_tenant(LOTUS), clock.at(NOW):
        taken = await bring_in(asked([f"N-{n},C,PLAIN,1,10.00,,2026-03-10," for n in range(5)]), OWNER)
        assert taken.job_id is not None
        id_ = taken.job_id
        real = files._orders

        async def gives_up(found: Any, batch: Any, begin: int, actor: Actor) -> None:
            await real(found, batch, begin, actor)
            if begin == 1:
                await cancel(id_, OWNER)

        monkeypatch.setattr(files, "_orders", gives_up)
        await run_due(HANDLERS)
        assert (await job(id_)).status is JobStatus.CANCELLED
        found = await import_file(taken.id)
        assert (found.done, found.finished_at) == (2, None)
        assert await table("SELECT count(*) FROM sales_order WHERE tenant_id = $1") == [(2,)]
        assert await run_checks() == []


async def test_the_rows_of_a_file_are_not_kept_longer_than_they_are_needed(db: Database) -> None:
    kept = "SELECT content IS NOT NULL FROM import_file WHERE tenant_id = $1 AND id = $2"
    with as_tenant(LOTUS):
        done = await brought_in(SOLD)
        with clock.at(NOW):
            waits = await bring_in(asked(SOLD), OWNER)
        for moment, there in ((NOW + timedelta(days=29), True), (NOW + timedelta(days=31), False)):
            with clock.at(moment):
                await drop_abandoned()
            async with transaction() as tx:
                assert not await tx.value(kept, LOTUS, done.id)
                assert bool(await tx.value(kept, LOTUS, waits.id)) is there
        with pytest.raises(FileUnreadable, match="30 days"):
            await carry_out(waits.id, OWNER, _quiet)
