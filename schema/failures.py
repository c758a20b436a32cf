"""What an answer says when an operation fails: typed refusals as they are, everything else masked and logged."""

import logging
from collections.abc import Iterator

from graphql import ExecutionResult, GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionResult as StrawberryExecutionResult

from saas.base.errors import DomainError
from schema.context import Context

log = logging.getLogger("banyan.api")


class Failures(SchemaExtension):
    """Gives every error a code; hides what was not meant for callers behind the request's id."""

    def on_operation(self) -> Iterator[None]:
        """Let the operation run, then go over its errors."""
        yield
        result = self.execution_context.result
        if isinstance(result, ExecutionResult | StrawberryExecutionResult) and result.errors:
            context: Context = self.execution_context.context
            result.errors = [_told(error, context) for error in result.errors]


def _told(error: GraphQLError, context: Context) -> GraphQLError:
    cause = error.original_error
    if isinstance(cause, DomainError):
        return GraphQLError(
            cause.message(context.locale),
            nodes=error.nodes,
            path=error.path,
            extensions={"code": cause.code, "field": cause.field},
        )
    if cause is None or isinstance(cause, GraphQLError):
        if error.extensions is None or "code" not in error.extensions:
            error.extensions = {**(error.extensions or {}), "code": "BAD_REQUEST"}
        return error
    log.error("request %s failed", context.request_id, exc_info=cause)
    return GraphQLError(
        f"Something went wrong on our side. Quote {context.request_id} when you ask about it.",
        nodes=error.nodes,
        path=error.path,
        extensions={"code": "INTERNAL", "requestId": context.request_id},
    )
