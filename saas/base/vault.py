"""Secrets at rest: sealing with AES-256-GCM, and keyed hashes that find a value without keeping it.

Keys are derived per purpose (HKDF-SHA256), those that seal from ``SEALING_KEYS``, or from ``SECRET_KEY`` where there
are none. What is sealed names its key, and is bound to that key's id, its tenant and its row as associated data, so
that a value copied to another row does not open. To change the key, put a new one in front and seal everything anew
(``python main.py reseal``); the old one opens what is left until then.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from os import urandom
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from saas.base.scope import current_tenant
from saas.base.settings import FIRST_KEY, get_settings

_NONCE_BYTES = 12


class SealBroken(Exception):
    """The value was not sealed for this row under a key we have."""


@lru_cache(maxsize=16)
def _key(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())


def _derived(purpose: str) -> bytes:
    return _key(get_settings().secret_key.get_secret_value(), purpose)


def sealing_key() -> str:
    """The id of the key that seals."""
    return next(iter(_sealing_keys()))


def seal(plain: str, row: UUID) -> str:
    """Encrypt ``plain`` for one row of the active tenant. The result names its key: ``1.…``."""
    key_id, secret = next(iter(_sealing_keys().items()))
    nonce = urandom(_NONCE_BYTES)
    box = AESGCM(_key(secret, "seal")).encrypt(nonce, plain.encode(), _bound_to(row, key_id))
    return f"{key_id}.{urlsafe_b64encode(nonce + box).decode()}"


def unseal(sealed: str, row: UUID) -> str:
    """Decrypt what was sealed for this row under any key we have. Raises ``SealBroken`` otherwise."""
    key_id, _, box = sealed.partition(".")
    try:
        raw = urlsafe_b64decode(box)
        key = _key(_sealing_keys()[key_id], "seal")
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound_to(row, key_id)).decode()
    except (KeyError, ValueError, InvalidTag) as exc:
        raise SealBroken("this value was sealed for another row or under another key") from exc


def _sealing_keys() -> Mapping[str, str]:
    """Secrets by id; the first one seals."""
    settings = get_settings()
    return {**settings.sealing_secrets, FIRST_KEY: settings.secret_key.get_secret_value()}


def keyed_hash(purpose: str, value: str) -> str:
    """A hash that only this installation can make, different for every tenant and purpose."""
    key = _derived(f"hash:{purpose}:{current_tenant()}")
    return hmac.new(key, value.encode(), sha256).hexdigest()


def _bound_to(row: UUID, key_id: str) -> bytes:
    """What a sealed value is bound to. The first key's id is in none of its values, which are older than the others."""
    place = f"{current_tenant()}:{row}"
    return (place if key_id == FIRST_KEY else f"{key_id}:{place}").encode()
