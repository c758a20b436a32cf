"""A second factor: one-time codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

Begun by its owner with the password, in force once a first code was right. A code is good once, within half a minute of
the device's clock. Whether a role must have one is the brand's decision (``set_required_roles``).
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp

from saas.base import clock
from saas.base.db import ConstraintViolated, Row, Tx, reading, transaction
from saas.base.errors import InvalidInput, NotFound, Said
from saas.base.ids import MemberId, new_id
from saas.base.vault import keyed_hash, seal, unseal
from tenants import audit, registry
from tenants.accounts import STAFF, check_manageable, prove
from tenants.actors import Actor, Role, check_fresh
from tenants.errors import NoSecondFactor, SecondFactorExists, SecondFactorFailed
from tenants.throttle import attempt

STEP_SECONDS = 30
RECOVERY_CODES = 10
_GROUPS, _GROUP_CHARS = 3, 4
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without the characters that people take for one another."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What an authenticator app is given, as text and as the address that QR codes carry."""

    secret: str
    uri: str


async def begin(password: str, actor: Actor, address: str | None) -> Begun:
    """Make a secret for the actor's own app; it counts after ``confirm``. Doing it again replaces what was only begun.

    Raises ``LoginFailed`` or ``LoginThrottled`` for the password, or ``SecondFactorExists``.
    """
    member_id = (await prove(password, actor, address))[0].id
    brand = await registry.this_brand()
    secret = pyotp.random_base32()
    async with transaction() as tx:
        if (await _locked(tx, member_id))["second_factor_since"] is not None:
            raise SecondFactorExists("input")
        await tx.insert_many(
            "second_factor",
            ("id", "sealed", "last_step", "created_at"),
            [(member_id, seal(secret, member_id), 0, clock.now())],
            or_update="(tenant_id, id) DO UPDATE SET sealed = excluded.sealed, last_step = 0, "
            "created_at = excluded.created_at",
        )
        await audit.record(actor, "member.begin_second_factor", str(member_id))
    return Begun(secret, pyotp.TOTP(secret).provisioning_uri(name=actor.label, issuer_name=brand.name))


async def confirm(code: str, actor: Actor, address: str | None) -> Sequence[str]:
    """Put the begun second factor in force; answers its recovery codes, which are told this once.

    A wrong code counts like a failed log-in. Raises ``NoSecondFactor``, ``SecondFactorExists``, ``SecondFactorFailed``
    or ``LoginThrottled``.
    """
    member_id = MemberId(actor.id or new_id())
    counted = await attempt(actor.label, address)
    async with transaction() as tx:
        if (await _locked(tx, member_id))["second_factor_since"] is not None:
            raise SecondFactorExists("input")
        if not await _takes_code(tx, member_id, code):
            raise SecondFactorFailed("input.oneTimeCode")
        await tx.execute(
            "UPDATE member SET second_factor_since = $3 WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            member_id,
            clock.now(),
        )
        codes = await _new_recovery_codes(tx, member_id)
        await counted.forgive()
        await audit.record(actor, "member.add_second_factor", str(member_id))
    return codes


async def renew_recovery_codes(code: str, actor: Actor, address: str | None) -> Sequence[str]:
    """Ten new recovery codes in place of the old ones, for a code of the app.

    Raises ``NoSecondFactor``, ``SecondFactorFailed``, which counts like a failed log-in, or ``LoginThrottled``.
    """
    member_id = MemberId(actor.id or new_id())
    counted = await attempt(actor.label, address)
    async with transaction() as tx:
        if (await _locked(tx, member_id))["second_factor_since"] is None:
            raise NoSecondFactor("input")
        if not await _takes_code(tx, member_id, code):
            raise SecondFactorFailed("input.oneTimeCode")
        codes = await _new_recovery_codes(tx, member_id)
        await counted.forgive()
        await audit.record(actor, "member.renew_recovery_codes", str(member_id))
    return codes


async def remove(member_id: MemberId, actor: Actor) -> None:
    """Take away a second factor: one's own, or that of a member one manages who has lost it.

    Raises ``LoginNotFresh``, ``NoSecondFactor``, ``NotFound`` or ``Forbidden``.
    """
    check_fresh(actor)
    async with transaction() as tx:
        if member_id != actor.id:
            await check_manageable(tx, member_id, actor)
        if (await _locked(tx, member_id))["second_factor_since"] is None:
            raise NoSecondFactor("input.memberId")
        for statement in (
            "UPDATE member SET second_factor_since = NULL WHERE tenant_id = $1 AND id = $2",
            "DELETE FROM second_factor WHERE tenant_id = $1 AND id = $2",
            "DELETE FROM recovery_code WHERE tenant_id = $1 AND member_id = $2",
        ):
            await tx.execute(statement, tx.tenant_id, member_id)
        await audit.record(actor, "member.remove_second_factor", str(member_id))


