"""The brands of this installation: made by an operator, found by host, by slug or by number.

A suspended brand is found by nobody. What is remembered of a host holds for a few seconds, so that a change made in
another process is seen soon; a token is checked against the database every time.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from zoneinfo import available_timezones

from babel.numbers import list_currencies

from saas.base import clock
from saas.base.db import Row, Tx, reading, transaction
from saas.base.db.memory import Remembered
from saas.base.errors import InvalidInput, NotFound, Said
from saas.base.ids import PLATFORM, TenantId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.scope import ScopeMissing, current_tenant, tenant_scope
from saas.base.settings import get_settings
from saas.base.text import reason_of
from tenants import audit, passwords
from tenants.accounts import LOCALES, CreateMember, Member, check_new, insert_member
from tenants.actors import Actor, Role, check_platform
from tenants.errors import HostTaken, SlugTaken

RESERVED = frozenset({"admin", "api", "app", "assets", "docs", "mail", "platform", "static", "status", "www"})
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"({_LABEL}\.)+{_LABEL}")


class BrandStatus(StrEnum):
    """A suspended brand looks as if it did not exist."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A tenant as everybody else knows it. Currency and time zone are for good; ``locale`` is the default language.

    A ``sandbox`` may be put aside for a new one. The last three are what it says of its API, as
    ``tenants.api_policy`` writes them down.
    """

    id: TenantId
    slug: str
    name: str
    status: BrandStatus
    currency: str
    time_zone: str
    locale: str
    created_at: datetime
    sandbox: bool = False
    trusted_only: bool = False
    origins: str = ""
    cost_limits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTenant:
    """A new brand and its first owner."""

    slug: str
    name: str
    owner: CreateMember
    currency: str = "CNY"
    time_zone: str = "Asia/Shanghai"
    locale: str = "zh-CN"
    sandbox: bool = False


_MADE = "id, slug, name, status, currency, time_zone, locale, created_at, sandbox"
_COLUMNS = f"{_MADE}, trusted_only, origins, cost_limits"
_by_host: Remembered[str, Brand] = Remembered(most=10_000, seconds=10)
_by_id: Remembered[TenantId, Brand] = Remembered(most=10_000, seconds=10)


async def create_tenant(
    command: CreateTenant, actor: Actor, *, furnish: Callable[[Brand, Member], Awaitable[None]] | None = None
) -> Brand:
    """Make a brand and its owner in one transaction, which begins and ends here; ``furnish`` adds to it.

    Raises ``Forbidden`` unless an operator asks, ``InvalidInput``, ``PasswordRefused``, ``PasswordBroken`` or
    ``SlugTaken``.
    """
    check_platform(actor)
    _check(command)
    password_hash = await passwords.hashed(command.owner.password)
    while True:
        with tenant_scope(PLATFORM):
            async with reading() as tx:
                number = TenantId(await tx.value("SELECT max(id) + 1 FROM tenant"))
        brand = Brand(
            id=number,
            slug=command.slug,
            name=command.name.strip(),
            status=BrandStatus.ACTIVE,
            currency=command.currency,
            time_zone=command.time_zone,
            locale=command.locale,
            created_at=clock.now(),
            sandbox=command.sandbox,
        )
        with tenant_scope(number):
            async with transaction() as tx:
                if await _insert(tx, brand):
                    await audit.record(actor, "tenant.create", str(number), slug=brand.slug)
                    owner = await insert_member(command.owner, password_hash, actor)
                    if furnish is not None:
                        await furnish(brand, owner)
                    return brand
                if await tx.value("SELECT 1 FROM tenant WHERE slug = $1", brand.slug):
                    raise SlugTaken("input.slug", slug=brand.slug)
        # another brand took the number between reading and writing: the next one is free, or the one after


async def _insert(tx: Tx, brand: Brand) -> bool:
    """Write the brand unless its number or slug is taken."""
    values = [getattr(brand, name) for name in _MADE.split(", ")]
    sql = f"INSERT INTO tenant ({_MADE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
    return await tx.execute(sql, *values) == 1


def check_slug(slug: str) -> None:
    """Raise ``InvalidInput`` for what no brand may be called in addresses."""
    if not _SLUG.fullmatch(slug) or not 2 <= len(slug) <= 40 or slug in RESERVED:
        remedy = Said(
            "use 2 to 40 letters a-z, digits and single hyphens, beginning with a letter, and no reserved word",
            "请使用 2 至 40 个字母 a-z、数字及单个连字符，以字母开头，且不得为保留字",
        )
        raise InvalidInput("input.slug", value=slug[:60], remedy=remedy)


def _check(command: CreateTenant) -> None:
    check_slug(command.slug)
    if not 0 < len(command.name.strip()) <= 100:
        raise InvalidInput(
            "input.name",
            value=command.name[:100],
            remedy=Said("give a name of 1 to 100 characters", "请填写 1 至 100 个字符的名称"),
        )
    if command.currency not in list_currencies():
        raise InvalidInput(
            "input.currency",
            value=command.currency[:10],
            remedy=Said("use a code of ISO 4217, e.g. CNY", "请使用 ISO 4217 货币代码，例如 CNY"),
        )
    if command.time_zone not in _time_zones():
        remedy = Said(
            "use a name of the IANA time zone database, e.g. Asia/Shanghai", "请使用 IANA 时区名称，例如 Asia/Shanghai"
        )
        raise InvalidInput("input.timeZone", value=command.time_zone[:60], remedy=remedy)
    if command.locale not in LOCALES:
        raise InvalidInput(
            "input.locale",
            value=command.locale[:20],
            remedy=Said(f"use one of {', '.join(LOCALES)}", f"请使用以下之一：{', '.join(LOCALES)}"),
        )
    if command.owner.role is not Role.OWNER:
        raise InvalidInput("input", value=command.owner.role, remedy=Said(f"use {Role.OWNER}", f"请使用 {Role.OWNER}"))
    check_new(command.owner, TenantId(1))


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


async def suspend_tenant(tenant_id: TenantId, reason: str, actor: Actor) -> Brand:
    """Make a brand unreachable, by host, log-in and token, until it is reactivated. Raises ``ReasonRefused``."""
    return await _set_status(tenant_id, BrandStatus.SUSPENDED, reason, actor)


async def reactivate_tenant(tenant_id: TenantId, reason: str, actor: Actor) -> Brand:
    """Make a suspended brand reachable again. Raises ``ReasonRefused``."""
    return await _set_status(tenant_id, BrandStatus.ACTIVE, reason, actor)


async def _set_status(tenant_id: TenantId, status: BrandStatus, reason: str, actor: Actor) -> Brand:
    check_platform(actor)
    reason = reason_of(reason)
    with tenant_scope(tenant_id):
        async with transaction() as tx:
            before = await tx.value("SELECT status FROM tenant WHERE id = $1", tenant_id)
            await tx.execute("UPDATE tenant SET status = $2 WHERE id = $1 AND id <> 0", tenant_id, status)
            row = await tx.row(f"SELECT {_COLUMNS} FROM tenant WHERE id = $1 AND id <> 0", tenant_id)
            if row is None:
                raise NotFound("input.slug", kind="brand", value=tenant_id)
            changed = audit.change({"status": before}, {"status": status})
            await audit.record(actor, f"tenant.{status}", str(tenant_id), reason=reason, **changed)
            tx.after_commit(forget)
    return _brand(row)


async def put_aside(slug: str, actor: Actor, *, for_other: str | None = None) -> None:
    """Suspend a brand for good and free its slug; all it has stays as it is. None is no mistake.

    The brand ``for_other`` takes its slug and its domains at the same moment. Raises ``NotFound`` where that is none.
    """
    check_platform(actor)
    try:
        brand = await by_slug(slug)
    except NotFound:
        return
    other = await by_slug(for_other) if for_other else None
    with tenant_scope(brand.id):
        async with transaction() as tx:
            aside = f"{slug}-{brand.id}"
            done = await tx.execute(
                "UPDATE tenant SET slug = $2, status = 'suspended' WHERE id = $1 AND id <> 0 AND slug = $3",
                brand.id,
                aside,
                slug,
            )
            if not done:
                return
            if other is not None:
                await tx.execute("UPDATE tenant SET slug = $2 WHERE id = $1", other.id, slug)
                await tx.execute("UPDATE tenant_domain SET tenant_id = $2 WHERE tenant_id = $1", brand.id, other.id)
            await audit.record(actor, "tenant.put_aside", str(brand.id), slug=slug, now=aside)
            tx.after_commit(forget)


async def add_domain(tenant_id: TenantId, host: str, actor: Actor) -> str:
    """Serve a brand at a domain of its own, and answer the domain as it is written down.

    Raises ``Forbidden`` unless an operator asks, ``InvalidInput``, ``NotFound`` or ``HostTaken``.
    """
    check_platform(actor)
    name = host_name(host)
    base = get_settings().base_domain.lower()
    if not _HOST.fullmatch(name) or len(name) > 253 or _is_address(name) or f".{name}".endswith(f".{base}"):
        remedy = Said(f"give a full domain name in ASCII outside of {base}", f"请填写 {base} 以外的完整 ASCII 域名")
        raise InvalidInput("input.host", value=name[:253], remedy=remedy)
    with tenant_scope(tenant_id):
        async with transaction() as tx:
            if tenant_id == PLATFORM or not await tx.value("SELECT 1 FROM tenant WHERE id = $1", tenant_id):
                raise NotFound("input.slug", kind="brand", value=tenant_id)
            added = await tx.execute(
                "INSERT INTO tenant_domain (host, tenant_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                name,
                tenant_id,
                clock.now(),
            )
            if not added:
                raise HostTaken("input.host", host=name)
            await audit.record(actor, "tenant.add_domain", str(tenant_id), host=name)
    return name


async def by_host(host: str) -> Brand | None:
    """The active brand a ``Host`` header means; None is the platform's own: the base domain, or a bare IP address.

    Raises ``NotFound`` for any other host; of what cannot be the name of one no database is asked.
    """
    name = host_name(host)
    if (known := _by_host.get(name)) is not None:
        return known
    base = get_settings().base_domain.lower()
    if name == base or _is_address(name):
        return None
    if not _HOST.fullmatch(name):
        raise NotFound(kind="brand", value=ascii(name[:253]))
    slug = name.removesuffix(f".{base}") if name.endswith(f".{base}") else None
    async with _any_scope() as tx:
        row = await tx.row(
            f"SELECT {_COLUMNS} FROM tenant WHERE status = 'active' AND id <> 0 "
            f"AND (slug = $1 OR id = (SELECT tenant_id FROM tenant_domain WHERE host = $2))",
            slug,
            name,
        )
        brand = _found(row, name)
        _by_host.put(name, brand)
    return brand


async def by_slug(slug: str) -> Brand:
    """An active brand, or the platform, by its short name. Raises ``NotFound``."""
    async with _any_scope() as tx:
        row = await tx.row(f"SELECT {_COLUMNS} FROM tenant WHERE status = 'active' AND slug = $1", slug)
    return _found(row, slug)


async def any_by_slug(slug: str, actor: Actor) -> Brand:
    """A brand by its short name, a suspended one too, for operators. Raises ``Forbidden`` or ``NotFound``."""
    check_platform(actor)
    async with _any_scope() as tx:
        row = await tx.row(f"SELECT {_COLUMNS} FROM tenant WHERE id <> 0 AND slug = $1", slug)
    return _found(row, slug)


async def by_id(tenant_id: TenantId) -> Brand:
    """An active brand, or the platform, by its number. Raises ``NotFound``."""
    async with _any_scope() as tx:
        row = await tx.row(f"SELECT {_COLUMNS} FROM tenant WHERE status = 'active' AND id = $1", tenant_id)
    return _found(row, tenant_id)


async def this_brand() -> Brand:
    """The brand of the active scope: its currency and time zone, whatever its status; remembered for a few seconds."""
    tenant_id = current_tenant()
    if (known := _by_id.get(tenant_id)) is not None:
        return known
    async with reading() as tx:
        brand = _found(await tx.row(f"SELECT {_COLUMNS} FROM tenant WHERE id = $1", tenant_id), tenant_id)
        _by_id.put(tenant_id, brand)
    return brand


async def brands(page: PageRequest) -> Page[Brand]:
    """All brands by slug, suspended ones too: for operators."""
    after = decode_cursor(page.after, str)[0] if page.after else ""
    async with _any_scope() as tx:
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM tenant WHERE id <> 0 AND slug > $1 ORDER BY slug LIMIT $2", after, page.first + 1
        )
    found = [_brand(row) for row in rows]
    return page_of(found, page, [encode_cursor(brand.slug) for brand in found])


def forget() -> None:
    """Drop what this process remembers of brands and hosts, after one of them changed."""
    _by_host.forget()
    _by_id.forget()


def host_name(host: str) -> str:
    """The name in a ``Host`` header: lower case, without port, brackets or final dot."""
    name = host.strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    return name.removesuffix(".")


def _is_address(name: str) -> bool:
    """An IP address names no brand; health checks and first tries come to it."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


@asynccontextmanager
async def _any_scope() -> AsyncIterator[Tx]:
    """Global tables answer in any scope: the active one, or else the platform's."""
    try:
        tenant_id = current_tenant()
    except ScopeMissing:
        tenant_id = PLATFORM
    with tenant_scope(tenant_id):
        async with reading() as tx:
            yield tx


def _found(row: Row | None, value: object) -> Brand:
    if row is None:
        raise NotFound(kind="brand", value=value)
    return _brand(row)


def _brand(row: Row) -> Brand:
    return Brand(**{**row, "status": BrandStatus(row["status"])})
