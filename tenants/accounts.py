"""The people of a brand, and the platform's operators: who can log in, under which role."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saas.base import clock
from saas.base.db import Row, Tx, current_tx, reading, transaction
from saas.base.errors import InvalidInput, NotFound, Said, WrongState
from saas.base.ids import PLATFORM, DistributorId, MemberId, TenantId, new_id
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.scope import current_tenant
from tenants import audit, passwords
from tenants.actors import Actor, Role
from tenants.errors import DistributorHasLeft, DistributorHasLogin, Forbidden, LastOfRole, LoginFailed, LoginTaken
from tenants.throttle import attempt

STAFF = (Role.OWNER, Role.FINANCE, Role.OPERATIONS, Role.AUDITOR)
LOCALES = ("zh-CN", "en")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,98}[a-z0-9]")

MANAGES: Mapping[Role, frozenset[Role]] = {
    Role.OPERATOR: frozenset({Role.OPERATOR}),
    Role.OWNER: frozenset({*STAFF, Role.DISTRIBUTOR}),
    Role.OPERATIONS: frozenset({Role.DISTRIBUTOR}),
    Role.SYSTEM: frozenset({*STAFF, Role.DISTRIBUTOR, Role.OPERATOR}),
}
"""Whose accounts a role makes and changes; a role that is not listed changes nobody's."""


class MemberStatus(StrEnum):
    """A disabled member cannot log in, and its sessions end."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person as others see it."""

    id: MemberId
    login: str
    name: str
    role: Role
    distributor_id: DistributorId | None
    status: MemberStatus
    locale: str
    created_at: datetime
    second_factor_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMember:
    """A new account. ``distributor_id`` for the role distributor, and for no other."""

    login: str
    password: str
    name: str
    role: Role
    locale: str = "zh-CN"
    distributor_id: DistributorId | None = None


_COLUMNS = "id, login, name, role, distributor_id, status, locale, created_at, second_factor_since"


def _member(row: Row) -> Member:
    return Member(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        role=Role(row["role"]),
        distributor_id=row["distributor_id"],
        status=MemberStatus(row["status"]),
        locale=row["locale"],
        created_at=row["created_at"],
        second_factor_since=row["second_factor_since"],
    )


def normal_login(login: str) -> str:
    """Logins are compared without regard to case and surrounding space."""
    return login.strip().lower()


def check_new(command: CreateMember, tenant_id: TenantId) -> None:
    """Refuse an account that no tenant, or not this one, may have."""
    login = normal_login(command.login)
    if not _LOGIN.fullmatch(login):
        remedy = Said(
            "use 3 to 100 letters a-z, digits and . _ @ + -, beginning and ending with a letter or digit",
            "请使用 3 至 100 个字母 a-z、数字及 . _ @ + -，首尾须为字母或数字",
        )
        raise InvalidInput("input.login", value=login[:100], remedy=remedy)
    if not 0 < len(command.name.strip()) <= 100:
        raise InvalidInput(
            "input.name",
            value=command.name[:100],
            remedy=Said("give a name of 1 to 100 characters", "请填写 1 至 100 个字符的名称"),
        )
    if command.locale not in LOCALES:
        raise InvalidInput(
            "input.locale",
            value=command.locale[:20],
            remedy=Said(f"use one of {', '.join(LOCALES)}", f"请使用以下之一：{', '.join(LOCALES)}"),
        )
    allowed = {Role.OPERATOR} if tenant_id == PLATFORM else {*STAFF, Role.DISTRIBUTOR}
    if command.role not in allowed:
        raise InvalidInput(
            "input.role",
            value=command.role,
            remedy=Said(f"use one of {', '.join(sorted(allowed))}", f"请使用以下之一：{', '.join(sorted(allowed))}"),
        )
    if (command.role is Role.DISTRIBUTOR) != (command.distributor_id is not None):
        remedy = Said(
            "name the distributor for the role distributor, and for no other", "仅当角色为分销商时填写对应的分销商"
        )
        raise InvalidInput("input.distributorId", value=str(command.distributor_id), remedy=remedy)
    passwords.check_policy(command.password, login)


