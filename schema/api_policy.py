"""What a brand says of its API, and the operations of its apps that it trusts."""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.limits import at_most_a_thousand
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.trusting import register
from tenants import api_policy, trusted
from tenants.api_policy import Asker, SetApiPolicy

described(
    "A kind of caller that has a budget.",
    name="ApiCaller",
    OPERATOR="An operator of the platform.",
    OWNER="An owner.",
    FINANCE="Somebody of finance.",
    OPERATIONS="Somebody of operations.",
    AUDITOR="An auditor.",
    DISTRIBUTOR="A distributor.",
    API_KEY="A shop system with a key.",
    ANONYMOUS="Somebody who is not logged in.",
)(Asker)


@strawberry.type(description="What an operation of a kind of caller may cost.")
class CostLimit:
    """A budget."""

    caller: Asker = strawberry.field(description="Whose operations.")
    most: int = strawberry.field(description="Fields an operation may resolve at most, page sizes multiplied.")


@strawberry.type(description="What the brand says of its API.")
class ApiPolicy:
    """The policy in force."""

    trusted_only: bool = strawberry.field(description="Whether only registered operations are taken.")
    origins: list[str] = strawberry.field(
        description="Origins whose pages may use the API, with the cookies of their visitors."
    )
    cost_limits: list[CostLimit] = strawberry.field(description="The budget of every kind of caller.")


def policy_for_api(found: api_policy.ApiPolicy) -> ApiPolicy:
    """A policy for the API."""
    return ApiPolicy(
        trusted_only=found.trusted_only,
        origins=list(found.origins),
        cost_limits=[CostLimit(caller=asker, most=found.cost_most(asker)) for asker in Asker],
    )


@strawberry.type(description="A registered operation.")
class TrustedDocument:
    """An operation of an app."""

    hash: str = strawberry.field(description="SHA-256 of the text as UTF-8, in hex: `persistedQuery.sha256Hash`.")
    app: str = strawberry.field(description="The app that sends it.")
    name: str = strawberry.field(description="What people call it.")
    text: str = strawberry.field(description="The operation.")
    registered_at: datetime = strawberry.field(description="When it was first registered.")


def _document(found: trusted.TrustedDocument) -> TrustedDocument:
    return TrustedDocument(
        hash=found.hash, app=found.app, name=found.name, text=found.body, registered_at=found.registered_at
    )


@strawberry.input(description="A budget to lower, or to set back by the most there is.")
class CostLimitInput:
    """A budget."""

    caller: Asker = strawberry.field(description="Whose operations.")
    most: int = strawberry.field(description="What one may cost; never more than the installation allows.")


@strawberry.input(description="What the brand shall say of its API; what is left out stays as it is.")
class ApiPolicyInput:
    """The policy to be."""

    trusted_only: bool | None = strawberry.field(
        default=None, description="Take registered operations only. The way back is always open: `setApiPolicy`."
    )
    origins: list[str] | None = strawberry.field(
        default=None, description="All origins whose pages may use the API, such as `https://app.lotus.example`."
    )
    cost_limits: list[CostLimitInput] | None = strawberry.field(
        default=None, description="All budgets that are lower than the installation's."
    )


@strawberry.input(description="An operation to register.")
class DocumentInput:
    """An operation."""

    name: str = strawberry.field(description="What people call it.")
    text: str = strawberry.field(description="The operation with its fragments, exactly as the app was built with.")


@strawberry.input(description="The operations of an app.")
class RegisterDocumentsInput:
    """Operations to trust."""

    app: str = strawberry.field(description="The app that sends them, with its version when wished.")
    documents: list[DocumentInput] = strawberry.field(description="The operations, up to 1,000.")


@strawberry.input(description="Operations to trust no more.")
class EndDocumentsInput:
    """Operations by hash."""

    hashes: list[str] = strawberry.field(description="Their hashes, up to 1,000.")


@strawberry.type(description="The policy as it is now.")
class ApiPolicyPayload(Payload):
    """Answer of ``setApiPolicy``."""

    policy: ApiPolicy | None = strawberry.field(default=None, description="The policy; none when refused.")


@strawberry.type(description="What is registered now.")
class RegisterDocumentsPayload(Payload):
    """Answer of ``registerDocuments``."""

    documents: list[TrustedDocument] = strawberry.field(
        default_factory=list, description="The operations given, as registered."
    )


@strawberry.type(description="What is trusted no more.")
class EndDocumentsPayload(Payload):
    """Answer of ``endDocuments``."""

    ended: list[str] = strawberry.field(
        default_factory=list, description="The hashes that were trusted until now; others change nothing."
    )


@strawberry.type
class ApiPolicyQuery:
    """Reads of the policy."""

    @strawberry.field(description="What the brand says of its API.")
    async def api_policy(self) -> ApiPolicy:
        """The policy."""
        return policy_for_api(await api_policy.this_policy())

    @strawberry.field(description="The operations that the brand has registered, by their hash.")
    async def trusted_documents(
        self,
        app: Annotated[str | None, strawberry.argument(description="Of one app only.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[TrustedDocument]:
        """A page of them."""
        return connection(await trusted.documents(request(first, after), app), _document, after)


@strawberry.type
class ApiPolicyMutation:
    """Writes of the policy."""

    @strawberry.mutation(description="Say what the API of the brand takes, and from whom. Needs a fresh log-in.")
    @refusals(ApiPolicyPayload)
    async def set_api_policy(self, info: Info, input: In[ApiPolicyInput]) -> ApiPolicyPayload:
        """Set it."""
        costs = None if input.cost_limits is None else {one.caller: one.most for one in input.cost_limits}
        change = SetApiPolicy(trusted_only=input.trusted_only, origins=input.origins, costs=costs)
        return ApiPolicyPayload(policy=policy_for_api(await api_policy.set_policy(change, info.context.who)))

    @strawberry.mutation(description="Register operations of an app, all or none, so that it can send their hashes.")
    @refusals(RegisterDocumentsPayload)
    async def register_documents(self, info: Info, input: In[RegisterDocumentsInput]) -> RegisterDocumentsPayload:
        """Register them."""
        given = [trusted.Document(name=one.name, text=one.text) for one in input.documents]
        found = await register(info.schema._schema, input.app, given, info.context.who)
        return RegisterDocumentsPayload(documents=[_document(one) for one in found])

    @strawberry.mutation(description="Trust operations no more.")
    @refusals(EndDocumentsPayload)
    async def end_documents(self, info: Info, input: In[EndDocumentsInput]) -> EndDocumentsPayload:
        """End them."""
        at_most_a_thousand(input.hashes, "input.hashes")
        return EndDocumentsPayload(ended=list(await trusted.end(input.hashes, info.context.who)))
