"""Another version of the active brand's program, in one line."""

from typing import Any

from tenants.actors import Actor
from tenants.program import as_data
from tenants.program.versions import SaveDraft, activate, active_program, save_draft


async def draft_prices(actor: Actor, **changes: Any) -> int:
    """Save the program in force as a draft with parts of its price policy replaced; answers its number.

    ``products`` are replaced one by one, everything else as a whole.
    """
    data = as_data((await active_program()).program)
    prices = data["price_policy"]
    products = {**prices["products"], **changes.pop("products", {})}
    document = {**data, "price_policy": {**prices, **changes, "products": products}}
    return (await save_draft(SaveDraft(document=document), actor)).version.number


async def change_prices(actor: Actor, **changes: Any) -> None:
    """The same, in force at once."""
    await activate(await draft_prices(actor, **changes), actor)
