"""Reads of the tree: who stands where, now or at any moment, and what they sold.

Hot lists are plain SQL into frozen rows. The tree of the present is a range of paths; the tree as of a moment is
walked along ``sponsorship``. A ``Visibility`` limits what a distributor may see: rows outside of it do not exist.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from saas.base.db import Row, as_time, reading
from saas.base.errors import InvalidInput, Said
from saas.base.ids import DistributorId
from saas.base.paging import Cursors, Int32, Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.rows import Column, RawRows
from saas.network.contact import masked_name
from saas.network.rules import Cause, Kind, Status
from saas.network.selection import (
    Statement,
    columns,
    filtered,
    members,
    page_of_tree,
    sort_expression,
    tops,
    totals_statement,
    under_tops,
)
from saas.network.views import (
    Chain,
    ChainMember,
    DistributorRow,
    Downline,
    Filters,
    SalesPeriod,
    Sort,
    SortKey,
    SponsorshipRow,
    StandingRow,
    Team,
    TierPin,
    Totals,
    Visibility,
)
from tenants.labels import labels_of

__all__ = [
    "Chain",
    "ChainMember",
    "DistributorRow",
    "Downline",
    "Filters",
    "SalesPeriod",
    "Sort",
    "SortKey",
    "SponsorshipRow",
    "StandingRow",
    "Team",
    "TierPin",
    "Totals",
    "Visibility",
    "by_code",
    "chains",
    "children",
    "downline",
    "find",
    "history",
    "pins_of",
    "standings",
    "team_of",
    "totals_of",
    "upline",
    "visibility_of",
]

_KEY_KINDS: Mapping[SortKey, type] = {
    SortKey.CODE: str,
    SortKey.NAME: str,
    SortKey.JOINED_AT: datetime,
    SortKey.LEVEL: Int32,
    SortKey.TREE: str,
    SortKey.OWN_SALES: int,
    SortKey.GROUP_SALES: int,
}


_KINDS: Mapping[str | None, Kind | None] = {None: None, **{kind.value: kind for kind in Kind}}
_STATUSES: Mapping[str | None, Status | None] = {None: None, **{status.value: status for status in Status}}
_OWN = len(DistributorRow._fields)
_new = tuple.__new__
"""What ``DistributorRow._make`` does, without counting."""


def _sponsor(value: Any) -> UUID | None:
    """SQLite answers what a CASE chose as text."""
    return UUID(value) if type(value) is str else value


_READ: Mapping[str, Callable[[Any], Any]] = {
    "kind": _KINDS.__getitem__,
    "status": _STATUSES.__getitem__,
}
COLUMNS: Mapping[str, Column] = {
    name: Column(place, _READ.get(name)) for place, name in enumerate(DistributorRow._fields)
}
"""How the rows of ``downline`` are read as the database answered them."""


async def downline(
    asked: Downline, page: PageRequest, visibility: Visibility | None = None, *, only: Collection[str] | None = None
) -> Page[DistributorRow]:
    """A page of the downline, in one statement; empty when ``asked.of`` does not exist for the viewer.

    ``only`` these members of the rows are read, and the id; the others are None, whatever they are of.

    Raises ``InvalidInput`` for a cursor of another list, or a sort that has no period or would tell hidden names.
    """
    sort = asked.sort
    if sort.key is SortKey.NAME and visibility is not None and visibility.masked:
        raise InvalidInput(
            "sort",
            value=sort.key.value,
            remedy=Said("names are hidden here; sort by code", "此处姓名不可见，请按编码排序"),
        )
    order, beyond = ("DESC", "<") if sort.descending else ("ASC", ">")
    async with reading() as tx:
        st = Statement(tx, visibility)
        them = members(st, None if asked.of is None else [asked.of], asked.as_of)
        conditions = f"{them.level} > 0"
        if asked.max_depth is not None:
            conditions += f" AND {them.level} <= {st.arg(asked.max_depth)}"
        key = sort_expression(st, sort.key, them, sort.period)
        conditions += filtered(st, asked.filters)
        after = ""
        if page.after:
            name, value, id_ = decode_cursor(page.after, str, _KEY_KINDS[sort.key], UUID)
            if name != sort.key:
                raise InvalidInput(
                    "after",
                    value=page.after[:40],
                    remedy=Said("pass a cursor of this list and this sort", "请使用同一列表、同一排序返回的游标"),
                )
            after = f"WHERE (sort_key, id) {beyond} ({st.arg(value)}, {st.arg(id_)})"
        source = f"{them.source} AND {conditions}"
        if tx.laterally and asked.of is not None and asked.as_of is None and sort.key is SortKey.TREE:
            last = value if page.after else None
            source = page_of_tree(st, conditions, last, descending=sort.descending, most=page.first + 1)
        found = await st.rows(
            f"{them.with_}SELECT * FROM (SELECT {columns(them.sponsor, them.level, only)}, {key} AS sort_key "
            f"FROM {source}) AS listed {after} "
            f"ORDER BY sort_key {order}, id {order} LIMIT {st.arg(page.first + 1)}"
        )
    cursors = Cursors(found, lambda row: (sort.key, _sort_value(row["sort_key"], sort.key), row["id"]))
    if visibility is None and tx.rows_by_place:
        return page_of(RawRows(found, _made, COLUMNS), page, cursors)
    return page_of([_row(row, visibility) for row in found], page, cursors)


def _sort_value(value: object, key: SortKey) -> object:
    return as_time(value) if key is SortKey.JOINED_AT else value


async def children(
    of: DistributorId | None,
    page: PageRequest,
    visibility: Visibility | None = None,
    *,
    sort: Sort | None = None,
    as_of: datetime | None = None,
    only: Collection[str] | None = None,
) -> Page[DistributorRow]:
    """A page of those directly under a distributor, or of those at the top."""
    return await downline(Downline(of=of, max_depth=1, sort=sort or Sort(), as_of=as_of), page, visibility, only=only)


def _made(row: Row) -> DistributorRow:
    """A row as it is, by place and not by name: there are a thousand on a page."""
    told = list(row.values())
    told[3], told[4], told[7] = _KINDS[told[3]], _STATUSES[told[4]], _sponsor(told[7])
    del told[_OWN:]
    return _new(DistributorRow, told)


def _row(row: Row, visibility: Visibility | None) -> DistributorRow:
    """A row as the viewer may see it."""
    return _made(row) if visibility is None else _seen(_made(row), visibility)


def _seen(row: DistributorRow, visibility: Visibility) -> DistributorRow:
    """The top of what a viewer sees has no sponsor, strangers have no name."""
    if row.id == visibility.viewer:
        return row._replace(sponsor_id=None)
    if not visibility.masked:
        return row
    return row._replace(name=row.name and masked_name(row.name), id_number_masked=None)


async def upline(
    of: DistributorId, visibility: Visibility | None = None, *, as_of: datetime | None = None
) -> list[DistributorRow]:
    """Everybody above, the sponsor first; a distributor sees as far up as it sees down from above, itself at most."""
    async with reading() as tx:
        st = Statement(tx, visibility)
        shown = f"d.tenant_id = $1 AND {st.visible('d')}"
        if as_of is None:
            link, above = "", "d.sponsor_id"
        else:
            moment = st.arg(as_of)
            link = (
                f"JOIN sponsorship s ON s.tenant_id = $1 AND s.distributor_id = d.id AND s.valid_from <= {moment} "
                f"AND (s.valid_until IS NULL OR s.valid_until > {moment}) "
            )
            above = "s.sponsor_id"
            shown += f" AND d.joined_at <= {moment}"
        found = await st.rows(
            f"WITH RECURSIVE up(id, sponsor_id, level) AS ("
            f"SELECT d.id, {above}, 0 FROM distributor d {link}WHERE d.id = {st.arg(of)} AND {shown} UNION ALL "
            f"SELECT d.id, {above}, up.level + 1 FROM up "
            f"JOIN distributor d ON d.id = up.sponsor_id AND {shown} {link}) "
            f"SELECT {columns('up.sponsor_id', 'up.level')} FROM up "
            f"JOIN distributor d ON d.tenant_id = $1 AND d.id = up.id WHERE up.level > 0 ORDER BY up.level"
        )
    return [_row(row, visibility) for row in found]


async def find(
    ids: Collection[DistributorId], visibility: Visibility | None = None
) -> Mapping[DistributorId, DistributorRow]:
    """The distributors with these ids, as far as they exist for the viewer."""
    return {row.id: row for row in await _where("id", "uuid", ids, visibility)}


async def by_code(code: str, visibility: Visibility | None = None) -> DistributorRow | None:
    """The distributor with this code, if it exists for the viewer."""
    return next(iter(await _where("code", "text", [code], visibility)), None)


async def ids_by_code(codes: Collection[str]) -> Mapping[str, DistributorId]:
    """The distributors that have these codes; who is not there is left out."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT code, id FROM distributor WHERE tenant_id = $1 AND code {tx.within(2, 'text')}",
            tx.tenant_id,
            list(codes),
        )
    return {row["code"]: row["id"] for row in rows}


