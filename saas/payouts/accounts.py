"""A brand's accounts at providers: given by an owner, kept sealed, and never told again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from saas.base import clock
from saas.base.db import reading, transaction
from saas.base.errors import Said
from saas.base.ids import new_id
from saas.base.vault import seal, unseal
from saas.payouts.errors import ProviderAccountRefused, ProviderNotSetUp
from saas.payouts.providers import Account
from saas.payouts.queries import AccountView
from tenants import audit
from tenants.actors import Actor, Role, check_fresh
from tenants.errors import Forbidden

_Form = tuple[re.Pattern[str], Said]
_LINE: _Form = (
    re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,32}"),
    Said("write 1 to 32 visible characters", "请填写 1 至 32 个可见字符"),
)
_PEM: _Form = (
    re.compile(r"-----BEGIN [A-Z ]+-----.{100,5000}", re.DOTALL),
    Said("paste the PEM of an RSA key of 2048 bits or more", "请粘贴 2048 位以上 RSA 密钥的 PEM 内容"),
)
_FORMS: Mapping[str, Mapping[str, _Form]] = {
    "pain001": {
        "name": _LINE,
        "account": (
            re.compile(r"[A-Z0-9]{6,34}"),
            Said("write its 6 to 34 digits and letters", "请填写 6 至 34 位数字或字母"),
        ),
        "bic": (
            re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?"),
            Said("write the bank's BIC of 8 or 11 characters", "请填写银行的 8 或 11 位 BIC"),
        ),
    },
    "wechat_pay": {
        "mch_id": (re.compile(r"\d{8,12}", re.ASCII), Said("write the merchant's number", "请填写商户号")),
        "app_id": (re.compile(r"wx[a-z0-9]{6,30}"), Said("write the app's id, wx…", "请填写以 wx 开头的 AppID")),
        "serial": (re.compile(r"[0-9A-F]{16,64}"), Said("write the certificate's serial", "请填写证书序列号")),
        "private_key": _PEM,
        "platform_serial": (
            re.compile(r"[A-Z0-9_]{16,64}"),
            Said("write the key's id or serial", "请填写公钥 ID 或序列号"),
        ),
        "platform_key": _PEM,
        "api_v3_key": (
            re.compile(r"[!-~]{32}"),
            Said("write the APIv3 key of 32 characters", "请填写 32 位 APIv3 密钥"),
        ),
        "position": _LINE,
        "remark": _LINE,
    },
}
"""What an account has, and how it is written."""

_SHOWN = {"pain001": "account", "wechat_pay": "mch_id"}
"""The setting of which the screen shows the end."""

SMALLEST_KEY_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAccount:
    """An account at a provider with all its settings; it takes the place of the one before."""

    provider: str
    settings: Mapping[str, str] = field(repr=False)


async def set_account(command: SetAccount, actor: Actor) -> AccountView:
    """Put a brand's account at a provider in place.

    Raises ``Forbidden`` for anybody but an owner, ``LoginNotFresh`` or ``ProviderAccountRefused``.
    """
    if actor.role is not Role.OWNER or actor.id is None:
        raise Forbidden("input", role=actor.role, needed=Role.OWNER)
    check_fresh(actor)
    settings = {name: value.strip() for name, value in command.settings.items()}
    _check(command.provider, settings)
    masked, now = f"****{settings[_SHOWN[command.provider]][-4:]}", clock.now()
    async with transaction() as tx:
        before = await tx.row(
            "SELECT masked FROM provider_account WHERE tenant_id = $1 AND provider = $2", tx.tenant_id, command.provider
        )
        await tx.insert_many(
            "provider_account",
            ("id", "provider", "sealed", "masked", "set_by", "set_at"),
            [(new_id(), command.provider, "", masked, actor.id, now)],
            or_update="(tenant_id, provider) DO UPDATE SET masked = excluded.masked, set_by = excluded.set_by, "
            "set_at = excluded.set_at",
        )
        # The row is ours now, under the id it has had from the first; what is sealed is bound to that.
        row_id: UUID = await tx.value(
            "SELECT id FROM provider_account WHERE tenant_id = $1 AND provider = $2", tx.tenant_id, command.provider
        )
        await tx.execute(
            "UPDATE provider_account SET sealed = $3 WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            row_id,
            seal(orjson.dumps(settings).decode(), row_id),
        )
        await audit.record(actor, "provider_account.set", command.provider, **audit.change(before, {"masked": masked}))
    return AccountView(provider=command.provider, masked=masked, set_by=actor.id, set_at=now)


async def account_at(provider: str, field: str = "input.provider") -> Account:
    """The brand's account in clear, for the provider alone. Raises ``ProviderNotSetUp``."""
    async with reading() as tx:
        row = await tx.row(
            "SELECT id, sealed FROM provider_account WHERE tenant_id = $1 AND provider = $2", tx.tenant_id, provider
        )
    if row is None:
        raise ProviderNotSetUp(field, provider=provider)
    settings: Account = orjson.loads(unseal(row["sealed"], row["id"]))
    return settings


def _check(provider: str, settings: Mapping[str, str]) -> None:
    """Raises ``ProviderAccountRefused``."""
    for name, (form, remedy) in _FORMS[provider].items():
        if not form.fullmatch(settings.get(name, "")) or not _is_key(name, settings[name]):
            inner = "".join(part.title() if at else part for at, part in enumerate(name.split("_")))
            outer = "".join(part.title() if at else part for at, part in enumerate(provider.split("_")))
            raise ProviderAccountRefused(
                f"input.{outer}.{inner}", provider=provider, remedy=remedy.en, remedy_zh=remedy.zh
            )


def _is_key(name: str, text: str) -> bool:
    """Whether the setting, if it is a key, can be used as one."""
    try:
        if name == "private_key":
            key: object = load_pem_private_key(text.encode(), password=None)
        elif name == "platform_key":
            key = load_pem_public_key(text.encode())
        else:
            return True
    except (ValueError, TypeError):
        return False
    return isinstance(key, RSAPrivateKey | RSAPublicKey) and key.key_size >= SMALLEST_KEY_BITS