async def create_member(command: CreateMember, actor: Actor) -> Member:
    """Make an account with a first password.

    Raises ``Forbidden``, ``InvalidInput``, ``PasswordRefused``, ``PasswordBroken``, ``LoginTaken``,
    ``DistributorHasLogin`` or ``DistributorHasLeft``, and ``NotFound`` for a distributor the brand does not have.
    """
    check_manages(actor, command.role)
    check_new(command, current_tenant())
    password_hash = await passwords.hashed(command.password)
    async with transaction():
        return await insert_member(command, password_hash, actor)


async def insert_member(command: CreateMember, password_hash: str, actor: Actor) -> Member:
    """Write an account that ``check_new`` accepted; part of the running transaction."""
    tx, now = current_tx(), clock.now()
    member = Member(
        id=MemberId(new_id()),
        login=normal_login(command.login),
        name=command.name.strip(),
        role=command.role,
        distributor_id=command.distributor_id,
        status=MemberStatus.ACTIVE,
        locale=command.locale,
        created_at=now,
    )
    columns = (*_COLUMNS.split(", "), "password_hash", "password_changed_at")
    values = (*(getattr(member, name) for name in _COLUMNS.split(", ")), password_hash, now)
    if command.distributor_id is not None:
        await _check_stays(tx, command.distributor_id)
    if not await tx.insert_many("member", columns, [values], or_ignore=True):
        taken = await tx.value("SELECT 1 FROM member WHERE tenant_id = $1 AND login = $2", tx.tenant_id, member.login)
        if taken:
            raise LoginTaken("input.login", login=member.login)
        raise DistributorHasLogin("input.distributorId")
    await audit.record(actor, "member.create", str(member.id), login=member.login, role=member.role)
    return member


async def _check_stays(tx: Tx, distributor_id: DistributorId) -> None:
    """Hold a distributor still, so that it does not leave meanwhile, and refuse one that has left."""
    status = await tx.value(
        f"SELECT status FROM distributor WHERE tenant_id = $1 AND id = $2{tx.for_update}", tx.tenant_id, distributor_id
    )
    if status is None:
        raise NotFound("input.distributorId", kind="distributor", value=distributor_id)
    if status == "exited":
        raise DistributorHasLeft("input.distributorId")


async def disable_member(member_id: MemberId, actor: Actor) -> Member:
    """Shut a person out at once: no log-in, session or link. Raises ``LastOfRole`` rather than lock everybody out."""
    async with transaction() as tx:
        found = await _manageable(tx, member_id, actor, removes=True)
        await tx.execute(
            "UPDATE member SET status = 'disabled' WHERE tenant_id = $1 AND id = $2", tx.tenant_id, member_id
        )
        await end_sessions(tx, member_id)
        await end_links(tx, member_id)
        changed = audit.change({"status": found.status}, {"status": MemberStatus.DISABLED})
        await audit.record(actor, "member.disable", str(member_id), **changed)
        return await _get(tx, member_id)


async def enable_member(member_id: MemberId, actor: Actor) -> Member:
    """Let a disabled person in again. Raises ``DistributorHasLeft`` for one that was shut out with its exit."""
    async with transaction() as tx:
        found = await _manageable(tx, member_id, actor)
        enabled = await tx.execute(
            "UPDATE member SET status = 'active' WHERE tenant_id = $1 AND id = $2 AND NOT EXISTS "
            "(SELECT 1 FROM distributor d WHERE d.tenant_id = $1 AND d.id = member.distributor_id "
            "AND d.status = 'exited')",
            tx.tenant_id,
            member_id,
        )
        if not enabled:
            raise DistributorHasLeft("input.memberId")
        changed = audit.change({"status": found.status}, {"status": MemberStatus.ACTIVE})
        await audit.record(actor, "member.enable", str(member_id), **changed)
        return await _get(tx, member_id)


