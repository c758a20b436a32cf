"""Keys of shop systems: made by a person, limited to scopes, shown once, revocable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Row, Tx, reading, transaction
from saas.base.errors import InvalidInput, NotFound, Said, WrongState
from saas.base.ids import TenantId, new_id
from tenants import audit
from tenants.access import Scope
from tenants.actors import Actor, Role
from tenants.errors import Forbidden
from tenants.tokens import Token, TokenKind, hash_of, new_token, shown_part

USED_EVERY = timedelta(minutes=1)
"""How exactly ``last_used_at`` is kept."""
_COLUMNS = "id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at, replaces"
OVERLAP_MOST = timedelta(days=30)
"""How long the old key of a rotation may hold beside the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApiKey:
    """A key for one system. Without ``expires_at`` it holds until it is revoked."""

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as people see it; ``prefix`` is the beginning of the token, enough to recognise it."""

    id: UUID
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    replaces: UUID | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just made, with the token that is told this once."""

    key: ApiKey
    token: str


async def create_api_key(command: CreateApiKey, actor: Actor) -> NewApiKey:
    """Make a key. Only a person can: a key must be somebody's doing, and no key makes another.

    Raises ``Forbidden`` or ``InvalidInput``.
    """
    now = clock.now()
    if actor.id is None or actor.role is Role.API_KEY:
        raise Forbidden("input", role=actor.role, needed=Role.OWNER)
    if not 0 < len(command.name.strip()) <= 100:
        raise InvalidInput(
            "input.name",
            value=command.name[:100],
            remedy=Said("give a name of 1 to 100 characters", "请填写 1 至 100 个字符的名称"),
        )
    if not command.scopes:
        raise InvalidInput(
            "input.scopes",
            value="[]",
            remedy=Said(f"give at least one of {', '.join(Scope)}", f"请至少给出以下之一：{', '.join(Scope)}"),
        )
    if command.expires_at is not None and command.expires_at <= now:
        raise InvalidInput(
            "input.expiresAt",
            value=command.expires_at,
            remedy=Said("give a moment to come, or none", "请填写未来的时间，或不填"),
        )
    async with transaction() as tx:
        made = await _insert(tx, replace(command, name=command.name.strip()), actor.id, replaces=None)
        key = made.key
        await audit.record(actor, "api_key.create", str(key.id), name=key.name, scopes=sorted(key.scopes))
    return made


