"""The audit log as a file for auditors: every line with its place in the hash chain, oldest first.

The number and the hash of a line are those of its link (docs/adr/0016-hash-chains.md), empty while it is not sealed; so
a file that was kept shows whether the log is still the one it was.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from enum import StrEnum

import orjson

from saas.base.db import reading
from saas.base.db.where import Where
from saas.base.documents import Download
from saas.base.errors import InvalidInput, Said
from saas.base.sheets import csv_text
from tenants.audit import AUDIT, EVERYTHING, Sought

LINES_MOST = 20_000
"""Lines of a file within an answer; the command line writes any number."""

COLUMNS = ("id", "at", "actor_kind", "actor_id", "actor", "action", "subject", "detail", "seq", "hash")
_READ = "r.id, r.at, r.actor_kind, r.actor_id, r.actor_label, r.action, r.subject, r.detail, k.seq, k.hash"


class AuditForm(StrEnum):
    """How the lines are written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


_MEDIA_TYPES = {AuditForm.CSV: "text/csv; charset=utf-8", AuditForm.JSON_LINES: "application/jsonl"}


async def parts(form: AuditForm, sought: Sought = EVERYTHING) -> AsyncGenerator[str, None]:
    """The lines in parts of a file, of which only one stands in memory at a time."""
    if form is AuditForm.CSV:
        yield csv_text([COLUMNS])
    async with reading() as tx:
        where = Where(tx, "r")
        sought.narrow(where, "r.")
        log = where.arg(AUDIT.name)
        sql = (
            f"SELECT {_READ} FROM audit_log r LEFT JOIN chain_link k ON k.tenant_id = r.tenant_id AND k.log = {log} "
            f"AND k.row_id = r.id WHERE {where.sql} ORDER BY r.at, r.id"
        )
        async with aclosing(tx.batches(sql, *where.args)) as batches:
            async for batch in batches:
                yield _written(form, [dict(zip(COLUMNS, row, strict=True)) for row in batch])


def _written(form: AuditForm, rows: list[dict[str, object]]) -> str:
    if form is AuditForm.JSON_LINES:
        lines = [{**row, "detail": orjson.loads(str(row["detail"]))} for row in rows]
        return "".join(orjson.dumps(line, default=str).decode() + "\n" for line in lines)
    return csv_text([["" if value is None else str(value) for value in row.values()] for row in rows])


async def document(form: AuditForm, sought: Sought = EVERYTHING) -> Download:
    """The lines as one file. Raises ``InvalidInput`` when they are more than ``LINES_MOST``."""
    async with reading() as tx:
        where = Where(tx)
        sought.narrow(where)
        found = await tx.value(f"SELECT count(*) FROM audit_log WHERE {where.sql}", *where.args)
        if found > LINES_MOST:
            remedy = Said(
                f"a file holds {LINES_MOST} lines at most; narrow it down by since and until",
                f"一个文件最多 {LINES_MOST} 行，请用 since 与 until 缩小范围",
            )
            raise InvalidInput("since", value=found, remedy=remedy)
        content = "".join([part async for part in parts(form, sought)]).encode()
    return Download(file_name=f"audit.{form}", media_type=_MEDIA_TYPES[form], content=content)
