"""The messages of webhooks, made by asking the API as a role of the brand would."""

from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from saas.base.errors import NotFound
from saas.base.ids import new_id
from saas.events import queries
from saas.events.audience import wanted_by
from schema.context import Context
from schema.failures import told
from schema.ids import to_global
from schema.observing import Told
from schema.payloads import query_of, reader
from schema.schema import schema
from tenants import registry
from tenants.actors import Actor, Role
from tenants.api_policy import COST_MOST, asker_of


async def render(selection: str, role: Role, event_id: UUID) -> bytes | None:
    """The message about an event: ``type``, ``timestamp`` and what was selected as ``data``; None when it is gone.

    Of a field that cannot be read the errors tell, as in any answer.
    """
    actor = reader(role, (await registry.this_brand()).locale)
    try:
        found = await queries.event(event_id, wanted_by(actor))
    except NotFound:
        return None
    context = context_of(actor)
    variables = {"id": to_global("Event", event_id)}
    result = await schema.execute(query_of(selection), variable_values=variables, context_value=context)
    errors = [told(error, locale=context.locale, request_id=context.request_id) for error in result.errors or ()]
    message = {"type": found.kind, "timestamp": found.at, "data": (result.data or {}).get("event")}
    if errors:
        message["errors"] = [error.formatted for error in errors]
    return orjson.dumps(message)


def context_of(actor: Actor) -> Context:
    """A request that nobody has sent."""
    return Context(
        request=Request({"type": "http", "method": "POST", "headers": [], "path": "/", "query_string": b""}),
        response=Response(),
        request_id=new_id().hex,
        host_tenant_id=actor.tenant_id,
        tenant_id=actor.tenant_id,
        actor=actor,
        token=None,
        locale=actor.locale,
        address="",
        told=Told(),
        cost_most=COST_MOST[asker_of(actor)],
    )
