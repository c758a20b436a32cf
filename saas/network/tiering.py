"""Writes of tiers: by hand, at once or at a coming moment, for one or many, and by the review of a period (§2.2).

A decision by hand may pin the tier: until that day no review changes it. A later one without a pin lifts it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.errors import DomainError, NotFound, Rejected, WrongState
from saas.base.ids import DistributorId, JobId
from saas.base.text import reason_of
from saas.jobs.commands import asked_by, enqueue, said_by
from saas.jobs.worker import Progress
from saas.network.enrolment import current_policy
from saas.network.errors import TierMomentInPast, TierPinInPast, TiersChanged, TierTwice
from saas.network.rules import Policy, Status, tier_unknown
from saas.network.standing import Cause, Change, follow
from saas.network.tree import lock_tree
from saas.notifications.commands import announce
from saas.notifications.rules import tier_changed
from tenants import audit, registry
from tenants.actors import Actor

JOB = "network.set_tier"
"""The kind of job that gives tiers at a coming moment."""

HELD = (Status.APPLIED, Status.ACTIVE, Status.SUSPENDED)
"""Who still has a place to change."""


class TierWish(NamedTuple):
    """A distributor and the tier it is to have."""

    distributor_id: DistributorId
    tier: str


class TierSet(NamedTuple):
    """What a decision by hand did, or would do, to one distributor."""

    distributor_id: DistributorId
    before: str
    after: str


async def set_tier(
    distributor_id: DistributorId, tier: str, reason: str, actor: Actor, *, pin_until: date | None = None
) -> TierSet:
    """Give a distributor another tier, for sales from now on.

    Raises ``NotFound``, ``WrongState``, ``TierUnknown``, ``TierPinInPast`` or ``ReasonRefused``.
    """
    try:
        wish = TierWish(distributor_id, tier)
        return (await _set([wish], ["input"], reason, actor, pin_until=pin_until, dry_run=False))[0]
    except Rejected as several:
        raise several.errors[0] from None


async def set_tiers(
    wishes: Sequence[TierWish], reason: str, actor: Actor, *, pin_until: date | None = None, dry_run: bool = False
) -> list[TierSet]:
    """Give many distributors their tiers, all or none, in a handful of statements; a dry run writes nothing.

    Raises ``Rejected`` with everything that is wrong, as ``set_tier``, or ``TierTwice``.
    """
    return await _set(wishes, _fields(wishes), reason, actor, pin_until=pin_until, dry_run=dry_run)


def _fields(wishes: Sequence[TierWish]) -> list[str]:
    return [f"input.tiers[{i}]" for i in range(len(wishes))]


async def _set(
    wishes: Sequence[TierWish],
    fields: Sequence[str],
    reason: str,
    actor: Actor,
    *,
    pin_until: date | None,
    dry_run: bool,
) -> list[TierSet]:
    reason, policy = reason_of(reason), await current_policy()
    await _check_pin(pin_until, clock.now())
    async with transaction() as tx:
        moment = (await lock_tree(tx)).moment
        before = await _tiers_of(tx, wishes, fields, policy)
        done = [TierSet(wish.distributor_id, before[wish.distributor_id], wish.tier) for wish in wishes]
        if dry_run or not done:
            return done
        risen = [_Row(one.distributor_id, one.after, None) for one in done if one.before != one.after]
        await _write(tx, risen, moment, Change(cause=Cause.MANUAL, reason=reason, actor_id=actor.id))
        await _pin(tx, [one.distributor_id for one in done], pin_until, reason, actor)
        await announce([tier_changed(*one) for one in done if one.before != one.after])
        subject = str(done[0].distributor_id) if len(done) == 1 else None
        changed = audit.change(
            {"tier": done[0].before} if subject else {str(one.distributor_id): one.before for one in done[:100]},
            {"tier": done[0].after} if subject else {str(one.distributor_id): one.after for one in done[:100]},
        )
        told: dict[str, object] = {"count": len(done), "pin_until": pin_until, "reason": reason}
        await audit.record(actor, "distributor.set_tier", subject, **changed, **told)
    return done


async def _check_pin(pin_until: date | None, moment: datetime) -> None:
    today = clock.local_day(moment, (await registry.this_brand()).time_zone)
    if pin_until is not None and pin_until <= today:
        raise TierPinInPast("input.pinUntil", today=today)


async def _tiers_of(
    tx: Tx, wishes: Sequence[TierWish], fields: Sequence[str], policy: Policy
) -> Mapping[DistributorId, str]:
    """The present tiers. Raises ``Rejected`` with all that stands against the wishes."""
    rows = await tx.rows(
        f"SELECT id, tier, status FROM distributor WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')}",
        tx.tenant_id,
        [wish.distributor_id for wish in wishes],
    )
    found = {row["id"]: row for row in rows}
    errors: list[DomainError] = []
    seen: set[DistributorId] = set()
    for wish, at in zip(wishes, fields, strict=True):
        row, at_id = found.get(wish.distributor_id), f"{at}.distributorId"
        if wish.tier not in policy.tiers:
            errors.append(tier_unknown(wish.tier, f"{at}.tier", policy))
        if row is None:
            errors.append(NotFound(at_id, kind="distributor", value=wish.distributor_id))
        elif row["status"] not in HELD:
            errors.append(WrongState(at_id, kind="distributor", state=row["status"], needed=" / ".join(HELD)))
        elif wish.distributor_id in seen:
            errors.append(TierTwice(at_id, value=wish.distributor_id, kind="distributor"))
        seen.add(wish.distributor_id)
    if errors:
        raise Rejected(errors)
    return {id_: row["tier"] for id_, row in found.items()}


async def _pin(tx: Tx, ids: Sequence[DistributorId], until: date | None, reason: str, actor: Actor) -> None:
    await tx.execute(
        f"DELETE FROM tier_pin WHERE tenant_id = $1 AND distributor_id {tx.within(2, 'uuid')}", tx.tenant_id, list(ids)
    )
    if until is not None:
        columns = ("distributor_id", "until", "reason", "actor_id", "pinned_at")
        now = clock.now()
        await tx.insert_many("tier_pin", columns, [(id_, until, reason, actor.id, now) for id_ in ids])


class _Row(NamedTuple):
    """A distributor with its new tier, its status to come (None: it stays), and the tier it must still have."""

    id: DistributorId
    tier: str
    status: Status | None
    before: str | None = None


async def _write(tx: Tx, rows: Sequence[_Row], moment: datetime, change: Change) -> int:
    """Write tiers and their history; answers how many distributors were still as they were thought to be."""
    if not rows:
        return 0
    names = {"id": "uuid", "tier": "text", "status": "text", "before": "text"}
    changed = await tx.execute(
        f"UPDATE distributor SET tier = v.tier, status = COALESCE(v.status, distributor.status), changed_at = $3 "
        f"FROM {tx.recordset(2, **names)} AS v WHERE distributor.tenant_id = $1 AND distributor.id = v.id "
        f"AND distributor.status IN ('applied', 'active', 'suspended') "
        f"AND (v.before IS NULL OR (distributor.tier = v.before AND distributor.status = 'active'))",
        tx.tenant_id,
        orjson.dumps([{**row._asdict(), "id": str(row.id)} for row in rows]).decode(),
        moment,
    )
    await follow(tx, [row.id for row in rows], moment, change)
    return changed


# -- at a coming moment ------------------------------------------------------------------------------------------


async def schedule_tier(
    distributor_id: DistributorId,
    tier: str,
    reason: str,
    effective_from: datetime,
    actor: Actor,
    *,
    pin_until: date | None = None,
) -> JobId:
    """Have a tier given at a coming moment, for sales from then on; the job can be cancelled until then.

    What can be known now is checked now, and all of it again at that moment. Raises as ``set_tier``, or
    ``TierMomentInPast``.
    """
    try:
        wish = TierWish(distributor_id, tier)
        return await _schedule([wish], ["input"], reason, effective_from, actor, pin_until=pin_until)
    except Rejected as several:
        raise several.errors[0] from None


async def schedule_tiers(
    wishes: Sequence[TierWish], reason: str, effective_from: datetime, actor: Actor, *, pin_until: date | None = None
) -> JobId:
    """Have many tiers given at a coming moment, in one job; as ``schedule_tier``. Raises as ``set_tiers``."""
    return await _schedule(wishes, _fields(wishes), reason, effective_from, actor, pin_until=pin_until)


async def would_set_tiers(
    wishes: Sequence[TierWish], reason: str, effective_from: datetime, actor: Actor, *, pin_until: date | None = None
) -> list[TierSet]:
    """What ``schedule_tiers`` would do as things are now; nothing is written. Raises as it does."""
    await _check_moment(effective_from, pin_until)
    return await _set(wishes, _fields(wishes), reason, actor, pin_until=pin_until, dry_run=True)


async def _check_moment(effective_from: datetime, pin_until: date | None) -> None:
    if effective_from <= clock.now():
        raise TierMomentInPast("input.effectiveFrom", value=effective_from.isoformat(timespec="seconds"))
    await _check_pin(pin_until, effective_from)


async def _schedule(
    wishes: Sequence[TierWish],
    fields: Sequence[str],
    reason: str,
    effective_from: datetime,
    actor: Actor,
    *,
    pin_until: date | None,
) -> JobId:
    await _check_moment(effective_from, pin_until)
    reason = reason_of(reason)
    async with transaction():
        await _set(wishes, fields, reason, actor, pin_until=pin_until, dry_run=True)
        ids = [str(wish.distributor_id) for wish in wishes]
        subject = ids[0] if len(ids) == 1 else None
        await audit.record(
            actor, "distributor.schedule_tier", subject, count=len(ids), effective_from=effective_from, reason=reason
        )
        given = {
            "tiers": [{"distributor": id_, "tier": wish.tier} for id_, wish in zip(ids, wishes, strict=True)],
            "reason": reason,
            "pin_until": pin_until,
            "actor": said_by(actor),
        }
        return await enqueue(JOB, given, actor=actor, run_at=effective_from)


async def apply_tiers(given: Mapping[str, Any], progress: Progress) -> None:
    """Do what ``schedule_tiers`` asked for, as its actor. The handler of ``JOB``; done twice, it is done once."""
    await progress.report(0, len(given["tiers"]))
    actor = asked_by(given)
    wishes = [TierWish(DistributorId(UUID(one["distributor"])), one["tier"]) for one in given["tiers"]]
    until = given["pin_until"]
    try:
        await set_tiers(wishes, given["reason"], actor, pin_until=until and date.fromisoformat(until))
    except Rejected as several:
        raise several.errors[0] from None


# -- by the review of a period -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChange:
    """A change that a review decided, of an active distributor that has ``before`` still."""

    distributor_id: DistributorId
    before: str
    after: str
    cause: Cause
    suspends: bool = False


async def hold_tree() -> datetime:
    """Let nobody enrol, move, leave, change tier or status, or sell, until the running transaction ends.

    For the review of a period, before it reads anything. Not after ``stand_still`` in the same transaction. Answers
    the moment of all changes of the transaction.
    """
    async with transaction() as tx:
        return (await lock_tree(tx)).moment


async def change_tiers(changes: Collection[TierChange], reason: str, actor: Actor) -> int:
    """Write what a review decided, in the running transaction, in a number of statements that does not grow.

    ``reason`` stands in everybody's history, such as the period's label. Raises ``TiersChanged`` when somebody is not
    what it was when it was reviewed; with ``hold_tree`` taken before the review nobody can be.
    """
    async with transaction() as tx:
        moment, written = (await lock_tree(tx)).moment, 0
        for cause in sorted({change.cause for change in changes}):
            rows = [
                _Row(one.distributor_id, one.after, Status.SUSPENDED if one.suspends else None, one.before)
                for one in changes
                if one.cause is cause
            ]
            written += await _write(tx, rows, moment, Change(cause=cause, reason=reason, actor_id=actor.id))
        if written != len(changes):
            raise TiersChanged("input")
        if changes:
            await announce([tier_changed(one.distributor_id, one.before, one.after) for one in changes])
            await audit.record(actor, "distributor.review_tiers", reason, count=written)
    return written
