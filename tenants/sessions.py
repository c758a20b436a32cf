"""Log-ins: opaque, revocable sessions, and the one place that turns a token into an actor."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from saas.base import clock
from saas.base.db import Row, Tx, reading, transaction
from saas.base.errors import NotFound
from saas.base.ids import PLATFORM, DistributorId, MemberId, TenantId, new_id
from saas.base.scope import tenant_scope
from saas.base.settings import get_settings
from tenants import api_keys, audit, failed_logins, passwords, registry, second_factor
from tenants.accounts import check_manageable, end_sessions, normal_login
from tenants.actors import Actor, Role, system
from tenants.errors import LoginFailed, SecondFactorFailed, SecondFactorNeeded
from tenants.throttle import Attempt, attempt
from tenants.tokens import Token, TokenKind, hash_of, new_token, read_token

SEEN_EVERY = timedelta(minutes=1)
"""How exactly ``last_seen_at`` is kept: a write on every request would cost more than it tells.

The shorter end of a session that rests is as exact: it may come so much too early.
"""


class SessionKind(StrEnum):
    """A cookie of a browser, or a bearer token of any other client."""

    COOKIE = "cookie"
    BEARER = "bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """Name and password as typed, a code of the second factor or none, and the address they came from."""

    login: str
    password: str
    kind: SessionKind
    address: str | None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A new session: its token, which is told this once, its end and its actor."""

    token: str
    expires_at: datetime
    actor: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as its member sees it."""

    id: UUID
    kind: SessionKind
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime


async def log_in(tenant_id: TenantId, command: LogIn) -> LoggedIn:
    """Open a session of a member of one tenant.

    Raises ``LoginFailed`` whatever was wrong, in the time a right answer takes, or ``LoginThrottled``. Whoever knows
    the password is told of a second factor: ``SecondFactorNeeded``, or ``SecondFactorFailed``, which count as
    failures too. Must be called outside of a transaction, so that a failure stays counted.
    """
    return await _log_in(tenant_id, command, is_there=True)


async def log_in_at(slug: str, command: LogIn) -> LoggedIn:
    """Open a session from the platform's own site, where the brand is named by its slug.

    An unknown brand fails like a wrong password: by the same statements, in the same time, counted and told.
    """
    try:
        brand = await registry.by_slug(slug.strip().lower())
    except NotFound:
        return await _log_in(PLATFORM, command, is_there=False)
    return await log_in(brand.id, command)


async def _log_in(tenant_id: TenantId, command: LogIn, *, is_there: bool) -> LoggedIn:
    """What ``log_in`` does; nobody gets into a brand that is not there."""
    login, known = normal_login(command.login)[:200], None
    with tenant_scope(tenant_id):
        counted = await attempt(login, command.address)
        try:
            async with reading() as tx:
                found = await _member(tx, login)
            known = found if is_there else None
            if not await passwords.matches(command.password, known["password_hash"] if known else None) or not known:
                raise LoginFailed
            async with transaction() as tx:
                return await _open(tx, known, command, counted)
        except (LoginFailed, SecondFactorFailed) as failed:
            whose = known["id"] if known else None
            await failed_logins.tell(login, why=failed.code, address=command.address, member_id=whose)
            raise


async def _open(tx: Tx, known: Row, command: LogIn, counted: Attempt) -> LoggedIn:
    """Write the session, unless the member was disabled or got another password since it was read."""
    unchanged = await _held(tx, known)
    if unchanged is None:
        raise LoginFailed
    if unchanged["second_factor_since"] is not None:
        if not command.code:
            raise SecondFactorNeeded("input.oneTimeCode")
        if not await second_factor.accepted(tx, known["id"], command.code):
            raise SecondFactorFailed("input.oneTimeCode")
    actor = _actor(tx.tenant_id, known)
    opened = await _insert(tx, actor, command.kind)
    await counted.forgive()
    await audit.record(actor, "session.log_in", str(actor.id), kind=command.kind)
    return opened


async def _held(tx: Tx, known: Row) -> Row | None:
    """Hold an active member with the password it was read with, so that whoever shuts it out finds its new session."""
    return await tx.row(
        f"SELECT second_factor_since FROM member "
        f"WHERE tenant_id = $1 AND id = $2 AND status = 'active' AND password_hash = $3{tx.for_update}",
        tx.tenant_id,
        known["id"],
        known["password_hash"],
    )


async def _insert(tx: Tx, actor: Actor, kind: SessionKind) -> LoggedIn:
    now = clock.now()
    expires_at = now + timedelta(hours=get_settings().session_hours)
    token = new_token(TokenKind.SESSION, tx.tenant_id)
    columns = ("id", "token_hash", "member_id", "kind", "created_at", "expires_at", "last_seen_at")
    await tx.insert_many("session", columns, [(new_id(), hash_of(token), actor.id, kind, now, expires_at, now)])
    return LoggedIn(token=token, expires_at=expires_at, actor=actor)


async def issue_token(tenant_slug: str, login: str, label: str) -> LoggedIn:
    """A bearer session without a password, for whoever may run commands on the server; audited under ``label``.

    Raises ``NotFound`` when the brand or an active member of that login does not exist.
    """
    tenant = await registry.by_slug(tenant_slug)
    with tenant_scope(tenant.id):
        async with transaction() as tx:
            known = await _member(tx, normal_login(login))
            if known is None or await _held(tx, known) is None:
                raise NotFound("login", kind="member", value=login)
            issued = await _insert(tx, _actor(tenant.id, known), SessionKind.BEARER)
            await audit.record(system(tenant.id, label), "session.issue_token", str(known["id"]))
    return issued


async def named_actor(tenant_slug: str, login: str, label: str) -> Actor:
    """An active member, for whoever may run commands on the server; the audit log shows ``label`` beside the log-in.

    Raises ``NotFound`` when the brand or an active member of that login does not exist.
    """
    tenant = await registry.by_slug(tenant_slug)
    with tenant_scope(tenant.id):
        async with reading() as tx:
            known = await _member(tx, normal_login(login))
    if known is None:
        raise NotFound("login", kind="member", value=login)
    actor = _actor(tenant.id, known)
    return replace(actor, label=f"{actor.label} ({label})")


async def authenticate(token: str, host_tenant: TenantId | None) -> Actor | None:
    """Who presents this token, or nobody, whatever is wrong with it.

    A brand's host takes tokens of that brand only; the platform's host (None) takes any. Costs one statement.
    """
    claimed = read_token(token)
    if claimed is None or host_tenant not in {None, claimed.tenant_id}:
        return None
    with tenant_scope(claimed.tenant_id):
        match claimed.kind:
            case TokenKind.SESSION:
                return await _actor_of(claimed)
            case TokenKind.API_KEY:
                return await api_keys.actor_of(claimed)
            case TokenKind.LINK:
                return None


_HOLDS = (
    "SELECT s.token_hash, s.id AS session_id, s.created_at AS signed_in_at, s.last_seen_at, m.id, m.login, m.role, "
    "m.locale, m.distributor_id, m.second_factor_since, t.second_factor_roles "
    "FROM session s JOIN member m ON m.tenant_id = s.tenant_id AND m.id = s.member_id "
    "JOIN tenant t ON t.id = s.tenant_id "
    "WHERE s.tenant_id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND s.last_seen_at > $3 "
    "AND m.status = 'active' AND t.status = 'active'"
)
"""The sessions of a tenant that hold at ``$2`` and were used since ``$3``, each with its member."""


def _rested(now: datetime) -> datetime:
    """A session not used since then has ended."""
    return now - timedelta(minutes=get_settings().session_idle_minutes)


async def _actor_of(claimed: Token) -> Actor | None:
    now = clock.now()
    async with reading() as tx:
        row = await tx.row(f"{_HOLDS} AND s.token_hash = $4", tx.tenant_id, now, _rested(now), claimed.hash)
    if row is None:
        return None
    if row["last_seen_at"] <= now - SEEN_EVERY:
        async with transaction() as tx:
            await tx.execute(
                "UPDATE session SET last_seen_at = $3 WHERE tenant_id = $1 AND id = $2 AND last_seen_at < $3",
                tx.tenant_id,
                row["session_id"],
                now,
            )
    return _signed_in(claimed.tenant_id, row)


async def holding(tokens: Collection[str]) -> Mapping[str, Actor]:
    """Those of the active tenant's tokens that hold now, each with its actor, in two statements. Leaves no trace."""
    claimed = {claim.hash: token for token in tokens if (claim := read_token(token)) is not None}
    now = clock.now()
    async with reading() as tx:
        rows = await tx.rows(
            f"{_HOLDS} AND s.token_hash {tx.within(4, 'text')}", tx.tenant_id, now, _rested(now), list(claimed)
        )
        keys = await api_keys.holding(tx, list(claimed))
        found = {claimed[row["token_hash"]]: _signed_in(tx.tenant_id, row) for row in rows}
    return {**found, **{claimed[hash_]: actor for hash_, actor in keys.items()}}


