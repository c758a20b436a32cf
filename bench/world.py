"""The brand that the API rows ask about, made by the product's own commands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from bench.client import HOST
from saas.base import clock
from saas.base.db import open_database, transaction
from saas.base.ids import PLATFORM
from saas.base.scope import tenant_scope
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.network.commands import enrol_many
from saas.network.rules import Enrol
from schema.ids import to_global
from tenants import registry, sessions
from tenants.accounts import CreateMember
from tenants.actors import Role, system
from tenants.program import dump
from tenants.program.presets import preset
from tenants.program.versions import SaveDraft, activate, save_draft
from tenants.registry import CreateTenant

SLUG = "bench"
SKUS = ("LOTUS-CREAM", "LOTUS-SERUM")
CHILDREN, GRANDCHILDREN = 10, 9
"""Everybody on top has ten children with nine of their own: a downline of a hundred."""
WIDE, UNDER_EACH = "W", 19
FOUNDED = datetime(2026, 1, 1, tzinfo=UTC)
"""When the brand began: before its orders were paid."""

_LABEL = "bench"


@dataclass(frozen=True, slots=True)
class World:
    """A brand with three paid levels: its owner's token, those on top, and those at the bottom, who sell."""

    url: str
    token: str
    tops: Sequence[str]
    sellers: Sequence[str]
    wide: str
    """On top of a thousand: fifty children with nineteen of their own."""
    host: str = HOST


async def make_world(url: str, tops: int, wide: int = 2) -> World:
    """Make the brand in a fresh database, with ``tops`` trees of a hundred and one and a wide one of twenty each."""
    owner = CreateMember(login="owner", password="a long enough password", name="Owner", role=Role.OWNER, locale="en")
    asked = CreateTenant(slug=SLUG, name="Bench", owner=owner, locale="en")
    async with open_database(url):
        brand = await registry.create_tenant(asked, system(PLATFORM, _LABEL))
        actor = system(brand.id, _LABEL)
        enrolments = [*_network(tops), *_wide(wide)]
        with tenant_scope(brand.id), clock.at(FOUNDED):
            saved = await save_draft(SaveDraft(document=dump(preset("lotus"), "yaml").encode()), actor)
            await activate(saved.version.number, actor)
            await put_products([PutProduct(sku=sku, name=sku) for sku in SKUS], actor)
            ids = await enrol_many(enrolments, actor)
        issued = await sessions.issue_token(SLUG, "owner", _LABEL)
    members = {one.code: to_global("Distributor", id_) for one, id_ in zip(enrolments, ids, strict=True)}
    network = {code: id_ for code, id_ in members.items() if code.startswith("D")}
    return World(
        url,
        issued.token,
        tops=[id_ for code, id_ in network.items() if code.count("-") == 0],
        sellers=[id_ for code, id_ in network.items() if code.count("-") == 2],
        wide=members[WIDE],
    )


async def sell_under_the_wide(world: World) -> None:
    """Sales of a month by everybody under the wide top, as the daily sums of a busy brand hold them."""
    async with open_database(world.url):
        brand = await registry.by_slug(SLUG)
        with tenant_scope(brand.id):
            async with transaction() as tx:
                found = await tx.rows(
                    "SELECT id FROM distributor WHERE tenant_id = $1 AND code > $2 ORDER BY id", tx.tenant_id, WIDE
                )
                days = [date(2026, 3, day) for day in (2, 9, 16, 23)]
                rows = [(row["id"], day, "CNY", 1, 3, 69_400) for row in found for day in days]
                columns = ("distributor_id", "day", "currency", "orders", "pieces", "amount_minor")
                await tx.insert_many("sales_day", columns, rows)


def _network(tops: int) -> Iterator[Enrol]:
    for top in range(tops):
        code = f"D{top:02}"
        yield _enrolment(code, None)
        for child in range(CHILDREN):
            yield _enrolment(f"{code}-{child}", code)
            for grandchild in range(GRANDCHILDREN):
                yield _enrolment(f"{code}-{child}-{grandchild}", f"{code}-{child}")


def _wide(children: int) -> Iterator[Enrol]:
    yield _enrolment(WIDE, None)
    for child in range(children):
        yield _enrolment(f"{WIDE}-{child:02}", WIDE)
        for grandchild in range(UNDER_EACH):
            yield _enrolment(f"{WIDE}-{child:02}-{grandchild:02}", f"{WIDE}-{child:02}")


def _enrolment(code: str, sponsor: str | None) -> Enrol:
    return Enrol(
        code=code, name=f"Name of {code}", idempotency_key=code, sponsor=sponsor, region="330100", reviewed=True
    )
