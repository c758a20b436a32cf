"""A key and the hash of what came with it, claimed in the transaction that does the work.

A key belongs to whoever acts: the operation's name carries the distributor when one acts (``Actor.operation``), so that
nobody can take, or probe, a key of the brand. The unique key of the table decides races: the second transaction waits
for the first, then finds its result. Nothing is looked up before it is written, so there is no moment between check
and act.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import current_tx
from saas.base.errors import DomainError, IdempotencyConflict, InvalidInput, Said

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

KEY_LONGEST = 200
_COLUMNS = ("operation", "key", "input_hash", "result", "created_at")


@dataclass(frozen=True, slots=True)
class Claim:
    """One operation's key, the fingerprint of its input, and the id of what it is about to make."""

    key: str
    fingerprint: str
    result: UUID


def said_before(command: "DataclassInstance", later: Collection[str]) -> dict[str, object]:
    """A command as keys stand for it that were taken before it learned to say what ``later`` names."""
    return {
        one.name: getattr(command, one.name)
        for one in fields(command)
        if one.name not in later or getattr(command, one.name) != one.default
    }


def fingerprint(content: object) -> str:
    """The SHA-256 of a command (a dataclass, or anything JSON can say), independent of the order of keys."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


async def claim(operation: str, key: str, content: object, result: UUID) -> UUID | None:
    """Claim one key. Answers None when it is ours now, or the id of what was made under it before.

    Raises ``IdempotencyConflict`` when the key came with other content before, ``InvalidInput`` for a key nobody could
    read back.
    """
    before = await claim_many(operation, [Claim(key, fingerprint(content), result)])
    return before.get(key)


async def claim_many(operation: str, claims: Sequence[Claim]) -> Mapping[str, UUID]:
    """Claim many keys at once. Answers the results of those that were used before with the same content.

    Raises ``IdempotencyConflict`` for the first key that came with other content, here or before, or ``InvalidInput``.
    """
    by_key: dict[str, Claim] = {}
    for wanted in claims:
        if by_key.setdefault(wanted.key, wanted).fingerprint != wanted.fingerprint:
            raise IdempotencyConflict("input.idempotencyKey", key=wanted.key)
    earlier: dict[str, UUID] = {}
    for key, answer in (await claim_each(operation, by_key)).items():
        if isinstance(answer, DomainError):
            raise answer
        earlier[key] = answer
    return earlier


async def claim_each(operation: str, claims: Mapping[str, Claim]) -> Mapping[str, UUID | DomainError]:
    """Claim keys, each by itself. Answers for those used before: the result, or the conflict with other content.

    A key that is not 1 to 200 printable characters is answered with ``InvalidInput`` and not claimed.
    """
    tx = current_tx()
    unfit = _unfit(claims)
    if unfit:
        return {**unfit, **await claim_each(operation, {key: claims[key] for key in claims if key not in unfit})}
    now = clock.now()
    # Everybody takes keys in the same order, so that two batches cannot block each other.
    rows = [(operation, key, claims[key].fingerprint, claims[key].result, now) for key in sorted(claims)]
    if await tx.insert_many("idempotency", _COLUMNS, rows, or_ignore=True) == len(rows):
        return {}
    return {key: answer for key, answer in (await look_up(operation, claims)).items() if answer != claims[key].result}


async def claim_later(operation: str, wanted: Claim) -> bool:
    """Claim a key together with what is written next; whether it can be claimed at all.

    When it was used before, whatever takes it along raises ``Taken``, nothing that was to be written with it is, and
    whoever wants to know what was made under it asks by ``claim_each``.
    """
    if _unfit([wanted.key]):
        return False
    row = (operation, wanted.key, wanted.fingerprint, wanted.result, clock.now())
    await current_tx().insert_later("idempotency", _COLUMNS, [row], or_taken=True)
    return True


async def look_up(operation: str, claims: Mapping[str, Claim]) -> Mapping[str, UUID | DomainError]:
    """What ``claim_each`` would find, without claiming."""
    tx = current_tx()
    unfit = _unfit(claims)
    rows = await tx.rows(
        f"SELECT key, input_hash, result FROM idempotency "
        f"WHERE tenant_id = $1 AND operation = $2 AND key {tx.within(3, 'text')}",
        tx.tenant_id,
        operation,
        [key for key in claims if key not in unfit],
    )
    found = {
        row["key"]: row["result"]
        if row["input_hash"] == claims[row["key"]].fingerprint
        else IdempotencyConflict("input.idempotencyKey", key=row["key"])
        for row in rows
    }
    return {**unfit, **found}


def _unfit(claims: Iterable[str]) -> Mapping[str, InvalidInput]:
    """The keys nobody could read back, each with its refusal."""
    remedy = Said(f"give 1 to {KEY_LONGEST} printable characters", f"请填写 1 至 {KEY_LONGEST} 个可打印字符")
    return {
        key: InvalidInput("input.idempotencyKey", value=ascii(key[:40]), remedy=remedy)
        for key in claims
        if not (0 < len(key) <= KEY_LONGEST and key.isprintable())
    }
