"""Brands to try the product with: two with different programs, and one with a real log of purchases.

Everything is made through the commands that people use. Made once: a brand that is there is left as it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from saas.base import clock
from saas.base.errors import NotFound
from saas.base.ids import PLATFORM, DistributorId, TenantId
from saas.base.scope import tenant_scope
from saas.base.settings import Environment, get_settings
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.demo.errors import NotInProduction
from saas.imports import orders as order_import
from saas.network.commands import enrol_many
from saas.network.rules import Enrol
from saas.orders.commands import PlaceLine, PlaceOrder, place_orders
from tenants import registry
from tenants.accounts import CreateMember, create_member
from tenants.actors import Actor, Role, system
from tenants.errors import LoginTaken
from tenants.program import as_data
from tenants.program.presets import preset
from tenants.program.versions import SaveDraft, activate, save_draft
from tenants.registry import CreateTenant

PASSWORD = "banyan-demo-only"  # noqa: S105  # of a demo that refuses to be made in production
LOG = Path(__file__).with_name("data") / "orders.txt"
LOG_BRAND = "cdnow"
STAFF = (Role.OWNER, Role.FINANCE, Role.OPERATIONS, Role.AUDITOR)
AGE = timedelta(days=120)
"""How long ago the demo's programs came into force and its distributors joined."""
ORDER_EVERY = timedelta(hours=18)
ORDERS = 100

Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Login:
    """A way into the demo."""

    slug: str
    login: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class Person:
    """A distributor of the demo; ``login`` is for those who can log in."""

    code: str
    name: str
    sponsor: str | None
    region: str
    tier: str
    login: str | None = None


@dataclass(frozen=True, slots=True)
class DemoBrand:
    """A brand of the demo; its program is the preset ``program``, or that of its own name.

    ``products`` are names and guide prices by SKU. A ``sandbox`` may be made anew.
    """

    slug: str
    name: str
    products: Mapping[str, tuple[str, int]]
    people: Sequence[Person]
    program: str | None = None
    sandbox: bool = False


LOTUS = DemoBrand(
    "lotus",
    "莲花美妆 Lotus",
    {
        "LOTUS-CREAM": ("莲花面霜 Cream", 19_800),
        "LOTUS-SERUM": ("莲花精华 Serum", 29_800),
        "LOTUS-MASK": ("莲花面膜 Mask", 9_900),
        "LOTUS-GIFT": ("莲花礼盒 Gift box", 59_800),
    },
    [
        Person("L01", "陈美", None, "440000", "diamond", "mei"),
        Person("L02", "王芳", None, "330000", "gold"),
        Person("L11", "李娜", "L01", "440100", "gold", "lina"),
        Person("L12", "张伟", "L01", "440300", "gold"),
        Person("L13", "刘洋", "L02", "330100", "silver"),
        Person("L21", "赵敏", "L11", "440100", "silver", "min"),
        Person("L22", "孙丽", "L11", "440100", "silver"),
        Person("L23", "周杰", "L12", "440300", "silver"),
        Person("L24", "吴刚", "L12", "440300", "silver"),
        Person("L25", "郑爽", "L13", "330100", "silver"),
    ],
)
CEDAR = DemoBrand(
    "cedar",
    "雪松茶业 Cedar",
    {
        "CEDAR-GREEN": ("雪松绿茶 Green tea", 12_800),
        "CEDAR-BLACK": ("雪松红茶 Black tea", 16_800),
        "CEDAR-CAKE": ("雪松茶饼 Tea cake", 35_700),
    },
    [
        Person("C01", "高山", None, "350000", "partner", "gao"),
        Person("C02", "林海", "C01", "350100", "partner"),
        Person("C03", "何川", "C02", "350100", "dealer", "hechuan"),
        Person("C04", "罗江", "C03", "350200", "dealer"),
        Person("C05", "梁溪", "C04", "350200", "dealer", "liangxi"),
        Person("C06", "宋源", "C05", "350500", "dealer"),
        Person("C07", "唐泉", "C01", "350500", "dealer"),
    ],
)
BRANDS = (LOTUS, CEDAR)


async def make(progress: Progress) -> list[Login]:
    """Make what is missing of the demo; answers the log-ins. Raises ``NotInProduction``."""
    if get_settings().environment is Environment.PRODUCTION:
        raise NotInProduction
    await _operator()
    for done, brand in enumerate(BRANDS):
        progress("demo brands", done, len(BRANDS))
        if not await _exists(brand.slug):
            await make_brand(brand)
    progress("demo brands", len(BRANDS), len(BRANDS))
    if not await _exists(LOG_BRAND):
        await order_import.run(LOG, LOG_BRAND, progress=progress)
        tenant_id = (await registry.by_slug(LOG_BRAND)).id
        await _accounts(tenant_id, {}, "log-", locale="en")
    return list(_logins())


