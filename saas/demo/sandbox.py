"""A brand to build a front-end against: made like the demo's, and made anew whenever its data are used up."""

from dataclasses import replace

from saas.base.ids import PLATFORM
from saas.base.settings import Environment, get_settings
from saas.demo import LOTUS, Login, logins_of, make_brand
from saas.demo.errors import NotInProduction
from tenants import registry
from tenants.actors import system

SANDBOX = replace(LOTUS, slug="sandbox", name="Sandbox", program=LOTUS.slug)


async def reset() -> list[Login]:
    """Make the sandbox with the data of its first day, and answer its log-ins, which are always the same.

    The one there was is put aside, not emptied: a ledger is never taken back. Raises ``NotInProduction``.
    """
    if get_settings().environment is Environment.PRODUCTION:
        raise NotInProduction
    await registry.put_aside(SANDBOX.slug, system(PLATFORM, "sandbox"))
    await make_brand(SANDBOX)
    return list(logins_of(SANDBOX))
