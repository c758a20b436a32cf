"""The brand that the API rows ask about, made by the product's own commands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from saas.base import clock
from saas.base.db import open_database
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


async def make_world(url: str, tops: int) -> World:
    """Make the brand in a fresh database, with ``tops`` trees of a hundred and one."""
    owner = CreateMember(login="owner", password="a long enough password", name="Owner", role=Role.OWNER, locale="en")
    asked = CreateTenant(slug=SLUG, name="Bench", owner=owner, locale="en")
    async with open_database(url):
        brand = await registry.create_tenant(asked, system(PLATFORM, _LABEL))
        actor = system(brand.id, _LABEL)
        enrolments = list(_network(tops))
        with tenant_scope(brand.id), clock.at(FOUNDED):
            saved = await save_draft(SaveDraft(document=dump(preset("lotus"), "yaml").encode()), actor)
            await activate(saved.version.number, actor)
            await put_products([PutProduct(sku=sku, name=sku) for sku in SKUS], actor)
            ids = await enrol_many(enrolments, actor)
        issued = await sessions.issue_token(SLUG, "owner", _LABEL)
    members = [(one.code.count("-"), to_global("Distributor", id_)) for one, id_ in zip(enrolments, ids, strict=True)]
    return World(
        url,
        issued.token,
        tops=[id_ for depth, id_ in members if depth == 0],
        sellers=[id_ for depth, id_ in members if depth == 2],
    )


def _network(tops: int) -> Iterator[Enrol]:
    for top in range(tops):
        code = f"D{top:02}"
        yield _enrolment(code, None)
        for child in range(CHILDREN):
            yield _enrolment(f"{code}-{child}", code)
            for grandchild in range(GRANDCHILDREN):
                yield _enrolment(f"{code}-{child}-{grandchild}", f"{code}-{child}")


def _enrolment(code: str, sponsor: str | None) -> Enrol:
    return Enrol(
        code=code, name=f"Name of {code}", idempotency_key=code, sponsor=sponsor, region="330100", reviewed=True
    )
