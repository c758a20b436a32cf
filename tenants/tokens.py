"""Tokens: ``byn_<tenant>_<secret>`` of a session, ``bynk_…`` of an API key, ``bynl_…`` of a link to set a password.

The tenant's number (base 36) says whose rows to ask before anything was read; the secret is 256 random bits. Only the
SHA-256 of the whole token is stored: no one can guess so long a secret, so a slow hash would gain nothing.
"""

import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from saas.base.ids import TenantId

_SECRET_BYTES = 32
_SECRET_CHARS = 43
_SHOWN_CHARS = 6
_TENANT_MAX = 2**31 - 1
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(rf"(byn|bynk|bynl)_([0-9a-z]{{1,6}})_[A-Za-z0-9_-]{{{_SECRET_CHARS}}}")


class TokenKind(StrEnum):
    """What a token stands for, and how it begins."""

    SESSION = "byn"
    API_KEY = "bynk"
    LINK = "bynl"


@dataclass(frozen=True, slots=True)
class Token:
    """A token's kind, its tenant, and the hash it is stored under."""

    kind: TokenKind
    tenant_id: TenantId
    hash: str


def new_token(kind: TokenKind, tenant_id: TenantId) -> str:
    """A fresh token. It is shown to its holder once and never stored."""
    return f"{kind}_{_base36(tenant_id)}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def read_token(text: str) -> Token | None:
    """What a presented token claims, or none when it was not made by ``new_token``."""
    form = _FORM.fullmatch(text)
    if form is None or (number := int(form[2], 36)) > _TENANT_MAX:
        return None
    return Token(TokenKind(form[1]), TenantId(number), hash_of(text))


def hash_of(token: str) -> str:
    """What is stored in the token's place."""
    return sha256(token.encode()).hexdigest()


def shown_part(token: str) -> str:
    """The beginning of a token, enough for people to recognise it and for nobody to use it."""
    return token[: _SHOWN_CHARS - _SECRET_CHARS]


def _base36(number: int) -> str:
    text = ""
    while number or not text:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
