"""What an answer says when an operation fails: typed refusals as they are, everything else masked and logged."""

import logging

from graphql import GraphQLError

from saas.base.errors import DomainError
from schema.errors import message_of

log = logging.getLogger("banyan.api")


def told(error: GraphQLError, *, locale: str, request_id: str, suggests: bool = True) -> GraphQLError:
    """Give an error its code; hide what was not meant for callers behind the request's id.

    An error without a path was found before anything ran: the request is at fault and may know why. Without
    ``suggests`` it is not told what it may have meant, which would spell the schema out.
    """
    cause = error.original_error
    if isinstance(cause, DomainError):
        return _with(error, message_of(cause, locale), code=cause.code, field=cause.field)
    if error.path is None or cause is None or isinstance(cause, GraphQLError):
        if "code" in (error.extensions or {}):
            return error
        message = error.message if suggests else error.message.partition(" Did you mean ")[0]
        return _with(error, message, code="BAD_REQUEST")
    log.error("request %s failed", request_id, exc_info=cause)
    message = f"Something went wrong on our side. Quote {request_id} when you ask about it."
    return _with(error, message, code="INTERNAL", requestId=request_id)


def _with(error: GraphQLError, message: str, **extensions: object) -> GraphQLError:
    return GraphQLError(message, error.nodes, error.source, error.positions, error.path, extensions=dict(extensions))
