"""Links with which people set a password of their own: on invitation, or when they have forgotten theirs.

Whoever manages the account makes the link and passes it on; nobody but its reader learns the password. A link is good
once and for a while, and a newer one of the same account ends it.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from saas.base import clock
from saas.base.db import Tx, current_tx, reading, transaction
from saas.base.ids import MemberId, TenantId, new_id
from saas.base.scope import current_tenant, tenant_scope
from tenants import audit, passwords
from tenants.accounts import (
    CreateMember,
    Member,
    check_manages,
    check_new,
    end_links,
    end_sessions,
    get_manageable,
    insert_member,
)
from tenants.actors import Actor, Role
from tenants.errors import LinkNotValid
from tenants.tokens import TokenKind, hash_of, new_token, read_token

INVITATION_HOLDS = timedelta(days=7)
RESET_HOLDS = timedelta(hours=24)


class LinkKind(StrEnum):
    """What a link is for."""

    INVITATION = "invitation"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A new link: whose it is, its token, which is told this once, and until when it holds."""

    member: Member
    token: str
    expires_at: datetime


async def invite(command: CreateMember, actor: Actor) -> Link:
    """Make an account without a password that anybody knows, and the link to set one. ``command.password`` is not used.

    Raises as ``accounts.create_member``.
    """
    command = unopened(command)
    check_manages(actor, command.role)
    check_new(command, current_tenant())
    password_hash = await passwords.hashed(command.password)
    async with transaction():
        return await invited(await insert_member(command, password_hash, actor), actor)


def unopened(command: CreateMember) -> CreateMember:
    """The same account with a password that nobody knows: it can be entered by its link alone."""
    # parted by what no login has, so that it contains none
    return replace(command, password="~".join(secrets.token_urlsafe(48)))


async def invited(member: Member, actor: Actor) -> Link:
    """The first link of an account that was made just now, within the transaction that made it."""
    return await _new_link(current_tx(), member, LinkKind.INVITATION, actor)


async def link_again(member_id: MemberId, actor: Actor) -> Link:
    """A link for an account one manages, to set a new password; the present one holds until then.

    Raises ``NotFound`` or ``Forbidden``.
    """
    async with transaction() as tx:
        member = await get_manageable(tx, member_id, actor)
        return await _new_link(tx, member, LinkKind.RESET, actor)


async def follow(token: str, password: str, host_tenant: TenantId | None) -> MemberId:
    """Set the password of whoever the link was made for, and end that member's sessions; answers whose it was.

    Raises ``LinkNotValid``, also at another brand's site and for a brand that is suspended, or ``PasswordRefused`` or
    ``PasswordBroken``, after which the link still holds.
    """
    claimed = read_token(token)
    if claimed is None or claimed.kind is not TokenKind.LINK or host_tenant not in {None, claimed.tenant_id}:
        raise LinkNotValid("input.token")
    with tenant_scope(claimed.tenant_id):
        async with reading() as tx:
            # Looked at before anything is hashed, so that strangers cannot keep the threads of log-ins busy.
            found = await tx.row(
                "SELECT m.id, m.login FROM password_link l "
                "JOIN member m ON m.tenant_id = l.tenant_id AND m.id = l.member_id AND m.status = 'active' "
                "JOIN tenant t ON t.id = l.tenant_id AND t.status = 'active' "
                "WHERE l.tenant_id = $1 AND l.token_hash = $2 AND l.ended_at IS NULL AND l.expires_at > $3",
                tx.tenant_id,
                claimed.hash,
                clock.now(),
            )
        if found is None:
            raise LinkNotValid("input.token")
        passwords.check_policy(password, found["login"])
        password_hash = await passwords.hashed(password)
        async with transaction() as tx:
            await _set_password(tx, found["id"], claimed.hash, password_hash)
    return MemberId(found["id"])


async def _set_password(tx: Tx, member_id: MemberId, token_hash: str, password_hash: str) -> None:
    """Use the link up and write the password; the member is locked first, as by whoever makes a new link."""
    row = await tx.row(
        f"SELECT login, role FROM member WHERE tenant_id = $1 AND id = $2 AND status = 'active' "
        f"AND EXISTS (SELECT 1 FROM tenant t WHERE t.id = $1 AND t.status = 'active'){tx.for_update}",
        tx.tenant_id,
        member_id,
    )
    used = await tx.execute(
        "UPDATE password_link SET ended_at = $3 "
        "WHERE tenant_id = $1 AND token_hash = $2 AND ended_at IS NULL AND expires_at > $3",
        tx.tenant_id,
        token_hash,
        clock.now(),
    )
    if row is None or not used:
        raise LinkNotValid("input.token")
    await tx.execute(
        "UPDATE member SET password_hash = $3, password_changed_at = $4 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        member_id,
        password_hash,
        clock.now(),
    )
    await end_sessions(tx, member_id)
    actor = Actor(tenant_id=tx.tenant_id, role=Role(row["role"]), id=member_id, label=row["login"])
    await audit.record(actor, "member.set_password", str(member_id), by="link")


async def _new_link(tx: Tx, member: Member, kind: LinkKind, actor: Actor) -> Link:
    """Write a link; the member's row is locked, so that of two at once one ends the other."""
    now = clock.now()
    await tx.value(f"SELECT id FROM member WHERE tenant_id = $1 AND id = $2{tx.for_update}", tx.tenant_id, member.id)
    await end_links(tx, member.id)
    token = new_token(TokenKind.LINK, tx.tenant_id)
    expires_at = now + (INVITATION_HOLDS if kind is LinkKind.INVITATION else RESET_HOLDS)
    await tx.insert_many(
        "password_link",
        ("id", "member_id", "kind", "token_hash", "created_by", "created_at", "expires_at"),
        [(new_id(), member.id, kind, hash_of(token), actor.id, now, expires_at)],
    )
    await audit.record(actor, f"member.{kind}_link", str(member.id))
    return Link(member=member, token=token, expires_at=expires_at)
