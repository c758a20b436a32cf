"""Secrets at rest: sealing with AES-256-GCM, and keyed hashes that find a value without keeping it.

Keys are derived per purpose from the installation's secret (HKDF-SHA256). What is sealed is bound to its tenant and
row as associated data, so that a value copied to another row does not open.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from os import urandom
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from saas.base.scope import current_tenant
from saas.base.settings import get_settings

KEY_ID = "1"
_NONCE_BYTES = 12


class SealBroken(Exception):
    """The value was not sealed for this row under a key we have."""


@lru_cache(maxsize=16)
def _key(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())


def _derived(purpose: str) -> bytes:
    return _key(get_settings().secret_key.get_secret_value(), purpose)


def seal(plain: str, row: UUID) -> str:
    """Encrypt ``plain`` for one row of the active tenant. The result names its key: ``1.…``."""
    nonce = urandom(_NONCE_BYTES)
    box = AESGCM(_derived("seal")).encrypt(nonce, plain.encode(), _bound_to(row))
    return f"{KEY_ID}.{urlsafe_b64encode(nonce + box).decode()}"


def unseal(sealed: str, row: UUID) -> str:
    """Decrypt what was sealed for this row. Raises ``SealBroken`` otherwise."""
    key_id, _, box = sealed.partition(".")
    try:
        raw = urlsafe_b64decode(box)
        if key_id != KEY_ID:
            raise ValueError(key_id)
        return AESGCM(_derived("seal")).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound_to(row)).decode()
    except (ValueError, InvalidTag) as exc:
        raise SealBroken("this value was sealed for another row or under another key") from exc


def keyed_hash(purpose: str, value: str) -> str:
    """A hash that only this installation can make, different for every tenant and purpose."""
    key = _derived(f"hash:{purpose}:{current_tenant()}")
    return hmac.new(key, value.encode(), sha256).hexdigest()


def _bound_to(row: UUID) -> bytes:
    return f"{current_tenant()}:{row}".encode()
