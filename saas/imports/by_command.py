"""A file brought in from the command line, carried out at once: a table of orders or returns, or a purchase log."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from saas.base.ids import new_id
from saas.base.paging import PAGE_MAX, PageRequest
from saas.base.scope import tenant_scope
from saas.imports import log, orders
from saas.imports.columns import ImportKind
from saas.imports.files import NAME_LONGEST, BringIn, bring_in, carry_out
from saas.imports.orders import Progress
from saas.imports.views import FindingView, ImportView, findings
from tenants import registry
from tenants.actors import system


class Report(Protocol):
    """What became of a file."""

    def lines(self) -> Iterator[str]:
        """The report for people."""

    @property
    def left_out(self) -> int:
        """How much of it was left out."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """What became of a table, with the first of its findings."""

    file: ImportView
    findings: Sequence[FindingView]
    more: bool

    @property
    def left_out(self) -> int:
        """Orders or returns that were refused."""
        return self.file.refused

    def lines(self) -> Iterator[str]:
        """The report for people."""
        done, verb = self.file, "would be written" if self.file.dry_run else "written"
        counts = f"{done.written:,} {verb}, {done.replayed:,} were there before, {done.refused:,} left out"
        yield f"{done.name}: {done.row_count:,} rows, {done.units:,} {done.kind}: {counts}"
        for one in self.findings:
            yield f"row {one.row_no}, {one.column.en if one.column else '-'}: {one.message.en} [{one.code}]"
        if self.more:
            yield "and more; the API's importFile has them all"


async def run_file(
    kind: ImportKind, path: Path, slug: str, *, dry_run: bool, historical: bool, progress: Progress
) -> Report:
    """Bring a file into a brand. The same file again changes nothing, but what was refused may be fine by then.

    Raises ``NotFound`` for an unknown brand, and whatever ``bring_in`` or the import of logs does.
    """
    if kind is ImportKind.ORDERS and log.is_log(path):
        return await orders.run(path, slug, dry_run=dry_run, progress=progress)
    brand = await registry.by_slug(slug)
    actor = system(brand.id, f"import {kind}")

    async def tell(done: int, of: int) -> None:
        progress(kind, done, of)

    command = BringIn(
        kind=kind,
        name=path.name[:NAME_LONGEST],
        content=_content(path),
        dry_run=dry_run,
        historical=historical,
        idempotency_key=str(new_id()),
    )
    with tenant_scope(brand.id):
        taken = await bring_in(command, actor, as_job=False)
        done = await carry_out(taken.id, actor, tell)
        page = await findings(done.id, PageRequest(PAGE_MAX))
    progress(kind, done.units, done.units)
    return TableReport(done, page.items, page.has_next)


def _content(path: Path) -> bytes:
    return path.read_bytes()
