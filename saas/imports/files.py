"""Files that a brand brings in: taken in, then carried out step by step, each step with its record in one transaction.

Whoever carries a file out goes on where the record ends, so after a crash, or given up, nothing is half written and
nothing is written twice; a file brought in again finds its rows there already.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Tx, current_tx, reading, transaction
from saas.base.errors import DomainError, InvalidInput, Rejected, Said
from saas.base.idempotency import claim
from saas.base.ids import ImportFileId, JobId, new_id
from saas.imports import order_rows, return_rows, sheet
from saas.imports.columns import ImportKind
from saas.imports.errors import FileTooLarge, FileUnreadable
from saas.imports.outcome import Fate, Outcome
from saas.imports.table import Row, Unit, rows_of, units_of
from saas.imports.views import ImportView, import_file
from saas.jobs.commands import asked_by, enqueue, said_by
from saas.jobs.worker import Handler, Progress, Report
from tenants import audit
from tenants.actors import Actor, Role
from tenants.errors import Forbidden

JOB = "import"
"""The kind of its jobs."""
BYTES_MOST = 10_000_000
"""Bytes of one file; over the API it is less, since a request has at most ``schema.http.BODY_MAX``."""
NAME_LONGEST = 100
KEPT = timedelta(days=30)
"""How long the rows of a file wait to be carried out."""
FINDINGS_MOST = 10_000
"""Findings kept of one file; beyond them it is the wrong file."""

_FINDING = ("file_id", "seq", "row_no", "field", "code", "en", "zh")


@dataclass(frozen=True, slots=True, kw_only=True)
class BringIn:
    """A file of orders or returns.

    ``historical``: orders that were paid before the last change of program or tree follow both as they stand now; else
    they are refused. ``dry_run`` finds all that is wrong, and writes nothing.
    """

    kind: ImportKind
    name: str
    content: bytes
    dry_run: bool = False
    historical: bool = False
    idempotency_key: str


async def bring_in(command: BringIn, actor: Actor, *, as_job: bool = True) -> ImportView:
    """Take a file in, for a worker to carry out unless ``as_job`` is off.

    The same key and content answer the same file.
    Raises ``FileUnreadable``, ``FileTooLarge``, ``ColumnsWrong``, ``CellsMerged``, ``InvalidInput``, ``Forbidden`` or
    ``IdempotencyConflict``. Must be called outside of a transaction.
    """
    if command.historical and actor.role not in {Role.OWNER, Role.SYSTEM}:
        raise Forbidden("input.historical", role=actor.role, needed=Role.OWNER)
    if not (0 < len(command.name) <= NAME_LONGEST and command.name.isprintable()):
        remedy = Said(f"give 1 to {NAME_LONGEST} printable characters", f"请填写 1 至 {NAME_LONGEST} 个可打印字符")
        raise InvalidInput("input.name", value=ascii(command.name[:40]), remedy=remedy)
    if len(command.content) > BYTES_MOST:
        raise FileTooLarge("input.content", size=len(command.content), what=Said("bytes", "字节"), most=BYTES_MOST)
    rows = await asyncio.to_thread(_rows_in, command)
    file_id, digest = ImportFileId(new_id()), sha256(command.content).hexdigest()
    async with transaction() as tx:
        said = [command.kind, digest, command.dry_run, command.historical]
        earlier = await claim("import.file", command.idempotency_key, said, file_id)
        if earlier is not None:
            return await import_file(ImportFileId(earlier))
        job_id = JobId(new_id()) if as_job else None
        if job_id is not None:
            await enqueue(JOB, {"file": file_id, "actor": said_by(actor)}, actor=actor, job_id=job_id)
        await _insert(tx, command, file_id, digest, rows, job_id, actor)
        told = {"kind": command.kind, "name": command.name, "rows": len(rows), "historical": command.historical}
        await audit.record(actor, "import.begin", str(file_id), **told, dry_run=command.dry_run)
        return await import_file(file_id)


def _rows_in(command: BringIn) -> list[Row]:
    return rows_of(command.kind, sheet.read(command.content))


async def _insert(
    tx: Tx,
    command: BringIn,
    file_id: ImportFileId,
    digest: str,
    rows: Sequence[Row],
    job_id: JobId | None,
    actor: Actor,
) -> None:
    await tx.insert_many(
        "import_file",
        (
            *("id", "kind", "name", "digest", "dry_run", "historical", "content", "row_count", "units", "job_id"),
            *("created_by", "created_at"),
        ),
        [
            (
                *(file_id, command.kind.value, command.name, digest, command.dry_run, command.historical),
                *(
                    orjson.dumps([tuple(row) for row in rows]).decode(),
                    len(rows),
                    len(units_of(command.kind, rows)),
                    job_id,
                ),
                *(actor.id, clock.now()),
            )
        ],
    )


async def run_import(given: Mapping[str, Any], progress: Progress) -> None:
    """The handler of ``JOB``; done again, it goes on where it was."""
    await carry_out(ImportFileId(UUID(given["file"])), asked_by(given), progress.report)


HANDLERS: Mapping[str, Handler] = {JOB: run_import}
"""Who does the jobs of imports."""


async def carry_out(file_id: ImportFileId, actor: Actor, report: Report) -> ImportView:
    """Do what is left of a file. Must be called outside of a transaction. Raises ``NotFound``."""
    found = await import_file(file_id)
    units = units_of(found.kind, await _rows(file_id))
    if found.finished_at is None and len(units) < found.units:
        kept = KEPT // timedelta(days=1)
        why = Said(
            f"its rows are kept for {kept} days only; bring it in again", f"文件内容仅保留 {kept} 天，请重新导入"
        )
        raise FileUnreadable("id", why=why)
    size = order_rows.BATCH if found.kind is ImportKind.ORDERS else 1
    for begin in range(found.done, len(units), size):
        await report(begin, len(units))
        batch = units[begin : begin + size]
        if found.kind is ImportKind.ORDERS:
            await _orders(found, batch, begin, actor)
        else:
            await return_rows.bring_in(batch[0], actor, _Record(file_id, begin), dry_run=found.dry_run)
    await _finish(file_id, actor)
    return await import_file(file_id)


async def drop_abandoned() -> None:
    """Forget the rows of files that nobody has carried out for long. A chore of each brand."""
    async with transaction() as tx:
        await tx.execute(
            "UPDATE import_file SET content = NULL WHERE tenant_id = $1 AND content IS NOT NULL AND created_at < $2",
            *(tx.tenant_id, clock.now() - KEPT),
        )


async def _orders(found: ImportView, batch: Sequence[Unit], begin: int, actor: Actor) -> None:
    for last_try in (False, True):
        try:
            async with transaction():
                outcomes = await order_rows.bring_in(batch, actor, dry_run=found.dry_run, historical=found.historical)
                await _record(found.id, begin, outcomes)
        except Rejected:  # somebody took a number meanwhile: now it is found taken, and refused at its row
            if last_try:
                raise
        else:
            return


@dataclass(frozen=True, slots=True)
class _Record:
    """Writes down what became of the unit that comes after ``begin`` others."""

    file_id: ImportFileId
    begin: int

    async def __call__(self, outcome: Outcome) -> None:
        await _record(self.file_id, self.begin, [outcome])


async def _record(file_id: ImportFileId, begin: int, outcomes: Sequence[Outcome]) -> None:
    """Write outcomes down, in the running transaction, unless somebody else has done these units meanwhile."""
    tx = current_tx()
    fates = [sum(outcome.fate is fate for outcome in outcomes) for fate in (Fate.WRITTEN, Fate.REPLAYED, Fate.REFUSED)]
    kept = await tx.execute(
        "UPDATE import_file SET units_done = units_done + $4, written = written + $5, replayed = replayed + $6, "
        "refused = refused + $7 WHERE tenant_id = $1 AND id = $2 AND units_done = $3 AND finished_at IS NULL",
        *(tx.tenant_id, file_id, begin, len(outcomes), *fates),
    )
    if not kept:
        raise RuntimeError(f"somebody else carries file {file_id} out")
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    if not findings:
        return
    before = await tx.value(
        "SELECT coalesce(max(seq), 0) FROM import_finding WHERE tenant_id = $1 AND file_id = $2",
        *(tx.tenant_id, file_id),
    )
    numbers = count(before + 1)
    rows = [
        (file_id, next(numbers), one.row_no, one.column, one.error.code, *_said(one.error))
        for one in findings[: max(0, FINDINGS_MOST - before)]
    ]
    if rows:
        await tx.insert_many("import_finding", _FINDING, rows)


def _said(error: DomainError) -> tuple[str, str]:
    return error.message("en"), error.message("zh-CN")


async def _rows(file_id: ImportFileId) -> list[Row]:
    async with reading() as tx:
        content = await tx.value(
            "SELECT content FROM import_file WHERE tenant_id = $1 AND id = $2", tx.tenant_id, file_id
        )
    return [] if content is None else [Row(number, cells) for number, cells in orjson.loads(content)]


async def _finish(file_id: ImportFileId, actor: Actor) -> None:
    """The rows are not kept: what they said of people stands in orders and returns, where it is governed."""
    async with transaction() as tx:
        ended = await tx.execute(
            "UPDATE import_file SET finished_at = $3, content = NULL WHERE tenant_id = $1 AND id = $2 "
            "AND finished_at IS NULL",
            *(tx.tenant_id, file_id, clock.now()),
        )
        if ended:
            found = await import_file(file_id)
            told = {"written": found.written, "replayed": found.replayed, "refused": found.refused}
            await audit.record(actor, "import.end", str(file_id), **told, dry_run=found.dry_run)