async def disable_distributor(distributor_id: DistributorId, actor: Actor) -> None:
    """Shut a distributor out, as part of the transaction that lets it go. One without a log-in is no error."""
    async with transaction() as tx:
        member_id = await tx.value(
            "UPDATE member SET status = 'disabled' WHERE tenant_id = $1 AND distributor_id = $2 RETURNING id",
            tx.tenant_id,
            distributor_id,
        )
        if member_id is not None:
            await end_sessions(tx, member_id)
            await end_links(tx, member_id)
            await audit.record(actor, "member.disable", str(member_id))


async def change_role(member_id: MemberId, role: Role, actor: Actor) -> Member:
    """Give a member of the staff another role; it holds from that member's next request on."""
    async with transaction() as tx:
        check_manages(actor, role)
        if role not in STAFF:
            raise InvalidInput(
                "input.role",
                value=role,
                remedy=Said(f"use one of {', '.join(STAFF)}", f"请使用以下之一：{', '.join(STAFF)}"),
            )
        before = await _manageable(tx, member_id, actor, removes=role is not Role.OWNER)
        if before.role not in STAFF:
            raise WrongState("input.memberId", kind="member", state=before.role, needed="a member of the staff")
        await tx.execute("UPDATE member SET role = $3 WHERE tenant_id = $1 AND id = $2", tx.tenant_id, member_id, role)
        await audit.record(
            actor, "member.change_role", str(member_id), **audit.change({"role": before.role}, {"role": role})
        )
        return await _get(tx, member_id)


async def reset_password(member_id: MemberId, password: str, actor: Actor) -> None:
    """Set a new password for somebody else and end that member's sessions."""
    async with reading() as tx:
        member = await _get(tx, member_id)
    check_manages(actor, member.role)
    await _set_password(member, password, actor, expected=None)


async def change_password(current: str, password: str, actor: Actor, address: str | None = None) -> None:
    """Set one's own password and end all of one's sessions.

    Raises ``LoginFailed`` when ``current`` is wrong, which counts like a failed log-in.
    """
    member, stored = await prove(current, actor, address)
    await _set_password(member, password, actor, expected=stored)


async def prove(current: str, actor: Actor, address: str | None) -> tuple[Member, str]:
    """Have the actor's own password shown again before a step that matters; answers the account and its hash.

    Raises ``LoginFailed`` when it is wrong, which counts like a failed log-in, or ``LoginThrottled``.
    """
    async with reading() as tx:
        member = await _get(tx, MemberId(actor.id or new_id()))
        stored = await tx.value(
            "SELECT password_hash FROM member WHERE tenant_id = $1 AND id = $2", tx.tenant_id, member.id
        )
    counted = await attempt(member.login, address)
    if not await passwords.matches(current, stored):
        raise LoginFailed("input.currentPassword")
    async with transaction():
        await counted.forgive()
    return member, stored


async def _set_password(member: Member, password: str, actor: Actor, *, expected: str | None) -> None:
    """Write the new hash; with ``expected`` only over that one, so that of two changes at once one fails."""
    passwords.check_policy(password, member.login)
    new_hash = await passwords.hashed(password)
    async with transaction() as tx:
        changed = await tx.execute(
            "UPDATE member SET password_hash = $3, password_changed_at = $4 "
            "WHERE tenant_id = $1 AND id = $2 AND password_hash = coalesce($5, password_hash)",
            tx.tenant_id,
            member.id,
            new_hash,
            clock.now(),
            expected,
        )
        if not changed:
            raise LoginFailed("input.currentPassword")
        await end_sessions(tx, member.id)
        await end_links(tx, member.id)
        await audit.record(actor, "member.set_password", str(member.id))


async def end_sessions(tx: Tx, member_id: MemberId) -> int:
    """Revoke every session of a member and answer how many there were."""
    return await tx.execute(
        "UPDATE session SET revoked_at = $3 WHERE tenant_id = $1 AND member_id = $2 AND revoked_at IS NULL",
        tx.tenant_id,
        member_id,
        clock.now(),
    )


