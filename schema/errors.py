"""Refusals as data: one mapping from domain errors to ``userErrors`` for every mutation, and to errors for queries."""

import enum
import functools
import pkgutil
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Annotated, Any, ParamSpec, TypeVar, cast

import strawberry

import saas
import tenants
from saas.base.errors import DomainError, Rejected
from schema.context import Info
from schema.ids import shown

P = ParamSpec("P")
T = TypeVar("T")
In = Annotated[T, strawberry.argument(description="What to do.")]
"""The one argument of a mutation."""


def _load_every_error() -> None:
    """Import the ``errors`` module of every feature, so that the enum holds every code there is."""
    for package in (saas, tenants):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith(".errors"):
                import_module(found.name)


_load_every_error()


def _codes() -> Any:
    members = {
        code: strawberry.enum_value(code, description=" ".join((error.__doc__ or "").split("\n\n")[0].split()))
        for code, error in sorted(DomainError.registry.items())
    }
    return strawberry.enum(
        enum.Enum("ErrorCode", members),  # type: ignore[call-overload]  # made from the registry: one truth
        description="Why something was refused. Codes are stable; messages are for people.",
    )


ErrorCode: Any = _codes()


@strawberry.type(description="One refusal of a mutation.")
class UserError:
    """What was refused, where, and what to do."""

    code: str = strawberry.field(graphql_type=ErrorCode, description="Stable code, for programs.")
    field: str | None = strawberry.field(description="Path of the input at fault, such as `input.lines[0].sku`.")
    message: str = strawberry.field(description="What to do, in the caller's language.")


@strawberry.type(description="What every mutation answers besides its object.")
class Payload:
    """Base of the payloads; empty ``userErrors`` mean that it was done."""

    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty when it was done."
    )


def message_of(error: DomainError, locale: str) -> str:
    """The sentence for a caller, with ids as callers know them."""
    if "kind" in error.params and "value" in error.params:
        error.params["value"] = shown(str(error.params["kind"]), error.params["value"])
    return error.message(locale)


def user_errors(errors: Sequence[DomainError], locale: str) -> list[UserError]:
    """Domain errors for the API."""
    return [
        UserError(code=ErrorCode[error.code], field=error.field, message=message_of(error, locale)) for error in errors
    ]


def refusals(payload: Callable[..., T]) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Wrap a mutation so that a domain error becomes its payload with ``userErrors`` and nothing else."""

    def wrap(resolver: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(resolver)
        async def resolve(*args: P.args, **kwargs: P.kwargs) -> T:
            info = cast(Info, kwargs["info"])
            info.context.forget()
            try:
                return await resolver(*args, **kwargs)
            except DomainError as refused:
                errors: Sequence[DomainError] = [refused]
            except Rejected as several:
                errors = several.errors
            info.context.told.codes += [error.code for error in errors]
            return payload(user_errors=user_errors(errors, info.context.locale))

        return resolve

    return wrap
