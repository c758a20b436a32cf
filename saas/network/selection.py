"""The SQL of the reads: which members of which subtree, now or as of a moment, within what the viewer may see.

A ``Statement`` collects arguments while its text is written. ``members`` gives every read the same relation of
(root, id, sponsor_id, path, level), from path ranges for the present and by walking ``sponsorship`` for the past.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from saas.base.db import Row, Tx
from saas.base.errors import InvalidInput, Said
from saas.base.ids import DistributorId
from saas.network.rules import SEGMENT, depth_of
from saas.network.views import DistributorRow, Filters, SalesPeriod, SortKey, Visibility

_SOLD = "SELECT CAST(COALESCE(sum(sales.amount_minor), 0) AS bigint)"
_OWN_SEGMENT = f"substr(d.path, length(d.path) - {SEGMENT - 1})"


def columns(sponsor: str = "d.sponsor_id", level: str = "0", only: Collection[str] | None = None) -> str:
    """The columns of a ``DistributorRow`` of the distributor ``d``, in its order; NULL for what nobody asks for."""
    sources = {"sponsor_id": sponsor, "level": level}
    wanted = DistributorRow._fields if only is None else {"id", *only}
    return ", ".join(
        f"{sources.get(name, f'd.{name}') if name in wanted else 'NULL'} AS {name}" for name in DistributorRow._fields
    )


class Statement:
    """A statement in the making; ``$1`` is the tenant."""

    def __init__(self, tx: Tx, visibility: Visibility | None) -> None:
        self.tx = tx
        self._args: list[object] = [tx.tenant_id]
        self.visibility = visibility
        self._limits: list[str] = []

    def arg(self, value: object) -> str:
        """The placeholder of a value."""
        self._args.append(value)
        return f"${len(self._args)}"

    def within(self, values: Collection[object], kind: str) -> str:
        """The condition "is one of the values"."""
        self._args.append(list(values))
        return self.tx.within(len(self._args), kind)

    def visible(self, alias: str) -> str:
        """The condition that the viewer may see the distributor ``alias`` of today's tree."""
        view = self.visibility
        if view is None:
            return "true"
        if not self._limits:
            self._limits = [f"path >= {self.arg(view.path)}", f"path < {self.arg(view.ceiling)}"]
            if view.deepest is not None:
                self._limits.append(f"depth <= {self.arg(view.deepest)}")
        return " AND ".join(f"{alias}.{limit}" for limit in self._limits)

    async def rows(self, sql: str) -> Sequence[Row]:
        """Run it."""
        return await self.tx.rows(sql, *self._args)


@dataclass(frozen=True, slots=True)
class Members:
    """Members as SQL: a CTE to put in front, ``FROM … WHERE …`` with the distributor ``d``, and expressions on it.

    ``path`` orders the members as a tree, ``level`` is the distance from ``root``. ``team`` and ``in_team`` are the
    source and the condition of the members ``g`` of the subtree of ``d``.
    """

    with_: str
    source: str
    root: str
    sponsor: str
    path: str
    level: str
    team: str
    in_team: str


def tops(condition: str) -> str:
    """The CTE ``o`` of chosen distributors with the end of their subtrees' range of paths.

    Materialised for PostgreSQL: under row-level security a condition that calls a function on a row cannot bound an
    index scan, a plain column can.
    """
    return (
        f"WITH o AS MATERIALIZED (SELECT o.id, o.path, o.depth, o.path || '~' AS beyond FROM distributor o "
        f"WHERE o.tenant_id = $1 AND {condition}) "
    )


_IN_TOPS = "d.tenant_id = $1 AND d.path >= o.path AND d.path < o.beyond"