async def _where(
    column: str, kind: str, values: Collection[Any], visibility: Visibility | None
) -> Sequence[DistributorRow]:
    async with reading() as tx:
        st = Statement(tx, visibility)
        found = await st.rows(
            f"SELECT {columns()} FROM distributor d "
            f"WHERE d.tenant_id = $1 AND d.{column} {st.within(values, kind)} AND {st.visible('d')}"
        )
    return [_row(row, visibility) for row in found]


async def totals_of(
    ids: Collection[DistributorId],
    period: SalesPeriod,
    visibility: Visibility | None = None,
    *,
    as_of: datetime | None = None,
) -> Mapping[DistributorId, Totals]:
    """The totals of many distributors in one statement, over the team of today or of the moment ``as_of``."""
    async with reading() as tx:
        st = Statement(tx, visibility)
        them = members(st, ids, as_of)
        if as_of is None:
            counted = "d.status IN ('active', 'suspended')"
        else:
            counted = f"(d.exited_at IS NULL OR d.exited_at > {st.arg(as_of)})"
        found = await st.rows(totals_statement(st, them, period, counted))
    return {_id(row["root"]): Totals(row["own"] or 0, row["team"] or 0, row["heads"]) for row in found}


def _id(value: object) -> DistributorId:
    """An id that SQL passed through: SQLite answers text for it."""
    return DistributorId(value if isinstance(value, UUID) else UUID(str(value)))


