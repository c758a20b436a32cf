"""What a webhook is told of an event: a selection of ``Event``, read as a role of the brand reads it.

The selection becomes the query ``{ event(id: …) … }``, so the same schema, access table and limits decide about it as
about any other operation: once when it is written down, and again whenever it is read.
"""

from collections.abc import Sequence

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)

from saas.base.errors import Said
from saas.base.scope import current_tenant
from saas.webhooks.errors import WebhookPayloadRefused
from schema.documents import Document
from schema.limits import objections
from tenants import access_table
from tenants.actors import Actor, Role
from tenants.api_policy import COST_MOST, asker_of

LONGEST = 4_000
"""Characters a selection may have."""


def check_payload(schema: GraphQLSchema, selection: str, role: Role, field: str) -> str:
    """A selection that this role may read, as it is kept. Raises ``WebhookPayloadRefused``."""
    if not 0 < len(selection) <= LONGEST:
        raise WebhookPayloadRefused(
            field, why=Said(f"it has 1 to {LONGEST} characters", f"长度须为 1 至 {LONGEST} 个字符")
        )
    try:
        document = Document(parse(query_of(selection)))
    except GraphQLError as wrong:
        raise _refused(field, [wrong]) from wrong
    except RecursionError as deep:
        raise WebhookPayloadRefused(field, why=Said("it is nested too deep", "嵌套过深")) from deep
    operations = [one for one in document.parsed.definitions if isinstance(one, OperationDefinitionNode)]
    fields = operations[0].selection_set.selections
    if len(document.parsed.definitions) > 1 or [isinstance(f, FieldNode) and f.name.value for f in fields] != ["event"]:
        raise WebhookPayloadRefused(field, why=Said("it is one selection in braces", "须为花括号内的一个字段选择"))
    if errors := validate(schema, document.parsed):
        raise _refused(field, errors)
    known, actor = document.known(schema, None), reader(role, "en")
    denied = [c for c in known.coordinates if not access_table.allowed(actor, c)]
    if denied:
        names = ", ".join(denied)
        raise WebhookPayloadRefused(
            field, why=Said(f"the role {role} may not read {names}", f"角色 {role} 不可读取 {names}")
        )
    if errors := objections(known.size({}), COST_MOST[asker_of(actor)]):
        raise _refused(field, errors)
    return selection


def query_of(selection: str) -> str:
    """The operation that reads a selection of one event."""
    return f"query Payload($id: ID!) {{ event(id: $id) {selection}\n}}"


def _refused(field: str, errors: Sequence[GraphQLError]) -> WebhookPayloadRefused:
    words = errors[0].message[:300].rstrip(".")
    return WebhookPayloadRefused(field, why=Said(words, words))


def reader(role: Role, locale: str) -> Actor:
    """Somebody of the brand with this role."""
    return Actor(tenant_id=current_tenant(), role=role, id=None, label="webhook", locale=locale)
