"""Imported files as they are read, with what was wrong in them, and that as a file to work through."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.base.db import Row, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound, Said
from saas.base.ids import ImportFileId, JobId
from saas.base.paging import PAGE_MAX, Int32, Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.sheets import csv_text
from saas.imports.columns import COLUMNS, ImportKind

_COLUMNS = (
    "id, kind, name, dry_run, historical, row_count, units, units_done, written, replayed, refused, job_id, "
    "created_by, created_at, finished_at"
)
_TITLES = {(kind.value, column.key): column.title for kind, columns in COLUMNS.items() for column in columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """A file and how far it is: of ``units`` orders or returns so many are written, were there before, were left out.

    Of a dry run ``written`` are those that would be.
    """

    id: ImportFileId
    kind: ImportKind
    name: str
    dry_run: bool
    historical: bool
    row_count: int
    units: int
    done: int
    written: int
    replayed: int
    refused: int
    job_id: JobId | None
    created_by: UUID | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """What is wrong with a row, numbered as a spreadsheet program does, and what to do; ``column`` is its title."""

    row_no: int
    column: Said | None
    code: str
    message: Said


async def import_file(file_id: ImportFileId) -> ImportView:
    """One file. Raises ``NotFound``."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_COLUMNS} FROM import_file WHERE tenant_id = $1 AND id = $2", tx.tenant_id, file_id
        )
    if row is None:
        raise NotFound("id", kind="import file", value=file_id)
    return _view(row)


async def import_files(page: PageRequest, kind: ImportKind | None = None) -> Page[ImportView]:
    """Files, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        if kind is not None:
            where.add("kind = $", kind.value)
        if page.after:
            moment, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("created_at", "id"), (moment, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM import_file WHERE {where.sql} ORDER BY created_at DESC, id DESC "
            f"LIMIT {page.first + 1}",
            *where.args,
        )
    found = [_view(row) for row in rows]
    return page_of(found, page, [encode_cursor(one.created_at, one.id) for one in found])


async def findings(file_id: ImportFileId, page: PageRequest) -> Page[FindingView]:
    """What was wrong in a file, in the order it was found."""
    async with reading() as tx:
        where = Where(tx, "x")
        where.add("x.file_id = $", file_id)
        if page.after:
            where.add("x.seq > $", decode_cursor(page.after, Int32)[0])
        rows = await tx.rows(
            f"SELECT x.seq, x.row_no, x.field, x.code, x.en, x.zh, f.kind FROM import_finding x "
            f"JOIN import_file f ON f.tenant_id = x.tenant_id AND f.id = x.file_id "
            f"WHERE {where.sql} ORDER BY x.seq LIMIT {page.first + 1}",
            *where.args,
        )
    found = [
        FindingView(
            row_no=row["row_no"],
            column=_TITLES.get((row["kind"], row["field"])),
            code=row["code"],
            message=Said(row["en"], row["zh"]),
        )
        for row in rows
    ]
    return page_of(found, page, [encode_cursor(row["seq"]) for row in rows])


async def findings_csv(file_id: ImportFileId, language: str) -> str:
    """All findings of a file as CSV. Text that begins like a formula stays text. Raises ``NotFound``."""
    chinese = language.lower().startswith("zh")
    rows: list[list[str | int]] = [["行", "列", "代码", "说明"] if chinese else ["row", "column", "code", "message"]]
    async with reading():
        await import_file(file_id)
        async for one in _all(file_id):
            column = "" if one.column is None else one.column.zh if chinese else one.column.en
            rows.append([one.row_no, column, one.code, one.message.zh if chinese else one.message.en])
    return csv_text(rows)


async def _all(file_id: ImportFileId) -> AsyncIterator[FindingView]:
    after = None
    while True:
        page = await findings(file_id, PageRequest(PAGE_MAX, after))
        for one in page.items:
            yield one
        if not page.has_next:
            return
        after = page.cursors[-1]


def _view(row: Row) -> ImportView:
    return ImportView(
        **{
            **{name: value for name, value in row.items() if name != "units_done"},
            "kind": ImportKind(row["kind"]),
            "done": row["units_done"],
        }
    )