async def accepted(tx: Tx, member_id: MemberId, code: str) -> bool:
    """Use up a code of the app or a recovery code, within the running transaction; false when it is neither."""
    return await _takes_code(tx, member_id, code) or await _takes_recovery_code(tx, member_id, code)


async def since(member_id: MemberId) -> datetime | None:
    """Since when a member has a second factor."""
    async with reading() as tx:
        found: datetime | None = await tx.value(
            "SELECT second_factor_since FROM member WHERE tenant_id = $1 AND id = $2", tx.tenant_id, member_id
        )
    return found


async def set_required_roles(roles: Collection[Role], actor: Actor) -> Sequence[Role]:
    """Say which roles of the brand, or of the platform, do nothing before they have a second factor.

    It holds from everybody's next request on. Raises ``LoginNotFresh`` or ``InvalidInput``.
    """
    check_fresh(actor)
    allowed = {Role.OPERATOR} if actor.role is Role.OPERATOR else {*STAFF, Role.DISTRIBUTOR}
    if strange := sorted(set(roles) - allowed):
        remedy = Said(f"use some of {', '.join(sorted(allowed))}", f"请使用以下角色：{', '.join(sorted(allowed))}")
        raise InvalidInput("input.secondFactorRoles", value=strange[0].value, remedy=remedy)
    wanted = sorted(set(roles))
    async with transaction() as tx:
        before = await required_roles()
        await tx.execute("UPDATE tenant SET second_factor_roles = $2 WHERE id = $1", tx.tenant_id, " ".join(wanted))
        await audit.record(
            actor, "tenant.second_factor_roles", str(tx.tenant_id), **audit.change({"roles": before}, {"roles": wanted})
        )
    return wanted


async def required_roles() -> Sequence[Role]:
    """The roles that must have a second factor."""
    async with reading() as tx:
        roles = await tx.value("SELECT second_factor_roles FROM tenant WHERE id = $1", tx.tenant_id)
    return [Role(role) for role in roles.split()]


async def _locked(tx: Tx, member_id: MemberId) -> Row:
    row = await tx.row(
        f"SELECT second_factor_since FROM member WHERE tenant_id = $1 AND id = $2{tx.for_update}",
        tx.tenant_id,
        member_id,
    )
    if row is None:
        raise NotFound("input.memberId", kind="member", value=str(member_id))
    return row


async def _takes_code(tx: Tx, member_id: MemberId, code: str) -> bool:
    """Whether an app's code is right and later than any that was taken. Raises ``NoSecondFactor``."""
    sealed = await tx.value(
        "SELECT sealed FROM second_factor WHERE tenant_id = $1 AND id = $2", tx.tenant_id, member_id
    )
    if sealed is None:
        raise NoSecondFactor("input")
    step = _step_of(unseal(sealed, member_id), _plain(code), clock.now())
    return step is not None and bool(
        await tx.execute(
            "UPDATE second_factor SET last_step = $3 WHERE tenant_id = $1 AND id = $2 AND last_step < $3",
            tx.tenant_id,
            member_id,
            step,
        )
    )


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Which step of the clock the code belongs to: this one, the one before or the one to come."""
    app, present = pyotp.TOTP(secret, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if secrets.compare_digest(app.generate_otp(step).encode(), code.encode()):
            return step
    return None


async def _takes_recovery_code(tx: Tx, member_id: MemberId, code: str) -> bool:
    return bool(
        await tx.execute(
            "UPDATE recovery_code SET used_at = $4 "
            "WHERE tenant_id = $1 AND member_id = $2 AND code_hash = $3 AND used_at IS NULL",
            tx.tenant_id,
            member_id,
            _recovery_hash(member_id, code),
            clock.now(),
        )
    )


async def _new_recovery_codes(tx: Tx, member_id: MemberId) -> Sequence[str]:
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    await tx.execute("DELETE FROM recovery_code WHERE tenant_id = $1 AND member_id = $2", tx.tenant_id, member_id)
    rows = [(new_id(), member_id, _recovery_hash(member_id, code)) for code in codes]
    if await tx.insert_many("recovery_code", ("id", "member_id", "code_hash"), rows) != RECOVERY_CODES:
        raise ConstraintViolated("recovery codes were not written")
    return codes


def _recovery_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS))
    return "-".join(groups)


def _recovery_hash(member_id: UUID, code: str) -> str:
    return keyed_hash(f"recovery:{member_id}", _plain(code).lower())


def _plain(code: str) -> str:
    """A code without what people write between its characters."""
    return "".join(code.split()).replace("-", "")[:32]