def _signed_in(tenant_id: TenantId, row: Row) -> Actor:
    must_enrol = row["second_factor_since"] is None and row["role"] in row["second_factor_roles"].split()
    return replace(_actor(tenant_id, row), signed_in_at=row["signed_in_at"], must_enrol=must_enrol)


async def log_out(token: str, actor: Actor) -> None:
    """End the session of this token, when it is the actor's. Doing it again changes nothing."""
    async with transaction() as tx:
        ended = await tx.execute(
            "UPDATE session SET revoked_at = $4 "
            "WHERE tenant_id = $1 AND token_hash = $2 AND member_id = $3 AND revoked_at IS NULL",
            tx.tenant_id,
            hash_of(token),
            actor.id,
            clock.now(),
        )
        if ended:
            await audit.record(actor, "session.log_out", str(actor.id))


async def revoke_session(session_id: UUID, actor: Actor) -> None:
    """End one of one's own sessions. Doing it again changes nothing. Raises ``NotFound`` for anybody else's."""
    async with transaction() as tx:
        own = await tx.value(
            "SELECT id FROM session WHERE tenant_id = $1 AND id = $2 AND member_id = $3",
            tx.tenant_id,
            session_id,
            actor.id,
        )
        if own is None:
            raise NotFound("input.id", kind="session", value=session_id)
        ended = await tx.execute(
            "UPDATE session SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
            tx.tenant_id,
            session_id,
            clock.now(),
        )
        if ended:
            await audit.record(actor, "session.revoke", str(actor.id))


