"""A key and the hash of what came with it, claimed in the transaction that does the work.

The unique key of the table decides races: the second transaction waits for the first, then finds its result. Nothing
is looked up before it is written, so there is no moment between check and act.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import current_tx
from saas.base.errors import IdempotencyConflict


@dataclass(frozen=True, slots=True)
class Claim:
    """One operation's key, the fingerprint of its input, and the id of what it is about to make."""

    key: str
    fingerprint: str
    result: UUID


def fingerprint(content: object) -> str:
    """The SHA-256 of a command (a dataclass, or anything JSON can say), independent of the order of keys."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


async def claim(operation: str, key: str, content: object, result: UUID) -> UUID | None:
    """Claim one key. Answers None when it is ours now, or the id of what was made under it before.

    Raises ``IdempotencyConflict`` when the key came with other content before.
    """
    before = await claim_many(operation, [Claim(key, fingerprint(content), result)])
    return before.get(key)


async def claim_many(operation: str, claims: Sequence[Claim]) -> Mapping[str, UUID]:
    """Claim many keys at once. Answers the results of those that were used before with the same content.

    Raises ``IdempotencyConflict`` for the first key that came with other content, here or before.
    """
    tx = current_tx()
    by_key: dict[str, Claim] = {}
    for wanted in claims:
        if by_key.setdefault(wanted.key, wanted).fingerprint != wanted.fingerprint:
            raise IdempotencyConflict("input.idempotencyKey", key=wanted.key)
    ordered = sorted(by_key)  # everybody takes keys in the same order, so that two batches cannot block each other
    now = clock.now()
    rows = [(operation, key, by_key[key].fingerprint, by_key[key].result, now) for key in ordered]
    columns = ("operation", "key", "input_hash", "result", "created_at")
    if await tx.insert_many("idempotency", columns, rows, or_ignore=True) == len(rows):
        return {}
    found = await tx.rows(
        f"SELECT key, input_hash, result FROM idempotency "
        f"WHERE tenant_id = $1 AND operation = $2 AND key {tx.within(3, 'text')}",
        tx.tenant_id,
        operation,
        ordered,
    )
    earlier: dict[str, UUID] = {}
    for row in found:
        ours = by_key[row["key"]]
        if row["input_hash"] != ours.fingerprint:
            raise IdempotencyConflict("input.idempotencyKey", key=ours.key)
        if row["result"] != ours.result:
            earlier[ours.key] = row["result"]
    return earlier
