"""Exits as they are read, each with the quote it was decided on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Row, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, ExitId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.exits.certificate import Certificate
from saas.exits.inactivity import Inactive, inactive_among, inactive_distributors
from saas.exits.rules import ExitKind, ExitState, FinalStatement, Opening, Quote, StockLine
from saas.ledger.rules import Account, Kind, Movement
from saas.network.queries import DistributorRow, find
from tenants.registry import Brand, this_brand

__all__ = [
    "ExitFilter",
    "ExitView",
    "Inactive",
    "certificate_of",
    "certificates_of",
    "exit_by_id",
    "exits",
    "exits_by_id",
    "exits_of_batch",
    "inactive_among",
    "inactive_distributors",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitView:
    """One exit."""

    id: ExitId
    distributor_id: DistributorId
    kind: ExitKind
    status: ExitState
    reason: str
    quote: Quote
    requested_by: UUID
    requested_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    executed_at: datetime | None
    closed_at: datetime | None
    certificate_no: int | None
    final_statement: FinalStatement | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitFilter:
    """Which exits; None does not restrict."""

    statuses: Collection[ExitState] | None = None
    kinds: Collection[ExitKind] | None = None
    distributor_id: DistributorId | None = None


_COLUMNS = (
    "id, distributor_id, kind, status, reason, quote, requested_by, requested_at, approved_by, approved_at, "
    "executed_at, closed_at, certificate_no, final_statement, erased_at"
)


async def exit_by_id(exit_id: ExitId, distributor_id: DistributorId | None = None) -> ExitView:
    """One exit. Raises ``NotFound``, also for one of somebody else when ``distributor_id`` is given."""
    async with reading() as tx:
        row = await tx.row(f"SELECT {_COLUMNS} FROM exit_case WHERE tenant_id = $1 AND id = $2", tx.tenant_id, exit_id)
    if row is None or distributor_id not in (None, row["distributor_id"]):
        raise NotFound("input.id", kind="exit", value=exit_id)
    return _view(row)


async def exits_by_id(ids: Collection[ExitId]) -> Mapping[ExitId, ExitView]:
    """These exits, in one statement; those the brand does not have are left out."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM exit_case WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            list(ids),
        )
    return {row["id"]: _view(row) for row in rows}


async def exits_of_batch(batch_id: UUID) -> Sequence[ExitView]:
    """The exits that were asked for together, in the order of the list."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM exit_case WHERE tenant_id = $1 AND batch_id = $2 ORDER BY id",
            tx.tenant_id,
            batch_id,
        )
    return [_view(row) for row in rows]


async def exits(wanted: ExitFilter, page: PageRequest) -> Page[ExitView]:
    """The exits, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        if wanted.statuses is not None:
            where.within("status", list(wanted.statuses))
        if wanted.kinds is not None:
            where.within("kind", list(wanted.kinds))
        if wanted.distributor_id is not None:
            where.add("distributor_id = $", wanted.distributor_id)
        if page.after:
            where.add("id < $", decode_cursor(page.after, UUID)[0])
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM exit_case WHERE {where.sql} ORDER BY id DESC LIMIT {page.first + 1}", *where.args
        )
    return page_of([_view(row) for row in rows], page, [encode_cursor(row["id"]) for row in rows])


def _view(row: Row) -> ExitView:
    final = row["final_statement"]
    return ExitView(
        **{
            **row,
            "kind": ExitKind(row["kind"]),
            "status": ExitState(row["status"]),
            "quote": _quote(orjson.loads(row["quote"])),
            "final_statement": None if final is None else _final(orjson.loads(final)),
        }
    )


def _quote(said: dict[str, Any]) -> Quote:
    """A quote as it was given; one of an earlier version of the program knew less."""
    heir, on = said["heir_id"], said.get("payable_on")
    moments = {name: said.get(name) for name in ("final_at", "stock_since")}
    known = {
        "heir_id": DistributorId(UUID(heir)) if heir else None,
        "stock": tuple(StockLine(**line) for line in said.get("stock", ())),
        "payable_on": date.fromisoformat(on) if on else None,
        **{name: datetime.fromisoformat(text) if text else None for name, text in moments.items()},
    }
    return Quote(**{**said, **known})


def _final(said: dict[str, Any]) -> FinalStatement:
    return FinalStatement(
        since=datetime.fromisoformat(said["since"]),
        until=datetime.fromisoformat(said["until"]),
        openings=tuple(Opening(**{**one, "account": Account(one["account"])}) for one in said["openings"]),
        movements=tuple(
            Movement(**{**one, "account": Account(one["account"]), "kind": Kind(one["kind"])})
            for one in said["movements"]
        ),
    )


async def certificate_of(case: ExitView) -> Certificate | None:
    """The certificate of an exit that happened; None before."""
    return (await certificates_of([case])).get(case.id)


async def certificates_of(cases: Collection[ExitView]) -> Mapping[ExitId, Certificate]:
    """The certificates of those of these exits that happened, in as many statements as one."""
    happened = [case for case in cases if case.executed_at is not None and case.certificate_no is not None]
    if not happened:
        return {}
    async with reading():
        brand, people = await this_brand(), await find({case.distributor_id for case in happened})
    return {case.id: _certificate(case, people[case.distributor_id], brand) for case in happened}


def _certificate(case: ExitView, left: DistributorRow, brand: Brand) -> Certificate:
    def day(moment: datetime | None) -> date | None:
        return None if moment is None else clock.local_day(moment, brand.time_zone)

    left_on = day(case.executed_at)
    if left_on is None:
        raise ValueError("an exit that did not happen has no certificate")
    return Certificate(
        number=f"E{left_on:%Y}-{case.certificate_no:06}",
        brand=brand.name,
        code=left.code,
        name=left.name,
        kind=case.kind,
        joined_on=day(left.joined_at),
        left_on=left_on,
        closed_on=day(case.closed_at),
    )
