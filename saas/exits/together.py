"""Many exits approved or executed at once, each by itself: one refused keeps no other from it (docs/rules.md §7)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from saas.base.db import transaction
from saas.base.errors import DomainError, InvalidInput, Rejected, Said
from saas.base.idempotency import claim
from saas.base.ids import ExitId, new_id
from saas.exits.commands import ExecuteExit, approve_exit, execute_exit
from saas.exits.queries import ExitView, exits_by_id
from saas.payouts.people import staff_member
from tenants.actors import Actor

TOGETHER_MOST = 100
"""Exits decided in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveExits:
    """Agree to exits as a second person; with ``dry_run`` only look whether each could be."""

    exit_ids: Sequence[ExitId]
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteExits:
    """Let approved exits happen, in the order given; with ``dry_run`` only look whether each could."""

    exit_ids: Sequence[ExitId]
    idempotency_key: str
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of one exit: it was decided unless there are ``errors``.

    ``exit`` is as it stands afterwards, also of one refused; None where there is none.
    """

    exit_id: ExitId
    exit: ExitView | None
    errors: Sequence[DomainError]


class _OnlyLooked(Exception):
    """Ends the transaction of a dry run, so that nothing of it is kept."""


async def approve_exits(command: ApproveExits, actor: Actor) -> Sequence[Decided]:
    """Agree to each exit in a transaction of its own.

    An exit is refused with what ``approve_exit`` raises. Raises ``InvalidInput`` or ``Forbidden`` for all of them.
    """
    staff_member(actor)

    async def approve(exit_id: ExitId) -> None:
        await approve_exit(exit_id, actor)

    return await _each(command.exit_ids, approve, dry_run=command.dry_run)


async def execute_exits(command: ExecuteExits, actor: Actor) -> Sequence[Decided]:
    """Let each exit happen in a transaction of its own.

    Asked again under the same key, those that happened answer as they did, and those that were refused, or not reached
    because the process died, are tried. A dry run tries each as things are now, as if no other of them happened. An
    exit is refused with what ``execute_exit`` raises. Raises ``InvalidInput``, ``Forbidden`` or ``IdempotencyConflict``
    for all of them.
    """
    staff_member(actor)
    _check_length(command.exit_ids)
    own = new_id()
    if not command.dry_run:
        async with transaction():
            own = await claim("exit.execute_together", command.idempotency_key, list(command.exit_ids), own) or own

    async def execute(exit_id: ExitId) -> None:
        await execute_exit(ExecuteExit(exit_id=exit_id, idempotency_key=f"{own}:{exit_id}"), actor)

    return await _each(command.exit_ids, execute, dry_run=command.dry_run)


def _check_length(exit_ids: Sequence[ExitId]) -> None:
    if not 1 <= len(exit_ids) <= TOGETHER_MOST:
        remedy = Said(f"give 1 to {TOGETHER_MOST} exits", f"请填写 1 至 {TOGETHER_MOST} 个退出")
        raise InvalidInput("input.ids", value=len(exit_ids), remedy=remedy)


async def _each(
    exit_ids: Sequence[ExitId], decide: Callable[[ExitId], Awaitable[None]], *, dry_run: bool
) -> Sequence[Decided]:
    _check_length(exit_ids)
    errors = [await _one(exit_id, f"input.ids[{i}]", decide, dry_run=dry_run) for i, exit_id in enumerate(exit_ids)]
    found = await exits_by_id(exit_ids)
    return [
        Decided(exit_id=exit_id, exit=found.get(exit_id), errors=refused)
        for exit_id, refused in zip(exit_ids, errors, strict=True)
    ]


async def _one(
    exit_id: ExitId, field: str, decide: Callable[[ExitId], Awaitable[None]], *, dry_run: bool
) -> Sequence[DomainError]:
    """Decide one exit; answers why it was refused."""
    try:
        async with transaction():
            await decide(exit_id)
            if dry_run:
                raise _OnlyLooked
    except _OnlyLooked:
        return ()
    except DomainError as refused:
        errors: Sequence[DomainError] = (refused,)
    except Rejected as several:
        errors = several.errors
    else:
        return ()
    for error in errors:
        error.field = field
    return errors
