"""A brand begins with a program that comes with the product, in its own currency and under its own name."""

from saas.base.errors import InvalidInput, Said
from tenants import registry
from tenants.actors import Actor
from tenants.errors import ProgramHasErrors
from tenants.program.document import Program
from tenants.program.lifecycle import SaveDraft, activate, save_draft
from tenants.program.parse import as_data
from tenants.program.presets import PRESETS, preset
from tenants.program.review import Reviewed
from tenants.registry import Brand, CreateTenant

NAME_LONGEST = 60
"""Letters of a brand's name that go into the name of its first program."""


async def create_brand(command: CreateTenant, actor: Actor, *, preset_name: str | None) -> Brand:
    """Make a brand and its owner, and put a preset in force in it, all in one transaction.

    Raises what ``registry.create_tenant`` does, ``InvalidInput`` for an unknown preset, ``ProgramHasErrors`` for one
    that today's checks object to.
    """
    if preset_name is None:
        return await registry.create_tenant(command, actor)
    chosen = _chosen(preset_name, "input.preset")

    async def furnish(brand: Brand) -> None:
        saved = await save_draft(SaveDraft(document=as_data(adapted(chosen, brand)), label=preset_name), actor)
        try:
            await activate(saved.version.number, actor)
        except ProgramHasErrors as refused:
            raise ProgramHasErrors("input.preset", **refused.params) from refused

    return await registry.create_tenant(command, actor, furnish=furnish)


async def start_from_preset(name: str, label: str, actor: Actor) -> Reviewed:
    """Save a preset as a draft of the brand of the active scope. Raises ``InvalidInput`` for an unknown one."""
    document = adapted(_chosen(name, "input.name"), await registry.this_brand())
    return await save_draft(SaveDraft(document=as_data(document), label=label or name), actor)


def adapted(program: Program, brand: Brand) -> Program:
    """The program under the brand's name and in its currency. Amounts stay what they are in minor units."""
    name = "".join(letter for letter in brand.name if letter.isprintable()).strip()[:NAME_LONGEST].strip()
    names = program.name.model_copy(update={"zh": f"{name} · {program.name.zh}", "en": f"{name} · {program.name.en}"})
    return program.model_copy(update={"currency": brand.currency, "name": names if name else program.name})


def _chosen(name: str, field: str) -> Program:
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise InvalidInput(field, value=name[:60], remedy=Said(f"use one of {known}", f"请使用以下之一：{known}"))
    return preset(name)
