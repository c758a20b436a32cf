"""The life of a job, decided without a database: queued → running → done, failed or cancelled."""

from datetime import timedelta
from enum import StrEnum

from saas.base.errors import DomainError, Said
from saas.base.money import BPS_WHOLE

LEASE = timedelta(seconds=60)
"""How long a worker may be silent before its job is given to another."""

ATTEMPTS_MOST = 5
"""How often a job is tried in all."""

JITTER_BPS_MOST = 5_000
"""How much longer a wait may be made, so that what failed together is not tried again together."""

_FIRST_WAIT = timedelta(seconds=5)


QUIET = frozenset({"notifications.deliver", "webhook.deliver"})
"""Kinds of jobs that carry what happened to somebody: they are no news themselves."""


class JobStatus(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def wait_after(attempts: int, jitter_bps: int = 0) -> timedelta:
    """How long to wait after that many attempts have failed: 5 s, then twice as long each time, and the jitter."""
    wait = _FIRST_WAIT * (1 << max(attempts - 1, 0))
    return wait + wait * jitter_bps // BPS_WHOLE


def why_crashed(attempts: int, fault: str) -> Said:
    """What a person is told of a job that no attempt brought to its end; the log has the rest."""
    return Said(
        f"It was tried {attempts} times and did not get to its end ({fault}). The server's log says more; try again.",
        f"已尝试 {attempts} 次仍未完成（{fault}）。详情见服务器日志，请重试。",
    )


def why_refused(refused: DomainError) -> Said:
    """What a person is told of a job whose work was refused."""
    return Said(refused.message("en"), refused.message("zh-CN"))