async def chains(seller_ids: Collection[DistributorId]) -> Mapping[DistributorId, Chain]:
    """The chain of each seller that exists, in one statement: itself first, the root last."""
    async with reading() as tx:
        found = await tx.rows(
            # Ids alone: asked for the sponsor too, SQLite reads the whole brand in the index that has both.
            f"WITH RECURSIVE up(id) AS (SELECT id FROM distributor WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} "
            f"UNION SELECT d.sponsor_id FROM up JOIN distributor d ON d.tenant_id = $1 AND d.id = up.id "
            f"WHERE d.sponsor_id IS NOT NULL) "
            # Nobody knows how long a chain is: joined, PostgreSQL reads all of a brand's history for four rows of it.
            f"SELECT {columns()}, d.path, d.changed_at, (SELECT s.valid_from FROM sponsorship s WHERE s.tenant_id = $1 "
            f"AND s.distributor_id = up.id AND s.valid_until IS NULL) AS valid_from FROM up "
            f"JOIN distributor d ON d.tenant_id = $1 AND d.id = up.id",
            tx.tenant_id,
            list(seller_ids),
        )
    known: dict[DistributorId, tuple[ChainMember, str]] = {}
    for row in found:
        one, since = _row(row, None), row["changed_at"]
        placed = as_time(row["valid_from"])
        if placed is not None and placed > since:
            since = placed
        known[one.id] = (ChainMember(one.id, one.code, one.tier, one.status, since, one), row["path"])
    made: dict[DistributorId, Chain] = {}
    for seller in seller_ids:
        if seller in known and seller not in made:
            line: list[ChainMember] = []
            above: DistributorId | None = seller
            while above is not None:
                member, _ = known[above]
                line.append(member)
                above = member.row and member.row.sponsor_id
            made[seller] = Chain(known[seller][1], tuple(line))
    return made


