"""The gate before every operation: who may ask for which fields, and how much an operation may be.

Both are decided on the validated document before anything runs, at every request. The coordinates an operation touches
are kept with its document (``schema.documents``); the role is looked up in the one access table
(``tenants.access_table``).
"""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError, OperationType
from strawberry.extensions import SchemaExtension

from schema.context import Context
from schema.documents import Known, document_of
from schema.limits import objections, size_of, unusable_text
from tenants import access_table


class Gate(SchemaExtension):
    """Validates, checks access and size; adds ``extensions.cost`` to the answer."""

    def on_validate(self) -> Iterator[None]:
        """Refuse what the caller may not ask, once the document was found valid.

        The executor asks for errors before the second half of this hook, so the decision stands in the first half.
        """
        running = self.execution_context
        document = document_of(running)
        running.pre_execution_errors = document.validated(running)
        if not running.pre_execution_errors:
            known = document.known(running.schema._schema, running.operation_name)
            running.pre_execution_errors = self._refused(known)
        yield

    def _refused(self, known: Known) -> list[GraphQLError]:
        context: Context = self.execution_context.context
        variables = self.execution_context.variables or {}
        refused = [c for c in known.coordinates if not access_table.allowed(context.actor, c)]
        if refused:
            return [_forbidden(context, coordinate) for coordinate in refused]
        if any(access_table.waits_for_enrolment(context.actor, c) for c in known.coordinates):
            message = "The brand asks your role for a second factor. Set it up first: beginSecondFactor."
            return [GraphQLError(message, extensions={"code": "SECOND_FACTOR_REQUIRED"})]
        if unusable_text([*known.texts, *variables.values()]):
            return [GraphQLError("Text holds NUL or half a character; remove it.", extensions={"code": "BAD_REQUEST"})]
        if known.operation.operation is OperationType.SUBSCRIPTION and not context.streams:
            message = "Follow this over WebSocket (graphql-transport-ws) or with Accept: text/event-stream."
            return [GraphQLError(message, extensions={"code": "BAD_REQUEST"})]
        size = size_of(known.operation, known.document, variables)
        context.cost = size.cost
        return objections(size)

    def get_results(self) -> dict[str, Any]:
        """What the operation cost."""
        return {"cost": self.execution_context.context.cost}


def _forbidden(context: Context, coordinate: str) -> GraphQLError:
    if context.actor is None:
        return GraphQLError(f"Log in to use {coordinate}.", extensions={"code": "UNAUTHENTICATED"})
    return GraphQLError(
        f"The role {context.actor.role} may not use {coordinate}.",
        extensions={"code": "FORBIDDEN", "coordinate": coordinate},
    )
