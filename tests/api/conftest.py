"""Two brands behind the API, made as operators and owners make them."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.ids import PLATFORM
from saas.base.scope import tenant_scope
from tenants import accounts, registry
from tenants.accounts import CreateMember
from tenants.actors import Role, system
from tenants.program import dump
from tenants.program.presets import preset
from tests.api.client import PASSWORD, Api, make_api

STAFF = ("finance", "operations", "auditor")

LONG_AGO = datetime.now(UTC) - datetime(2026, 6, 20, tzinfo=UTC)
"""How long ago brands began, on a day before any sale of these tests: those follow the program and the tree of then."""


@dataclass
class Brand:
    """A brand's callers."""

    anonymous: Api
    owner: Api
    finance: Api
    operations: Api
    auditor: Api

    async def put_products(self, *skus: str) -> None:
        """Put products into the catalogue."""
        await self.operations.do("putProducts", "products { sku }", products=[{"sku": s, "name": s} for s in skus])

    async def enrol(self, code: str, sponsor: str | None = None, **more: object) -> str:
        """Enrol somebody who joined ``LONG_AGO``; the id."""
        given = {"name": f"Name of {code}", "idempotencyKey": f"enrol-{code}", "reviewed": True, **more}
        with clock.at(clock.now() - LONG_AGO):
            payload = await self.operations.do("enrol", "distributor { id }", code=code, sponsorCode=sponsor, **given)
        return str(payload["distributor"]["id"])

    async def log_in_as(self, distributor_id: str, login: str) -> Api:
        """Give a distributor an account, and log in as it."""
        await self.operations.do(
            "createMember",
            "member { id }",
            login=login,
            password=PASSWORD,
            name=login,
            role="DISTRIBUTOR",
            distributorId=distributor_id,
        )
        return await self.anonymous.log_in(login)


@dataclass
class World:
    """The operator and two brands with different programs."""

    operator: Api
    lotus: Brand
    cedar: Brand


@pytest.fixture
async def world(db: Database) -> World:
    """An operator and two brands, each with its staff and an active program."""
    return await make_world()


async def make_world() -> World:
    """The same, on whatever database is open."""
    registry.forget()
    with tenant_scope(PLATFORM):
        await accounts.create_member(
            CreateMember(login="root", password=PASSWORD, name="Root", role=Role.OPERATOR, locale="en"),
            system(PLATFORM, "tests"),
        )
    operator = await make_api().log_in("root")
    return World(operator, await _brand(operator, "lotus"), await _brand(operator, "cedar"))


async def _brand(operator: Api, slug: str) -> Brand:
    await operator.do(
        "createTenant",
        "tenant { slug }",
        slug=slug,
        name=slug.title(),
        ownerLogin="owner",
        ownerPassword=PASSWORD,
        ownerName="Owner",
        locale="en",
    )
    anonymous = Api(operator.app, f"{slug}.localhost")
    owner = await anonymous.log_in("owner")
    for role in STAFF:
        await owner.do(
            "createMember", "member { id }", login=role, password=PASSWORD, name=role, role=role.upper(), locale="en"
        )
    document = dump(preset(slug), "yaml")
    draft = await owner.do("saveProgramDraft", "program { number } findings { message }", document=document)
    with clock.at(clock.now() - LONG_AGO):
        await owner.do("activateProgram", "program { status }", number=draft["program"]["number"])
    finance, operations, auditor = [await anonymous.log_in(role) for role in STAFF]
    return Brand(anonymous, owner, finance, operations, auditor)