async def history(of: DistributorId, visibility: Visibility | None = None) -> list[SponsorshipRow]:
    """A distributor's sponsors from the first to the present one; why it came there is not for distributors."""
    reason = "h.reason" if visibility is None else "NULL AS reason"
    async with reading() as tx:
        st = Statement(tx, visibility)
        found = await st.rows(
            f"SELECT h.distributor_id, d.id AS sponsor_id, h.valid_from, h.valid_until, {reason}, h.actor_id "
            f"FROM sponsorship h JOIN distributor o ON o.tenant_id = $1 AND o.id = h.distributor_id "
            f"LEFT JOIN distributor d ON d.tenant_id = $1 AND d.id = h.sponsor_id AND {st.visible('d')} "
            f"WHERE h.tenant_id = $1 AND h.distributor_id = {st.arg(of)} AND {st.visible('o')} "
            f"ORDER BY h.valid_from, h.id"
        )
    return [SponsorshipRow(**row) for row in found]


async def standings(of: DistributorId, page: PageRequest, visibility: Visibility | None = None) -> Page[StandingRow]:
    """A page of a distributor's tiers and statuses from the first on; why and by whom is not for distributors."""
    async with reading() as tx:
        st = Statement(tx, visibility)
        after = ""
        if page.after:
            after = f"AND s.valid_from > {st.arg(decode_cursor(page.after, datetime)[0])} "
        found = await st.rows(
            f"SELECT s.valid_from, s.valid_until, s.tier, s.status, s.kind, s.reason, s.actor_id FROM standing s "
            f"JOIN distributor d ON d.tenant_id = $1 AND d.id = s.distributor_id AND {st.visible('d')} "
            f"WHERE s.tenant_id = $1 AND s.distributor_id = {st.arg(of)} {after}"
            f"ORDER BY s.valid_from LIMIT {st.arg(page.first + 1)}"
        )
        told = visibility is None
        actors = await labels_of({row["actor_id"] for row in found if row["actor_id"]}) if told else {}
    rows = [
        StandingRow(
            row["valid_from"],
            row["valid_until"],
            row["tier"],
            Status(row["status"]),
            Cause(row["kind"]),
            row["reason"] if told else None,
            actors.get(row["actor_id"]),
        )
        for row in found
    ]
    return page_of(rows, page, [encode_cursor(row.valid_from) for row in rows])


async def pins_of(
    ids: Collection[DistributorId], visibility: Visibility | None = None
) -> Mapping[DistributorId, TierPin]:
    """The pins of these distributors' tiers, as far as they exist for the viewer, in one statement."""
    async with reading() as tx:
        st = Statement(tx, visibility)
        found = await st.rows(
            f"SELECT d.id, p.until, p.reason, p.pinned_at FROM tier_pin p "
            f"JOIN distributor d ON d.tenant_id = $1 AND d.id = p.distributor_id AND {st.visible('d')} "
            f"WHERE p.tenant_id = $1 AND p.distributor_id {st.within(ids, 'uuid')}"
        )
    told = visibility is None
    return {row["id"]: TierPin(row["until"], row["reason"] if told else None, row["pinned_at"]) for row in found}


async def team_of(distributor_id: DistributorId) -> Team:
    """How many a distributor leads; none when it does not exist."""
    async with reading() as tx:
        row = await tx.row(
            f"{tops('o.id = $2')}SELECT count(*) AS members, count(*) FILTER (WHERE d.sponsor_id = o.id) AS direct "
            f"FROM {under_tops(tx)} AND d.id <> o.id",
            tx.tenant_id,
            distributor_id,
        )
    return Team(row["direct"], row["members"]) if row else Team(0, 0)


async def visibility_of(viewer: DistributorId, *, generations: int | None, masked: bool) -> Visibility | None:
    """What a distributor may see by the brand's rules, from where it stands now; None when it does not exist."""
    async with reading() as tx:
        path = await tx.value("SELECT path FROM distributor WHERE tenant_id = $1 AND id = $2", tx.tenant_id, viewer)
    return path and Visibility(viewer=viewer, path=path, generations=generations, masked=masked)
