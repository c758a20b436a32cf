"""What a brand does again and again about those who left, as jobs: close exits, erase what is kept no longer."""

from collections.abc import Mapping
from typing import Any

from saas.exits.closing import close_finished
from saas.exits.retention import erase_expired
from saas.jobs.commands import asked_by
from saas.jobs.tasks import Task
from saas.jobs.worker import Handler, Progress
from tenants.errors import NoActiveProgram


async def close_exits(given: Mapping[str, Any], progress: Progress) -> None:
    """Close every executed exit that has nothing left."""
    await close_finished(asked_by(given), progress.report)


async def erase(given: Mapping[str, Any], progress: Progress) -> None:
    """Erase the personal data of everybody whose retention is over. Without a program nobody's is."""
    erased = 0
    try:
        while people := await erase_expired(asked_by(given)):
            erased += len(people)
            await progress.report(erased)
    except NoActiveProgram:
        return


HANDLERS: Mapping[str, Handler] = {Task.CLOSE_EXITS: close_exits, Task.ERASE: erase}
"""Who does which of the tasks."""