async def end_links(tx: Tx, member_id: MemberId) -> None:
    """End the open link of a member, so that nobody sets a password by it any more."""
    await tx.execute(
        "UPDATE password_link SET ended_at = $3 WHERE tenant_id = $1 AND member_id = $2 AND ended_at IS NULL",
        tx.tenant_id,
        member_id,
        clock.now(),
    )


async def find_member(member_id: MemberId) -> Member:
    """One member of the brand. Raises ``NotFound``."""
    async with reading() as tx:
        return await _get(tx, member_id)


async def members(
    page: PageRequest, *, search: str = "", roles: Sequence[Role] = (), status: MemberStatus | None = None
) -> Page[Member]:
    """The brand's people by login; ``search`` looks into login and name without regard to case."""
    after = decode_cursor(page.after, str)[0] if page.after else ""
    escaped = re.sub(r"([%_\\])", r"\\\1", search.strip().lower())
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM member WHERE tenant_id = $1 AND login > $2 "
            f"AND (login LIKE $3 ESCAPE '\\' OR lower(name) LIKE $3 ESCAPE '\\') "
            f"AND role {tx.within(4, 'text')} AND status {tx.within(5, 'text')} ORDER BY login LIMIT $6",
            tx.tenant_id,
            after,
            f"%{escaped}%",
            list(roles or Role),
            [status] if status else list(MemberStatus),
            page.first + 1,
        )
    found = [_member(row) for row in rows]
    return page_of(found, page, [encode_cursor(member.login) for member in found])


async def _get(tx: Tx, member_id: MemberId) -> Member:
    row = await tx.row(f"SELECT {_COLUMNS} FROM member WHERE tenant_id = $1 AND id = $2", tx.tenant_id, member_id)
    if row is None:
        raise NotFound("input.memberId", kind="member", value=str(member_id))
    return _member(row)


async def _manageable(tx: Tx, member_id: MemberId, actor: Actor, *, removes: bool = False) -> Member:
    """Lock and read a member the actor may change; with ``removes`` not when it is the last active of its role.

    All active owners (operators) are locked before they are counted, so that two of them cannot remove each other.
    """
    lock = (
        "SELECT id FROM member WHERE tenant_id = $1 AND (id = $2 OR (role IN ('owner', 'operator') "
        f"AND status = 'active')) ORDER BY id{tx.for_update}"
    )
    await tx.rows(lock, tx.tenant_id, member_id)
    member = await _get(tx, member_id)
    check_manages(actor, member.role)
    if removes and member.role in {Role.OWNER, Role.OPERATOR} and member.status is MemberStatus.ACTIVE:
        others = await tx.value(
            "SELECT count(*) FROM member WHERE tenant_id = $1 AND id <> $2 AND role = $3 AND status = 'active'",
            tx.tenant_id,
            member_id,
            member.role,
        )
        if not others:
            raise LastOfRole("input.memberId", role=member.role)
    return member


async def get_manageable(tx: Tx, member_id: MemberId, actor: Actor) -> Member:
    """A member whom the actor may manage. Raises ``NotFound`` or ``Forbidden``."""
    member = await _get(tx, member_id)
    check_manages(actor, member.role)
    return member


async def check_manageable(tx: Tx, member_id: MemberId, actor: Actor) -> None:
    """Refuse whom the actor may not manage. Raises ``NotFound`` or ``Forbidden``."""
    await get_manageable(tx, member_id, actor)


def check_manages(actor: Actor, role: Role) -> None:
    """Refuse accounts of a role that the actor's does not manage. Raises ``Forbidden``."""
    if role not in MANAGES.get(actor.role, frozenset()):
        needed = ", ".join(manager for manager in MANAGES if role in MANAGES[manager] and manager is not Role.SYSTEM)
        raise Forbidden("input", role=actor.role, needed=needed)
