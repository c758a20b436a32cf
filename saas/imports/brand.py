"""The brand that takes the log's orders: one product, 2,000 distributors, and three paid levels.

The rule of the tree: distributor ``k`` of 1 … 2,000 has the code ``D`` and four digits, and the sponsor ``k // 4``; 1,
2 and 3 stand directly under the brand. That makes six generations. The rule of the customers: customer ``c`` buys from
distributor ``1 + (c × 7919) mod 2000``; 7919 is prime, so neighbours in the log are far apart in the tree.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from saas.base import clock
from saas.base.db import transaction
from saas.base.ids import PLATFORM, DistributorId, ProductId
from saas.base.scope import tenant_scope
from saas.catalog.commands import put_products
from saas.catalog.queries import ProductView, by_sku
from saas.catalog.rules import PutProduct
from saas.imports.errors import BrandCurrencyDiffers
from saas.imports.log import CURRENCY
from saas.network.commands import enrol_many
from saas.network.queries import Chain, ChainMember, ids_by_code
from saas.network.rules import Enrol, Status
from saas.orders.commands import Gathered, Ground, Seller
from tenants import registry
from tenants.accounts import CreateMember
from tenants.actors import Actor, Role, system
from tenants.errors import NoActiveProgram
from tenants.program import Program, compile_program, parse
from tenants.program.versions import SaveDraft, StoredProgram, activate, active_program, save_draft
from tenants.registry import Brand, CreateTenant

DISTRIBUTORS = 2_000
SKU = "CD"
PRODUCT = PutProduct(sku=SKU, name="Compact disc")
TIME_ZONE = "America/New_York"
FOUNDED = datetime(1996, 12, 1, tzinfo=UTC)
"""When the distributors join: before the log begins."""

_PROGRAM = Path(__file__).with_name("cdnow.yaml")


def code(number: int) -> str:
    """The code of distributor ``number``."""
    return f"D{number:04}"


def sponsor_of(number: int) -> int | None:
    """The number of a distributor's sponsor; None under the brand."""
    return number // 4 or None


def seller_of(customer: int) -> int:
    """The number of the distributor a customer buys from."""
    return 1 + customer * 7919 % DISTRIBUTORS


async def make_brand(slug: str) -> Brand:
    """A new brand of the log's currency. Nobody knows its owner's password: ``main.py token`` lets in."""
    owner = CreateMember(login="owner", password=secrets.token_urlsafe(24), name="Owner", role=Role.OWNER)
    asked = CreateTenant(slug=slug, name=slug.upper(), owner=owner, currency=CURRENCY, time_zone=TIME_ZONE, locale="en")
    return await registry.create_tenant(asked, system(PLATFORM, "import orders"))


def check_currency(brand: Brand) -> None:
    """Refuse a brand that counts in another currency than the log."""
    if brand.currency != CURRENCY:
        raise BrandCurrencyDiffers("tenant", slug=brand.slug, currency=brand.currency, log_currency=CURRENCY)


async def prepare_brand(brand: Brand) -> Mapping[int, DistributorId]:
    """Give a brand what the log needs and it has not yet; answers the distributors by number.

    A program that is active stays. Raises ``BrandCurrencyDiffers``, or what the network refuses.
    """
    check_currency(brand)
    actor = system(brand.id, "import orders")
    with tenant_scope(brand.id):
        async with transaction():
            await _program(actor)
            if SKU not in await by_sku([SKU]):
                await put_products([PRODUCT], actor)
            return await distributors() or await _enrol(actor)


async def distributors() -> Mapping[int, DistributorId]:
    """The log's distributors by number; empty unless all are there."""
    numbers = {code(number): number for number in range(1, DISTRIBUTORS + 1)}
    found = await ids_by_code(numbers)
    return {numbers[code]: id_ for code, id_ in found.items()} if len(found) == len(numbers) else {}


def imagined(brand: Brand | None) -> tuple[Gathered, Mapping[int, DistributorId]]:
    """The brand as ``prepare_brand`` would leave it, for a dry run before it is made."""
    ids = {number: DistributorId(UUID(int=number)) for number in range(1, DISTRIBUTORS + 1)}
    chains = {ids[number]: _chain(number, ids) for number in ids}
    program = _document()
    now = clock.now()
    product = ProductView(
        id=ProductId(UUID(int=0)),
        sku=SKU,
        name=PRODUCT.name,
        category=PRODUCT.category,
        status="active",
        created_at=now,
    )
    ground = Ground(
        now=now,
        today=now.date(),
        time_zone=TIME_ZONE,
        currency=CURRENCY,
        prices=program.price_policy,
        products={SKU: product},
        sellers={ids[number]: Seller(code(number), "active") for number in ids},
        taken_numbers=set(),
    )
    stored = StoredProgram(1, program, compile_program(program), now)
    return Gathered(ground, stored, chains, brand.time_zone if brand else TIME_ZONE), ids


def _chain(number: int, ids: Mapping[int, DistributorId]) -> Chain:
    members = []
    above: int | None = number
    while above is not None:
        members.append(ChainMember(ids[above], code(above), "", Status.ACTIVE, FOUNDED))
        above = sponsor_of(above)
    return Chain("", tuple(members))


async def _program(actor: Actor) -> None:
    try:
        await active_program()
    except NoActiveProgram:
        saved = await save_draft(SaveDraft(document=_PROGRAM.read_bytes()), actor)
        await activate(saved.version.number, actor)


def _document() -> Program:
    program = parse(_PROGRAM.read_bytes())
    if not isinstance(program, Program):
        raise TypeError(f"{_PROGRAM.name} is no program")
    return program


async def _enrol(actor: Actor) -> Mapping[int, DistributorId]:
    asked = []
    for number in range(1, DISTRIBUTORS + 1):
        sponsor = sponsor_of(number)
        asked.append(
            Enrol(
                code=code(number),
                name=f"Distributor {number}",
                idempotency_key=f"cdnow:{code(number)}",
                sponsor=None if sponsor is None else code(sponsor),
                reviewed=True,
            )
        )
    with clock.at(FOUNDED):
        ids = await enrol_many(asked, actor)
    return dict(enumerate(ids, start=1))
