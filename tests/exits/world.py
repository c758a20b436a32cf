"""Exits in short: quoted, approved and executed by people of the office, under exit policies of a test's own."""

from collections.abc import Awaitable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from saas.base import clock
from saas.base.errors import Rejected
from saas.base.ids import DistributorId, ExitId
from saas.base.scope import current_tenant
from saas.exits.commands import ExecuteExit, QuoteExit, approve_exit, execute_exit, quote_exit
from saas.exits.queries import ExitView
from saas.exits.rules import ExitKind
from tenants.actors import system
from tenants.program import as_data
from tenants.program.versions import SaveDraft, activate, active_program, save_draft
from tests.network.world import T0, staff

_keys = count()
Ids = dict[str, DistributorId]


async def use_exit(**policy: Any) -> None:
    """Put the active program in force again with other settings of exits, before anything was sold."""
    actor = system(current_tenant(), "test")
    with clock.at(T0 + timedelta(hours=1)):
        data = as_data((await active_program()).program)
        saved = await save_draft(SaveDraft(document={**data, "exit": {**data["exit"], **policy}}), actor)
        await activate(saved.version.number, actor)


async def quoted(id_: DistributorId, kind: ExitKind = ExitKind.VOLUNTARY, **changes: Any) -> ExitView:
    """An exit that the office asked for."""
    values: dict[str, Any] = {
        "distributor_id": id_,
        "kind": kind,
        "reason": "wants to leave",
        "idempotency_key": f"quote-{next(_keys)}",
        **changes,
    }
    return await quote_exit(QuoteExit(**values), staff())


async def approved(id_: DistributorId, kind: ExitKind = ExitKind.VOLUNTARY, **changes: Any) -> ExitView:
    """An exit that a second person agreed to."""
    return await approve_exit((await quoted(id_, kind, **changes)).id, staff())


async def executed(exit_id: ExitId) -> ExitView:
    """An exit that happened."""
    return await execute_exit(ExecuteExit(exit_id=exit_id, idempotency_key=f"execute-{exit_id}"), staff())


async def refused(what: Awaitable[object]) -> list[str]:
    """The codes of a list of refusals."""
    with pytest.raises(Rejected) as caught:
        await what
    return [error.code for error in caught.value.errors]
