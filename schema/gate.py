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
from schema.limits import objections, unusable_text
from tenants import access_table
from tenants.errors import DocumentNotTrusted

DOORS = frozenset({"Mutation.logIn", "Query.apiPolicy", "Mutation.setApiPolicy", "Mutation.registerDocuments"})
"""What is open in a brand that takes registered operations only: the way to make it take others again."""


class Gate(SchemaExtension):
    """Parses, validates, checks access and size; adds ``extensions.cost`` to the answer.

    Subscriptions meet it as an extension, by its hooks; other operations directly (``schema.schema.Schema.execute``).
    """

    def on_parse(self) -> Iterator[None]:
        """Take the document from what is kept, or parse it for the first time."""
        self.parse()
        yield

    def on_validate(self) -> Iterator[None]:
        """Decide. The executor asks for errors before the second half of this hook, so that stands in the first."""
        self.execution_context.pre_execution_errors = self.decide()
        yield

    def parse(self) -> None:
        """Find the document. Raises ``GraphQLError``."""
        running = self.execution_context
        if running.query:
            running.graphql_document = document_of(running).parsed

    def decide(self) -> list[GraphQLError]:
        """Why the operation is not run: what is invalid about it, or else what this caller may not ask."""
        running = self.execution_context
        context: Context = running.context
        document = document_of(running)
        errors = document.validated(running)
        known = None if errors else document.known(running.schema._schema, running.operation_name)
        if context.only_trusted and (known is None or not DOORS.issuperset(_roots(known))):
            errors = [GraphQLError("Not registered.", original_error=DocumentNotTrusted())]
        elif known is not None:
            errors = self._refused(known)
        return errors

    def _refused(self, known: Known) -> list[GraphQLError]:
        context: Context = self.execution_context.context
        variables = self.execution_context.variables or {}
        operation = known.operation
        context.told.asks(
            operation.operation.value, known.coordinates, operation.name.value if operation.name else None
        )
        if known.introspects and not context.explores:
            return [GraphQLError("Log in to read the schema.", extensions={"code": "UNAUTHENTICATED"})]
        if refused := known.refused(context.actor):
            return [_forbidden(context, coordinate) for coordinate in refused]
        must_enrol = context.actor is not None and context.actor.must_enrol
        if must_enrol and any(access_table.waits_for_enrolment(context.actor, c) for c in known.coordinates):
            message = "The brand asks your role for a second factor. Set it up first: beginSecondFactor."
            return [GraphQLError(message, extensions={"code": "SECOND_FACTOR_REQUIRED"})]
        if known.unusable or unusable_text(variables.values()):
            return [GraphQLError("Text holds NUL or half a character; remove it.", extensions={"code": "BAD_REQUEST"})]
        if known.operation.operation is OperationType.SUBSCRIPTION and not context.streams:
            message = "Follow this over WebSocket (graphql-transport-ws) or with Accept: text/event-stream."
            return [GraphQLError(message, extensions={"code": "BAD_REQUEST"})]
        size = known.size(variables)
        context.cost = context.told.cost = size.cost
        return objections(size, context.cost_most)

    def get_results(self) -> dict[str, Any]:
        """What the operation cost, and what one may."""
        context: Context = self.execution_context.context
        return {"cost": {"requested": context.cost, "allowed": context.cost_most}}


def _roots(known: Known) -> list[str]:
    """The fields of the root that an operation touches."""
    return [one for one in known.coordinates if one.startswith(("Query.", "Mutation.", "Subscription."))]


def _forbidden(context: Context, coordinate: str) -> GraphQLError:
    if context.actor is None:
        return GraphQLError(f"Log in to use {coordinate}.", extensions={"code": "UNAUTHENTICATED"})
    return GraphQLError(
        f"The role {context.actor.role} may not use {coordinate}.",
        extensions={"code": "FORBIDDEN", "coordinate": coordinate},
    )
