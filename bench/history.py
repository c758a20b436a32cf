"""A brand with a million orders, made by SQL: what a simulation replays. Its commission is what its program pays."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from bench.databases import Databases
from saas.base import clock
from saas.base.db import open_database, transaction
from saas.base.db.sqlite import connect_file, sqlite_path
from saas.base.ids import PLATFORM, DistributorId, TenantId, new_id
from saas.base.scope import tenant_scope
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.network.rules import segment
from tenants import registry
from tenants.accounts import CreateMember
from tenants.actors import Role, system
from tenants.program import dump
from tenants.program.presets import preset
from tenants.program.versions import SaveDraft, activate, save_draft
from tenants.registry import CreateTenant

FROM = datetime(2025, 1, 1, tzinfo=UTC)
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
RATES = (1000, 1500, 2000)
"""What the preset ``three_level_percent`` pays the seller, its upline and the one above."""

SLUG = "history"
SKU = "CD"
_LABEL = "bench"
_WIDTH = 27
"""Sellers under each upline: about as many distributors in three generations as the CDNOW log has customers."""


@dataclass(frozen=True, slots=True)
class History:
    """A brand and its past."""

    url: str
    tenant_id: TenantId
    orders: int


async def make_history(databases: Databases, kind: str, orders: int) -> History:
    """A brand of three paid levels with so many paid orders of 2025, one line each, and their commission."""
    url = await databases.fresh(kind)
    async with open_database(url):
        tenant_id = await make_brand(SLUG)
        with tenant_scope(tenant_id), clock.at(FROM - timedelta(days=1)):
            tops = max(1, round((orders / 43) ** (1 / 3)))
            sellers = await plant_tree(tops, min(_WIDTH, tops))
    await write(url, order_statements(kind, tenant_id, orders, len(sellers)))
    await databases.settle(url)
    return History(url, tenant_id, orders)


async def make_brand(slug: str) -> TenantId:
    """A brand with three paid levels, in force since before the history, and one product."""
    owner = CreateMember(login="owner", password="a long enough password", name="Owner", role=Role.OWNER, locale="en")
    brand = await registry.create_tenant(
        CreateTenant(slug=slug, name=slug, owner=owner, locale="en"), system(PLATFORM, _LABEL)
    )
    actor = system(brand.id, _LABEL)
    with tenant_scope(brand.id), clock.at(FROM - timedelta(days=1)):
        document = dump(preset("three_level_percent"), "yaml").encode()
        saved = await save_draft(SaveDraft(document=document), actor)
        await activate(saved.version.number, actor)
        await put_products([PutProduct(sku=SKU, name="A record", category="music")], actor)
    return brand.id


async def plant_tree(tops: int, width: int) -> list[DistributorId]:
    """A tree of three generations, ``width`` under each; answers those of the lowest, which sell."""
    uplines = [(top, f"T{top}", None) for top in range(tops)]
    middle = [(tops + at, f"M{at}", at // width) for at in range(tops * width)]
    sellers = [(tops + len(middle) + at, f"S{at}", tops + at // width) for at in range(len(middle) * width)]
    made: dict[int, tuple[DistributorId, str, int]] = {}
    rows, since = [], clock.now()
    for no, code, above in [*uplines, *middle, *sellers]:
        upper = None if above is None else made[above]
        path = ("" if upper is None else upper[1]) + segment(no + 1)
        made[no] = (DistributorId(new_id()), path, 0 if upper is None else upper[2] + 1)
        id_, _, depth = made[no]
        sponsor = None if upper is None else upper[0]
        rows.append((id_, no + 1, code, code, "person", "active", "", sponsor, path, depth, since, since, since))
    columns = ("id", "no", "code", "name", "kind", "status", "tier", "sponsor_id", "path", "depth")
    async with transaction() as tx:
        await tx.insert_many("distributor", (*columns, "applied_at", "joined_at", "changed_at"), rows)
        await tx.insert_many(
            "standing",
            ("distributor_id", "valid_from", "tier", "status", "kind"),
            [(row[0], since, "", "active", "enrolment") for row in rows],
        )
    return [made[no][0] for no, _, _ in sellers]


def order_statements(kind: str, tenant: int, orders: int, sellers: int, sku: str = SKU) -> list[str]:
    """Orders every so many seconds of the year, sellers in turn, amounts that look like those of records."""
    seconds = int((UNTIL - FROM).total_seconds()) // orders
    sqlite = kind == "sqlite"
    series = (
        f"(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {orders}) SELECT n FROM s)"
        if sqlite
        else f"generate_series(0::bigint, {orders - 1})"
    )
    moment = (
        f"strftime('%Y-%m-%d %H:%M:%S', {int(FROM.timestamp())} + n * {seconds}, 'unixepoch') || '+00:00'"
        if sqlite
        else f"to_timestamp({int(FROM.timestamp())} + n * {seconds})"
    )

    def uuid(mark: int) -> str:
        form = f"{mark:04x}-7000-8000"
        if sqlite:
            return f"printf('%08x-{form}-%012x', n, n)"
        return f"(lpad(to_hex(n), 8, '0') || '-{form}-' || lpad(to_hex(n), 12, '0'))::uuid"

    amount = "(899 + n * 7919 % 4801)"
    shares = [
        f"INSERT INTO commission (tenant_id, id, order_id, line_id, component, level, beneficiary_id, tier, rate_bps, "
        f"base_minor, quantity, amount_minor, reason, program_number, currency, status, earned_at) "
        f"SELECT {tenant}, {uuid(level + 2)}, {uuid(0)}, {uuid(1)}, 'levels', {level}, b{level}, NULL, {rate}, "
        f"{amount}, 1 + n % 3, ({amount} * {rate} + 5000) / 10000, 'in_full', 1, 'CNY', 'pending', {moment} "
        f"FROM {series} AS n JOIN chains ON k = n * 7 % {sellers}"
        for level, rate in enumerate(RATES)
    ]
    named = series if sqlite else f"{series} AS n"
    return [
        "CREATE TEMP TABLE chains (k integer PRIMARY KEY, b0 uuid, b1 uuid, b2 uuid, path text)",
        f"INSERT INTO chains SELECT row_number() OVER (ORDER BY a.no) - 1, a.id, b.id, c.id, a.path "
        f"FROM distributor a JOIN distributor b ON b.tenant_id = {tenant} AND b.id = a.sponsor_id "
        f"JOIN distributor c ON c.tenant_id = {tenant} AND c.id = b.sponsor_id "
        f"WHERE a.tenant_id = {tenant} AND a.depth = 2",
        f"INSERT INTO sales_order (tenant_id, id, number, seller_id, self_purchase, source, status, currency, "
        f"goods_minor, freight_minor, tax_minor, program_number, path, placed_at, paid_at, decided_at) "
        f"SELECT {tenant}, {uuid(0)}, 'N' || n, b0, {'0' if sqlite else 'false'}, 'import', 'paid', 'CNY', {amount}, "
        f"0, 0, 1, path, {moment}, {moment}, {moment} FROM {named} JOIN chains ON k = n * 7 % {sellers}",
        f"INSERT INTO order_line (tenant_id, id, order_id, line_no, product_id, sku, quantity, amount_minor, "
        f"company_minor, category) SELECT {tenant}, {uuid(1)}, {uuid(0)}, 1, "
        f"(SELECT id FROM product WHERE tenant_id = {tenant} AND sku = '{sku}'), '{sku}', 1 + n % 3, {amount}, "
        f"{amount} - ({' + '.join(f'({amount} * {rate} + 5000) / 10000' for rate in RATES)}), 'music' FROM {named}",
        *(statement.replace(f"{series} AS n", named) for statement in shares),
    ]


async def write(url: str, statements: list[str]) -> None:
    """Run what makes rows, in one transaction and without foreign keys."""
    await (_on_sqlite if url.startswith("sqlite:") else _on_postgres)(url, statements)


async def _on_postgres(url: str, statements: list[str]) -> None:
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # no foreign key of millions of rows
        for statement in statements:
            await connection.execute(statement)
    await connection.close()


async def _on_sqlite(url: str, statements: list[str]) -> None:
    connection = await connect_file(sqlite_path(url), "foreign_keys = OFF", "synchronous = OFF")
    for statement in ("BEGIN", *statements, "COMMIT", "ANALYZE"):
        await connection.execute(statement)
    await connection.close()
