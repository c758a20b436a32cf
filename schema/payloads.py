"""What a webhook is told of an event: a selection of ``Event``, read as a role of the brand reads it.

The selection becomes the query ``{ event(id: …) … }``, so the same schema, access table and limits decide about it as
about any other operation: once when it is written down, and again whenever it is read.
"""

from collections.abc import Sequence
from uuid import UUID

import orjson
from graphql import (
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    parse,
    validate,
)
from starlette.requests import Request
from starlette.responses import Response

from saas.base.errors import NotFound, Said
from saas.base.ids import new_id
from saas.base.scope import current_tenant
from saas.events import queries
from saas.events.rules import wanted_by
from saas.webhooks.errors import WebhookPayloadRefused
from schema.context import Context
from schema.documents import Document
from schema.failures import told
from schema.ids import to_global
from schema.limits import objections, size_of, unusable_text
from schema.schema import schema
from tenants import access_table, registry
from tenants.actors import Actor, Role

LONGEST = 4_000
"""Characters a selection may have."""


def check_payload(selection: str, role: Role, field: str) -> str:
    """A selection that this role may read, as it is kept. Raises ``WebhookPayloadRefused``."""
    if not 0 < len(selection) <= LONGEST:
        raise WebhookPayloadRefused(
            field, why=Said(f"it has 1 to {LONGEST} characters", f"长度须为 1 至 {LONGEST} 个字符")
        )
    try:
        document = Document(parse(_query(selection)))
    except GraphQLError as wrong:
        raise _refused(field, [wrong]) from wrong
    operations = [one for one in document.parsed.definitions if isinstance(one, OperationDefinitionNode)]
    fields = operations[0].selection_set.selections
    if len(document.parsed.definitions) > 1 or [isinstance(f, FieldNode) and f.name.value for f in fields] != ["event"]:
        raise WebhookPayloadRefused(field, why=Said("it is one selection in braces", "须为花括号内的一个字段选择"))
    if errors := validate(schema._schema, document.parsed):
        raise _refused(field, errors)
    known, actor = document.known(schema._schema, None), _reader(role, "en")
    denied = [c for c in known.coordinates if not access_table.allowed(actor, c)]
    if denied:
        names = ", ".join(denied)
        raise WebhookPayloadRefused(
            field, why=Said(f"the role {role} may not read {names}", f"角色 {role} 不可读取 {names}")
        )
    if errors := objections(size_of(known.operation, known.document, {})):
        raise _refused(field, errors)
    if unusable_text([selection]):
        raise WebhookPayloadRefused(field, why=Said("it holds unusable characters", "包含不可用的字符"))
    return selection


async def render(selection: str, role: Role, event_id: UUID) -> bytes | None:
    """The message about an event: ``type``, ``timestamp`` and what was selected as ``data``; None when it is gone.

    Of a field that cannot be read the errors tell, as in any answer.
    """
    actor = _reader(role, (await registry.this_brand()).locale)
    try:
        found = await queries.event(event_id, wanted_by(actor))
    except NotFound:
        return None
    context = _context(actor)
    variables = {"id": to_global("Event", event_id)}
    result = await schema.execute(_query(selection), variable_values=variables, context_value=context)
    errors = [told(error, locale=context.locale, request_id=context.request_id) for error in result.errors or ()]
    message = {"type": found.kind, "timestamp": found.at, "data": (result.data or {}).get("event")}
    if errors:
        message["errors"] = [error.formatted for error in errors]
    return orjson.dumps(message)


def _query(selection: str) -> str:
    return f"query Payload($id: ID!) {{ event(id: $id) {selection}\n}}"


def _refused(field: str, errors: Sequence[GraphQLError]) -> WebhookPayloadRefused:
    words = errors[0].message[:300].rstrip(".")
    return WebhookPayloadRefused(field, why=Said(words, words))


def _reader(role: Role, locale: str) -> Actor:
    return Actor(tenant_id=current_tenant(), role=role, id=None, label="webhook", locale=locale)


def _context(actor: Actor) -> Context:
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
    )
