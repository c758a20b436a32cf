"""A brand begins with a program that comes with the product, in its own currency and under its own name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from saas.base.errors import InvalidInput, Said
from tenants import links, registry
from tenants.accounts import Member
from tenants.actors import Actor
from tenants.errors import ProgramHasErrors
from tenants.links import Link
from tenants.program.document import Program
from tenants.program.lifecycle import SaveDraft, activate, save_draft
from tenants.program.parse import as_data
from tenants.program.presets import PRESETS, preset
from tenants.program.review import Reviewed
from tenants.registry import Brand, CreateTenant

DESCRIPTIONS: Mapping[str, Said] = {
    "agent_by_region": Said(
        "Agents by region: one or two for each city, a level table, and sales across regions shared with the agent "
        "whose region it is.",
        "区域代理：每个城市限一至两名代理，按层级分佣，跨区销售与当地代理分成。",
    ),
    "cedar": Said(
        "The demo brand Cedar: a tea house that pays two levels by referral, and a fixed amount for the tea cake.",
        "演示品牌“雪松”：茶业，两级推荐分佣，茶饼按件固定佣金。",
    ),
    "dealer_rebate": Said(
        "Dealers buy at their tier's price and get a rebate on what they sold in the period, higher the more it was.",
        "经销商返点：按级别进货价拿货，按周期业绩阶梯返点，业绩越高比例越高。",
    ),
    "lotus": Said(
        "The demo brand Lotus: cosmetics, three tiers, commission to the seller and two levels above.",
        "演示品牌“莲花”：美妆，三个级别，销售者及其上两级分佣。",
    ),
    "per_piece_volume": Said(
        "An amount for each piece, lifted for the pieces above a number in the month.",
        "按件计佣：每件固定金额，当月超过一定件数后，超出部分每件加奖。",
    ),
    "three_level_percent": Said(
        "The seller, its sponsor and the sponsor above each earn a percentage of what was paid.",
        "三级分佣：销售者、上级及上上级按实付货款的比例各得佣金。",
    ),
    "tier_differential": Said(
        "Rates by tier; everybody above earns the difference to the highest rate below, and a bonus for equal tiers.",
        "级差：按级别定比例，上级获得与下方最高比例之间的差额，另有平级奖。",
    ),
    "two_level_referral": Said(
        "Whoever referred the seller earns, and the one above a little; the network may grow without end.",
        "两级推荐：直接推荐人及其上级获得佣金，网络深度不限，佣金两级为止。",
    ),
}
"""How each preset pays, for whoever chooses one."""

NAME_LONGEST = 60
"""Letters of a brand's name that go into the name of its first program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A new brand, and the link of an owner who was invited."""

    brand: Brand
    owner_link: Link | None


async def create_brand(
    command: CreateTenant, actor: Actor, *, preset_name: str | None, invites_owner: bool = False
) -> Founded:
    """Make a brand and its owner, and put a preset in force in it, all in one transaction.

    An owner who is invited sets the password by the link; the one of ``command`` is not used.
    Raises what ``registry.create_tenant`` does, ``InvalidInput`` for an unknown preset, ``ProgramHasErrors`` for one
    that today's checks object to.
    """
    chosen = None if preset_name is None else (preset_name, _chosen(preset_name, "input.preset"))
    made: list[Link] = []

    async def furnish(brand: Brand, owner: Member) -> None:
        if invites_owner:
            made[:] = [await links.invited(owner, actor)]
        if chosen is None:
            return
        label, program = chosen
        saved = await save_draft(SaveDraft(document=as_data(adapted(program, brand)), label=label), actor)
        try:
            await activate(saved.version.number, actor)
        except ProgramHasErrors as refused:
            raise ProgramHasErrors("input.preset", **refused.params) from refused

    if invites_owner:
        command = replace(command, owner=links.unopened(command.owner))
    brand = await registry.create_tenant(command, actor, furnish=furnish)
    return Founded(brand=brand, owner_link=made[0] if made else None)


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
