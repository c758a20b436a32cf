"""Finding a person in every brand, for operators of the platform; each brand sees that it was done, and why."""

import strawberry

from saas.network.lookup import Found, look_up
from saas.network.rules import Status
from schema.context import Info
from schema.errors import In, Payload, refusals
from schema.ids import to_global
from schema.numbers import Number


@strawberry.input(description="A number to look for in every brand.")
class LookUpPersonInput:
    """A number in clear, which is not kept, and the reason."""

    kind: Number = strawberry.field(description="Which number it is.")
    number: str = strawberry.field(description="The number; it is not kept.")
    reason: str = strawberry.field(description="Why; it stands in every brand's audit log.")


@strawberry.type(description="A person in a brand, as far as an operator is told.")
class PersonFound:
    """Where somebody is known."""

    brand: str = strawberry.field(description="The brand's slug.")
    distributor_id: strawberry.ID = strawberry.field(description="The distributor, as that brand knows it.")
    code: str = strawberry.field(description="Its code in that brand.")
    name_masked: str = strawberry.field(description="The first character of its name.")
    status: Status = strawberry.field(description="Where it is in its life with the brand.")


@strawberry.type(description="Where a number was found.")
class LookUpPersonPayload(Payload):
    """Answer of ``lookUpPerson``."""

    people: list[PersonFound] = strawberry.field(default_factory=list, description="Everybody who has the number.")
    brands_asked: int = strawberry.field(default=0, description="How many brands were asked, suspended ones too.")


@strawberry.type
class LookUpMutation:
    """A mutation, since it writes lines of audit logs."""

    @strawberry.mutation(
        description="Find a person by a number in every brand. Each brand's audit log keeps the operator and the "
        "reason. Needs a fresh log-in."
    )
    @refusals(LookUpPersonPayload)
    async def look_up_person(self, info: Info, input: In[LookUpPersonInput]) -> LookUpPersonPayload:
        """Look for it."""
        found, asked = await look_up(input.kind, input.number, input.reason, info.context.who)
        return LookUpPersonPayload(people=[_person(one) for one in found], brands_asked=asked)


def _person(found: Found) -> PersonFound:
    return PersonFound(
        brand=found.brand,
        distributor_id=to_global("Distributor", found.id),
        code=found.code,
        name_masked=found.name_masked,
        status=found.status,
    )