async def revoke_sessions(member_id: MemberId, actor: Actor) -> int:
    """End all sessions of oneself, or of a member one manages, and answer how many there were.

    Raises ``NotFound`` or ``Forbidden``.
    """
    async with transaction() as tx:
        if member_id != actor.id:
            await check_manageable(tx, member_id, actor)
        ended = await end_sessions(tx, member_id)
        await audit.record(actor, "session.revoke_all", str(member_id), sessions=ended)
    return ended


async def sessions_of(member_id: MemberId) -> Sequence[Session]:
    """The sessions of a member that still hold, the latest first."""
    now = clock.now()
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT id, kind, created_at, expires_at, last_seen_at FROM session WHERE tenant_id = $1 "
            "AND member_id = $2 AND revoked_at IS NULL AND expires_at > $3 AND last_seen_at > $4 ORDER BY id DESC",
            tx.tenant_id,
            member_id,
            now,
            _rested(now),
        )
    return [Session(**{**row, "kind": SessionKind(row["kind"])}) for row in rows]


async def _member(tx: Tx, login: str) -> Row | None:
    """An active member of a tenant that is active."""
    return await tx.row(
        "SELECT m.id, m.login, m.role, m.locale, m.distributor_id, m.password_hash FROM member m "
        "JOIN tenant t ON t.id = m.tenant_id "
        "WHERE m.tenant_id = $1 AND m.login = $2 AND m.status = 'active' AND t.status = 'active'",
        tx.tenant_id,
        login,
    )


def _actor(tenant_id: TenantId, row: Row) -> Actor:
    distributor_id = row["distributor_id"]
    return Actor(
        tenant_id=tenant_id,
        role=Role(row["role"]),
        id=row["id"],
        label=row["login"],
        locale=row["locale"],
        distributor_id=DistributorId(distributor_id) if distributor_id else None,
    )