def _logins() -> Iterator[Login]:
    yield Login("platform", "operator", PASSWORD, Role.OPERATOR.value)
    for brand in BRANDS:
        yield from logins_of(brand)
    yield from (Login(LOG_BRAND, f"log-{role.value}", PASSWORD, role.value) for role in STAFF)


def logins_of(brand: DemoBrand) -> Iterator[Login]:
    """The ways into one brand."""
    yield from (Login(brand.slug, role.value, PASSWORD, role.value) for role in STAFF)
    yield from (Login(brand.slug, p.login, PASSWORD, f"distributor {p.code}") for p in brand.people if p.login)


async def _exists(slug: str) -> bool:
    try:
        await registry.by_slug(slug)
    except NotFound:
        return False
    return True


async def _operator() -> None:
    command = CreateMember(login="operator", password=PASSWORD, name="Operator", role=Role.OPERATOR, locale="en")
    with tenant_scope(PLATFORM):
        try:
            await create_member(command, system(PLATFORM, "demo"))
        except LoginTaken:
            return


async def make_brand(brand: DemoBrand) -> None:
    """Make a brand with its program, people, products and orders."""
    owner = CreateMember(login="owner", password=PASSWORD, name="Owner", role=Role.OWNER)
    made = await registry.create_tenant(
        CreateTenant(slug=brand.slug, name=brand.name, owner=owner, sandbox=brand.sandbox), system(PLATFORM, "demo")
    )
    actor = system(made.id, "demo")
    with tenant_scope(made.id):
        with clock.at(clock.now() - AGE):
            saved = await save_draft(SaveDraft(document=as_data(preset(brand.program or brand.slug))), actor)
            await activate(saved.version.number, actor)
        await put_products([PutProduct(sku=sku, name=name) for sku, (name, _) in brand.products.items()], actor)
        ids = await _people(brand, actor)
        await place_orders(list(_orders(brand, ids)), actor)
    await _accounts(made.id, {p.login: ids[p.code] for p in brand.people if p.login})


async def _people(brand: DemoBrand, actor: Actor) -> Mapping[str, DistributorId]:
    asked = [
        Enrol(
            code=person.code,
            name=person.name,
            idempotency_key=f"demo:{person.code}",
            sponsor=person.sponsor,
            tier=person.tier,
            region=person.region,
            phone=f"1380000{number:04}",
            reviewed=True,
        )
        for number, person in enumerate(brand.people, start=1)
    ]
    with clock.at(clock.now() - AGE):
        ids = await enrol_many(asked, actor)
    return {person.code: id_ for person, id_ in zip(brand.people, ids, strict=True)}


def _orders(brand: DemoBrand, ids: Mapping[str, DistributorId]) -> Iterator[PlaceOrder]:
    """A hundred orders of the last 75 days, everybody selling everything in turn; the latest are still on their way."""
    now = clock.now()
    skus = list(brand.products)
    for number in range(ORDERS):
        placed = now - ORDER_EVERY * (ORDERS - number)
        sku = skus[number % len(skus)]
        quantity = 1 + number % 3
        yield PlaceOrder(
            seller_id=ids[brand.people[number % len(brand.people)].code],
            lines=(PlaceLine(sku=sku, quantity=quantity, unit_price_minor=brand.products[sku][1]),),
            idempotency_key=f"demo:{number}",
            customer=f"K{number % 37:03}",
            channel="wechat" if number % 2 else "shop",
            placed_at=placed,
            paid_at=placed + timedelta(minutes=5),
            shipped_at=_if_past(placed + timedelta(days=1), now),
            delivered_at=_if_past(placed + timedelta(days=3), now),
        )


def _if_past(moment: datetime, now: datetime) -> datetime | None:
    return moment if moment <= now else None


async def _accounts(
    tenant_id: TenantId, distributors: Mapping[str, DistributorId], prefix: str = "", locale: str = "zh-CN"
) -> None:
    actor = system(tenant_id, "demo")
    with tenant_scope(tenant_id):
        for role in STAFF:
            if prefix or role is not Role.OWNER:
                login = f"{prefix}{role.value}"
                await create_member(
                    CreateMember(login=login, password=PASSWORD, name=login, role=role, locale=locale), actor
                )
        for login, id_ in distributors.items():
            command = CreateMember(
                login=login,
                password=PASSWORD,
                name=login,
                role=Role.DISTRIBUTOR,
                locale=locale,
                distributor_id=id_,
            )
            await create_member(command, actor)
