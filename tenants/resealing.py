"""A new key for what is sealed, brand by brand."""

from collections.abc import Callable

from saas.base.ids import PLATFORM
from saas.base.reseal import reseal
from tenants import registry
from tenants.actors import system
from tenants.crossing import across_tenants


async def reseal_brands(tell: Callable[[str], None]) -> None:
    """Seal everything of every brand with the present key, and tell each brand's count. Raises ``SealBroken``."""
    async with across_tenants(system(PLATFORM, "main.py reseal"), reason="a new key for sealed values") as brands:
        async for _ in brands:
            changed = await reseal()
            tell(f"{(await registry.this_brand()).slug}: {changed} sealed anew")
