"""The audit log: who did what to whom, written in the transaction that does it."""

import orjson

from saas.base import clock
from saas.base.db import current_tx
from saas.base.ids import new_id
from tenants.actors import Actor


async def record(actor: Actor, action: str, subject: str | None = None, **detail: object) -> None:
    """Write one line. ``detail`` must hold no personal data in clear."""
    await current_tx().insert_many(
        "audit_log",
        ("id", "at", "actor_kind", "actor_id", "actor_label", "action", "subject", "detail"),
        [
            (
                new_id(),
                clock.now(),
                actor.kind,
                actor.id,
                actor.label,
                action,
                subject,
                orjson.dumps(detail, default=str).decode(),
            )
        ],
    )
