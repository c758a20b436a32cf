"""What a brand says of its API: whose pages may use it, which operations it takes, how much callers may ask at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from saas.base.db import transaction
from saas.base.errors import InvalidInput, Said
from saas.base.settings import Environment, get_settings
from tenants import audit, registry
from tenants.actors import Actor, Role, check_fresh
from tenants.errors import NothingTrusted
from tenants.registry import Brand

ORIGINS_MOST = 20
COST_LEAST = 50
"""No budget is lower, so that the policy itself can always be read and changed."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(rf"https://({_LABEL}\.)*{_LABEL}(:[0-9]{{1,5}})?", re.ASCII)
_ON_THIS_MACHINE = re.compile(r"http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?", re.ASCII)


class Asker(StrEnum):
    """A kind of caller that has a budget: a role, a key, or somebody who is not logged in."""

    OPERATOR = "operator"
    OWNER = "owner"
    FINANCE = "finance"
    OPERATIONS = "operations"
    AUDITOR = "auditor"
    DISTRIBUTOR = "distributor"
    API_KEY = "api_key"
    ANONYMOUS = "anonymous"


COST_MOST: Final[Mapping[Asker, int]] = {
    Asker.OPERATOR: 20_000,
    Asker.OWNER: 20_000,
    Asker.FINANCE: 20_000,
    Asker.OPERATIONS: 20_000,
    Asker.AUDITOR: 20_000,
    Asker.DISTRIBUTOR: 10_000,
    Asker.API_KEY: 20_000,
    Asker.ANONYMOUS: 500,
}
"""Fields an operation may resolve at most, page sizes multiplied. A brand may lower it, never raise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPolicy:
    """The policy in force. ``costs`` are what the brand lowered, the others are as ``COST_MOST`` says."""

    trusted_only: bool
    origins: Sequence[str]
    costs: Mapping[Asker, int]

    def cost_most(self, asker: Asker) -> int:
        """What an operation of such a caller may cost here."""
        return self.costs.get(asker, COST_MOST[asker])


@dataclass(frozen=True, slots=True, kw_only=True)
class SetApiPolicy:
    """What shall be otherwise; None leaves a part as it is. ``costs`` and ``origins`` replace all there were."""

    trusted_only: bool | None = None
    origins: Sequence[str] | None = None
    costs: Mapping[Asker, int] | None = None


def asker_of(actor: Actor | None) -> Asker:
    """The budget that counts for somebody. The program itself never asks over the API."""
    if actor is None or actor.role is Role.SYSTEM:
        return Asker.ANONYMOUS
    return Asker(actor.role.value)


def policy_of(brand: Brand) -> ApiPolicy:
    """The policy of a brand, from what is written down."""
    return _read(brand.trusted_only, brand.origins, brand.cost_limits)


@lru_cache(maxsize=1024)
def _read(trusted_only: bool, origins: str, cost_limits: str) -> ApiPolicy:
    parts = (one.partition("=") for one in cost_limits.split())
    costs = {Asker(asker): int(most) for asker, _, most in parts}
    return ApiPolicy(trusted_only=trusted_only, origins=tuple(origins.split()), costs=costs)


async def this_policy() -> ApiPolicy:
    """The policy of the active scope's brand; a change made by another process is seen within seconds."""
    return policy_of(await registry.this_brand())


async def set_policy(change: SetApiPolicy, actor: Actor) -> ApiPolicy:
    """Change the brand's policy and answer what is in force now.

    Raises ``LoginNotFresh``, ``InvalidInput``, or ``NothingTrusted`` where everything would be refused.
    """
    check_fresh(actor)
    origins = None if change.origins is None else _checked(change.origins)
    _check_costs(change.costs or {})
    async with transaction() as tx:
        if change.trusted_only:
            known = "SELECT 1 FROM trusted_document WHERE tenant_id = $1 AND ended_at IS NULL LIMIT 1"
            if await tx.value(known, tx.tenant_id) is None:
                raise NothingTrusted("input.trustedOnly")
        parts = {
            "trusted_only": change.trusted_only,
            "origins": None if origins is None else " ".join(origins),
            "cost_limits": None if change.costs is None else _written(change.costs),
        }
        for column, value in parts.items():
            if value is not None:
                await tx.execute(f"UPDATE tenant SET {column} = $2 WHERE id = $1", tx.tenant_id, value)
        told = {column: value for column, value in parts.items() if value is not None}
        await audit.record(actor, "tenant.api_policy", str(tx.tenant_id), **told)
        tx.after_commit(registry.forget)
        row = await tx.row("SELECT trusted_only, origins, cost_limits FROM tenant WHERE id = $1", tx.tenant_id)
    return _read(**(row or {}))


def _written(costs: Mapping[Asker, int]) -> str:
    return " ".join(f"{asker}={most}" for asker, most in sorted(costs.items()))


def _check_costs(costs: Mapping[Asker, int]) -> None:
    for asker, most in costs.items():
        if not COST_LEAST <= most <= COST_MOST[asker]:
            least, most_of = COST_LEAST, COST_MOST[asker]
            remedy = Said(f"give {least} to {most_of} for {asker}", f"{asker} 请填写 {least} 至 {most_of}")
            raise InvalidInput("input.costLimits", value=most, remedy=remedy)


def _checked(origins: Sequence[str]) -> Sequence[str]:
    """The origins as browsers write them, each once."""
    found = list(dict.fromkeys(origin.strip().lower() for origin in origins))
    if len(found) > ORIGINS_MOST:
        remedy = Said(f"give at most {ORIGINS_MOST}", f"最多 {ORIGINS_MOST} 个")
        raise InvalidInput("input.origins", value=len(found), remedy=remedy)
    developing = get_settings().environment is Environment.DEVELOPMENT
    for number, origin in enumerate(found):
        if not _ORIGIN.fullmatch(origin) and not (developing and _ON_THIS_MACHINE.fullmatch(origin)):
            remedy = Said(
                "give scheme and host without a path, e.g. https://app.lotus.example",
                "请填写不含路径的协议和主机名，例如 https://app.lotus.example",
            )
            raise InvalidInput(f"input.origins[{number}]", value=origin[:100], remedy=remedy)
    return found