def under_tops(tx: Tx) -> str:
    """``FROM … WHERE …`` of all members of the subtrees of ``tops``.

    PostgreSQL takes a range between two columns for a ninth of the brand, and then reads all of it; behind OFFSET 0 it
    cannot but go down the index. SQLite keeps the order of a cross join: top down.
    """
    if tx.laterally:
        return f"o CROSS JOIN LATERAL (SELECT * FROM distributor d WHERE {_IN_TOPS} OFFSET 0) d WHERE d.tenant_id = $1"
    return f"o CROSS JOIN distributor d WHERE {_IN_TOPS}"


def members(st: Statement, of: Collection[DistributorId] | None, as_of: datetime | None) -> Members:
    """The members of the subtrees of ``of``, themselves included at level 0, or of all there is (level 1 on top)."""
    if as_of is not None:
        return _members_then(st, of, as_of)
    if of is None:
        with_, root = "", "d.id"
        level = f"d.depth - {depth_of(st.visibility.path) - 1 if st.visibility else -1}"
        source = f"distributor d WHERE d.tenant_id = $1 AND {st.visible('d')}"
    else:
        root, level = "o.id", "d.depth - o.depth"
        with_ = tops(f"o.id {st.within(of, 'uuid')} AND {st.visible('o')}")
        source = f"{under_tops(st.tx)} AND {st.visible('d')}"
    hidden = len(st.visibility.path) - SEGMENT if st.visibility else 0  # a cursor must not tell who is above
    return Members(
        with_=with_,
        source=source,
        root=root,
        sponsor="d.sponsor_id",
        path=f"substr(d.path, {hidden + 1})" if hidden else "d.path",
        level=level,
        team="distributor g",
        in_team=f"g.tenant_id = $1 AND g.path >= d.path AND g.path < d.path || '~' AND {st.visible('g')}",
    )


def _members_then(st: Statement, of: Collection[DistributorId] | None, as_of: datetime) -> Members:
    moment = st.arg(as_of)
    valid = f"s.valid_from <= {moment} AND (s.valid_until IS NULL OR s.valid_until > {moment})"
    shown = f"d.tenant_id = $1 AND {st.visible('d')}"
    own = f"SELECT d.id, d.id, CAST(NULL AS uuid), {_OWN_SEGMENT}"
    if of is not None:
        base = f"{own}, 0 FROM distributor d WHERE {shown} AND d.id {st.within(of, 'uuid')}"
    elif st.visibility is not None:
        base = f"{own}, 1 FROM distributor d WHERE {shown} AND d.path = {st.arg(st.visibility.path)}"
    else:
        base = (
            f"{own}, 1 FROM sponsorship s JOIN distributor d ON d.id = s.distributor_id "
            f"WHERE s.tenant_id = $1 AND s.sponsor_id IS NULL AND {valid} AND {shown}"
        )
    with_ = (
        f"WITH RECURSIVE m(root, id, sponsor_id, path, level) AS ({base} UNION ALL "
        f"SELECT m.root, d.id, s.sponsor_id, m.path || {_OWN_SEGMENT}, m.level + 1 FROM m "
        f"JOIN sponsorship s ON s.tenant_id = $1 AND s.sponsor_id = m.id AND {valid} "
        f"JOIN distributor d ON d.id = s.distributor_id AND {shown}) "
    )
    source = f"m JOIN distributor d ON d.tenant_id = $1 AND d.id = m.id WHERE d.joined_at <= {moment}"
    return Members(
        with_=with_,
        source=source,
        root="m.root",
        sponsor="m.sponsor_id",
        path="m.path",
        level="m.level",
        team="m AS g",
        in_team="g.path >= m.path AND g.path < m.path || '~'",
    )