async def rotate_api_key(key_id: UUID, overlap: timedelta, actor: Actor) -> NewApiKey:
    """A new key with the name, scopes and end of one that holds, which ends after ``overlap``; the token is told once.

    Raises ``Forbidden``, ``InvalidInput``, ``NotFound``, or ``WrongState`` for a key that was revoked or has ended.
    """
    now = clock.now()
    if actor.id is None or actor.role is Role.API_KEY:
        raise Forbidden("input", role=actor.role, needed=Role.OWNER)
    if not timedelta() <= overlap <= OVERLAP_MOST:
        hours = OVERLAP_MOST // timedelta(hours=1)
        remedy = Said(f"give 0 to {hours} hours", f"请填写 0 至 {hours} 小时")
        raise InvalidInput("input.overlapHours", value=overlap // timedelta(hours=1), remedy=remedy)
    async with transaction() as tx:
        row = await tx.row(
            f"SELECT {_COLUMNS} FROM api_key WHERE tenant_id = $1 AND id = $2{tx.for_update}", tx.tenant_id, key_id
        )
        if row is None:
            raise NotFound("input.id", kind="api key", value=str(key_id))
        old = _key(row)
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
            raise WrongState("input.id", kind="api key", state="closed", needed="active")
        command = CreateApiKey(name=old.name, scopes=old.scopes, expires_at=old.expires_at)
        made = await _insert(tx, command, actor.id, replaces=old.id)
        ends_at = now + overlap if old.expires_at is None else min(old.expires_at, now + overlap)
        await tx.execute(
            "UPDATE api_key SET expires_at = $3 WHERE tenant_id = $1 AND id = $2", tx.tenant_id, key_id, ends_at
        )
        await audit.record(actor, "api_key.rotate", str(made.key.id), replaces=str(key_id), old_ends_at=ends_at)
    return made


async def _insert(tx: Tx, command: CreateApiKey, created_by: UUID, *, replaces: UUID | None) -> NewApiKey:
    token = new_token(TokenKind.API_KEY, tx.tenant_id)
    key = ApiKey(
        id=new_id(),
        name=command.name,
        prefix=shown_part(token),
        scopes=command.scopes,
        created_by=created_by,
        created_at=clock.now(),
        expires_at=command.expires_at,
        last_used_at=None,
        revoked_at=None,
        replaces=replaces,
    )
    columns = ("id", "name", "prefix", "key_hash", "scopes", "created_by", "created_at", "expires_at", "replaces")
    scopes = orjson.dumps(sorted(key.scopes)).decode()
    given = (key.id, key.name, key.prefix, hash_of(token), scopes, created_by, key.created_at, key.expires_at, replaces)
    await tx.insert_many("api_key", columns, [given])
    return NewApiKey(key, token)


async def api_keys() -> Sequence[ApiKey]:
    """The brand's keys, the latest first, revoked ones among them."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM api_key WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1000", tx.tenant_id
        )
    return [_key(row) for row in rows]


async def revoke_api_key(key_id: UUID, actor: Actor) -> ApiKey:
    """End a key at once. Doing it again changes nothing. Raises ``NotFound``."""
    async with transaction() as tx:
        revoked = await tx.execute(
            "UPDATE api_key SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tx.tenant_id,
            key_id,
            clock.now(),
        )
        row = await tx.row(f"SELECT {_COLUMNS} FROM api_key WHERE tenant_id = $1 AND id = $2", tx.tenant_id, key_id)
        if row is None:
            raise NotFound("input.id", kind="api key", value=str(key_id))
        if revoked:
            await audit.record(actor, "api_key.revoke", str(key_id))
    return _key(row)


_HOLDS = (
    "SELECT k.key_hash, k.id, k.name, k.scopes, k.last_used_at, t.locale "
    "FROM api_key k JOIN tenant t ON t.id = k.tenant_id "
    "WHERE k.tenant_id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2) "
    "AND t.status = 'active'"
)
"""The keys of a tenant that hold at ``$2``."""


async def actor_of(claimed: Token) -> Actor | None:
    """The actor of a presented key of the active tenant, or none when it does not hold."""
    now = clock.now()
    async with reading() as tx:
        row = await tx.row(f"{_HOLDS} AND k.key_hash = $3", tx.tenant_id, now, claimed.hash)
    if row is None:
        return None
    if row["last_used_at"] is None or row["last_used_at"] <= now - USED_EVERY:
        async with transaction() as tx:
            await tx.execute(
                "UPDATE api_key SET last_used_at = $3 "
                "WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
                tx.tenant_id,
                row["id"],
                now,
            )
    return _actor(claimed.tenant_id, row)


async def holding(tx: Tx, hashes: Sequence[str]) -> Mapping[str, Actor]:
    """Those keys that hold now, each with its actor."""
    rows = await tx.rows(f"{_HOLDS} AND k.key_hash {tx.within(3, 'text')}", tx.tenant_id, clock.now(), list(hashes))
    return {row["key_hash"]: _actor(tx.tenant_id, row) for row in rows}


def _actor(tenant_id: TenantId, row: Row) -> Actor:
    return Actor(
        tenant_id=tenant_id,
        role=Role.API_KEY,
        id=row["id"],
        label=row["name"],
        locale=row["locale"],
        scopes=frozenset(orjson.loads(row["scopes"])),
    )


def _key(row: Row) -> ApiKey:
    scopes = frozenset(Scope(scope) for scope in orjson.loads(row["scopes"]))
    return ApiKey(**{**row, "scopes": scopes})