def page_of_tree(st: Statement, conditions: str, after: object, *, descending: bool, most: int) -> str:
    """``FROM …`` of the next members of the one top, in the order of the tree: as many as are asked for are read.

    For databases that go ``laterally``. ``after`` is the path a cursor told, without what the viewer may not know.
    """
    bound = ""
    if after is not None:
        hidden = st.visibility.path[:-SEGMENT] if st.visibility else ""
        bound = f" AND d.path {'<' if descending else '>'} {st.arg(f'{hidden}{after}')}"
    order = "DESC" if descending else "ASC"
    return (
        f"o CROSS JOIN LATERAL (SELECT * FROM distributor d WHERE {_IN_TOPS} AND {st.visible('d')} AND {conditions}"
        f"{bound} ORDER BY d.path {order} LIMIT {most}) d"
    )


def own_sales(st: Statement, distributor: str, period: SalesPeriod) -> str:
    """What one distributor sold in the period, an expression."""
    return f"({_SOLD} FROM sales_day AS sales WHERE {_sales_of(st, distributor, period)})"


def totals_statement(st: Statement, them: Members, period: SalesPeriod, counted: str) -> str:
    """Heads and sales of the subtrees: ``root, heads, team, own``, sales none where nothing was sold.

    Two aggregates over the same members and not a sum per member: the planner may then join as it sees fit.
    """
    sales = f"sales_day AS sales ON {_sales_of(st, 'd.id', period)}"
    source, _, condition = them.source.rpartition(" WHERE ")
    led = f"{them.with_.rstrip()}, " if them.with_ else "WITH "
    return (
        f"{led}heads AS (SELECT {them.root} AS root, count(CASE WHEN {counted} THEN 1 END) AS heads "
        f"FROM {them.source} GROUP BY {them.root}), "
        f"sold AS (SELECT {them.root} AS root, CAST(sum(sales.amount_minor) AS bigint) AS team, "
        f"CAST(sum(CASE WHEN {them.level} = 0 THEN sales.amount_minor ELSE 0 END) AS bigint) AS own "
        f"FROM {source} JOIN {sales} WHERE {condition} GROUP BY {them.root}) "
        f"SELECT heads.root, heads.heads, sold.team, sold.own FROM heads LEFT JOIN sold ON sold.root = heads.root"
    )


def _sales_of(st: Statement, distributor: str, period: SalesPeriod) -> str:
    return (
        f"sales.tenant_id = $1 AND sales.distributor_id = {distributor} AND sales.currency = {st.arg(period.currency)} "
        f"AND sales.day >= {st.arg(period.first)} AND sales.day < {st.arg(period.until)}"
    )


def sort_expression(st: Statement, key: SortKey, them: Members, period: SalesPeriod | None) -> str:
    """The expression a list is ordered by. Raises ``InvalidInput`` for sales without a period."""
    match key:
        case SortKey.CODE | SortKey.NAME:
            return f"d.{key}"
        case SortKey.JOINED_AT:
            return "COALESCE(d.joined_at, d.applied_at)"
        case SortKey.LEVEL:
            return them.level
        case SortKey.TREE:
            return them.path
    if period is None:
        raise InvalidInput(
            "sort", value=key.value, remedy=Said("say for which period sales are compared", "请指明比较业绩的期间")
        )
    if key is SortKey.OWN_SALES:
        return own_sales(st, "d.id", period)
    sales = f"sales_day AS sales ON {_sales_of(st, 'g.id', period)}"
    return f"({_SOLD} FROM {them.team} JOIN {sales} WHERE {them.in_team})"


def filtered(st: Statement, filters: Filters) -> str:
    """The conditions of the filters on ``d``, each led by AND."""
    chosen = (("status", filters.statuses), ("tier", filters.tiers), ("region", filters.regions))
    sql = "".join(f" AND d.{name} {st.within(values, 'text')}" for name, values in chosen if values is not None)
    if filters.search:
        escaped = filters.search.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        like = f"LIKE lower({st.arg(f'%{escaped}%')}) ESCAPE '!'"
        hides = st.visibility is not None and st.visibility.masked
        sql += f" AND lower(d.code) {like}" if hides else f" AND (lower(d.code) {like} OR lower(d.name) {like})"
    return sql
