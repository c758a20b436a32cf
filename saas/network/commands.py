"""Writes to the tree: enrolment, review, standing, tiers, and moves of whole subtrees (docs/rules.md §2, §7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from saas.base.db import Tx, transaction
from saas.base.errors import NotFound, WrongState
from saas.base.ids import DistributorId
from saas.base.text import reason_of
from saas.base.vault import unseal
from saas.network import orange
from saas.network.enrolment import agents_of, current_policy, enrol, enrol_many
from saas.network.errors import Barred, RegionFull
from saas.network.leaving import leave
from saas.network.rules import Seat, Status, ceiling, check_free, check_move, segment
from saas.network.standing import Cause, Change, follow
from saas.network.tiering import (
    HELD,
    JOB,
    TierChange,
    TierSet,
    TierWish,
    apply_tiers,
    change_tiers,
    hold_tree,
    schedule_tier,
    schedule_tiers,
    set_tier,
    set_tiers,
    would_set_tiers,
)
from saas.network.tree import Transplant, deepest, lock_tree, seat_of, transplant
from tenants import audit
from tenants.actors import Actor, Role

__all__ = [
    "JOB",
    "Move",
    "TierChange",
    "TierSet",
    "TierWish",
    "apply_tiers",
    "approve",
    "change_tiers",
    "enrol",
    "enrol_many",
    "hold_tree",
    "leave",
    "move",
    "reinstate",
    "reject",
    "reveal_phone",
    "schedule_tier",
    "schedule_tiers",
    "set_tier",
    "set_tiers",
    "suspend",
    "would_set_tiers",
]


async def approve(distributor_id: DistributorId, actor: Actor) -> None:
    """Let an applicant join, unless its region is full by now or it was listed meanwhile.

    Raises ``NotFound``, ``WrongState``, ``RegionFull`` or ``Barred``.
    """
    policy = await current_policy()
    async with transaction() as tx:
        change = Change(cause=Cause.REVIEW, actor_id=actor.id)
        await _change(tx, distributor_id, (Status.APPLIED,), "status = 'active', joined_at = $3", change)
        row = await tx.row(
            "SELECT region, phone_hash, id_number_hash FROM distributor WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            distributor_id,
        )
        found = row or {}
        region = found.get("region")
        limit = policy.agents_in(region)
        if limit is not None:
            agents = await agents_of(tx, [region], (Status.ACTIVE, Status.SUSPENDED))
            if sum(agents.values()) > limit:
                raise RegionFull("input.distributorId", region=region, limit=limit)
        hashes = (found.get("phone_hash"), found.get("id_number_hash"))
        if await orange.listed(value for value in hashes if value is not None):
            raise Barred("input.distributorId")
        changed = audit.change({"status": Status.APPLIED}, {"status": Status.ACTIVE})
        await audit.record(actor, "distributor.approve", str(distributor_id), **changed)


async def reject(distributor_id: DistributorId, reason: str, actor: Actor) -> None:
    """Turn an applicant down. Raises ``NotFound``, ``WrongState`` or ``ReasonRefused``."""
    reason = reason_of(reason)
    async with transaction() as tx:
        change = Change(cause=Cause.REVIEW, reason=reason, actor_id=actor.id)
        await _change(tx, distributor_id, (Status.APPLIED,), "status = 'rejected'", change)
        changed = audit.change({"status": Status.APPLIED}, {"status": Status.REJECTED})
        await audit.record(actor, "distributor.reject", str(distributor_id), reason=reason, **changed)


async def suspend(distributor_id: DistributorId, reason: str, actor: Actor) -> None:
    """Stop a distributor from ordering, recruiting, earning and being paid out, until ``reinstate``.

    Raises ``NotFound``, ``WrongState`` or ``ReasonRefused``.
    """
    reason = reason_of(reason)
    async with transaction() as tx:
        change = Change(cause=Cause.STATUS, reason=reason, actor_id=actor.id)
        await _change(tx, distributor_id, (Status.ACTIVE,), "status = 'suspended'", change)
        changed = audit.change({"status": Status.ACTIVE}, {"status": Status.SUSPENDED})
        await audit.record(actor, "distributor.suspend", str(distributor_id), reason=reason, **changed)


async def reinstate(distributor_id: DistributorId, reason: str, actor: Actor) -> None:
    """End a suspension. Raises ``NotFound``, ``WrongState`` or ``ReasonRefused``."""
    reason = reason_of(reason)
    async with transaction() as tx:
        change = Change(cause=Cause.STATUS, reason=reason, actor_id=actor.id)
        await _change(tx, distributor_id, (Status.SUSPENDED,), "status = 'active'", change)
        changed = audit.change({"status": Status.SUSPENDED}, {"status": Status.ACTIVE})
        await audit.record(actor, "distributor.reinstate", str(distributor_id), reason=reason, **changed)


async def _change(
    tx: Tx,
    distributor_id: DistributorId,
    sources: Sequence[Status],
    assignment: str,
    change: Change,
    *value: object,
) -> None:
    """Change a distributor that is in one of the states, and write its history; the tree stands still meanwhile.

    In ``assignment``, ``$3`` is the moment of the change and ``$4`` the value.
    """
    tree = await lock_tree(tx)
    await _assign(tx, tree.moment, distributor_id, sources, assignment, change, *value)


async def _assign(
    tx: Tx,
    moment: datetime,
    distributor_id: DistributorId,
    sources: Sequence[Status],
    assignment: str,
    change: Change,
    *value: object,
) -> None:
    states = ", ".join(f"'{state}'" for state in sources)
    changed = await tx.execute(
        f"UPDATE distributor SET {assignment}, changed_at = $3 "
        f"WHERE tenant_id = $1 AND id = $2 AND status IN ({states})",
        tx.tenant_id,
        distributor_id,
        moment,
        *value,
    )
    if not changed:
        seat = await seat_of(tx, distributor_id, "input.distributorId")
        raise _wrong_state(seat, sources)
    await follow(tx, [distributor_id], moment, change)


def _wrong_state(seat: Seat, sources: Sequence[Status]) -> WrongState:
    return WrongState("input.distributorId", kind="distributor", state=seat.status, needed=" / ".join(sources))


async def reveal_phone(distributor_id: DistributorId, actor: Actor) -> str | None:
    """The phone in clear, for staff that has to call; written to the audit log. Raises ``NotFound``."""
    async with transaction() as tx:
        row = await tx.row(
            "SELECT phone_sealed FROM distributor WHERE tenant_id = $1 AND id = $2", tx.tenant_id, distributor_id
        )
        if row is None:
            raise NotFound("input.distributorId", kind="distributor", value=distributor_id)
        await audit.record(actor, "distributor.reveal_phone", str(distributor_id))
    return unseal(row["phone_sealed"], distributor_id) if row["phone_sealed"] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Hang ``distributor`` with all its downline under ``sponsor``, or directly under the brand (None)."""

    distributor: DistributorId
    sponsor: DistributorId | None
    reason: str


async def move(command: Move, actor: Actor) -> int:
    """Move a whole subtree; answer how many distributors moved, 0 when it hangs there already.

    A distributor may move nobody but itself, and only when the program's sponsor binding lets it go. Raises
    ``NotFound``, ``WrongState``, ``MoveMakesCycle``, ``DepthExceeded``, ``SponsorNotActive``, ``SponsorBound``,
    ``RecruitingNotAllowed`` or ``ReasonRefused``.
    """
    if actor.role is Role.DISTRIBUTOR and actor.distributor_id != command.distributor:
        raise NotFound("input.distributorId", kind="distributor", value=command.distributor)
    policy, reason = await current_policy(), reason_of(command.reason)
    async with transaction() as tx:
        tree = await lock_tree(tx, moves=1)
        subject = await seat_of(tx, command.distributor, "input.distributorId")
        sponsor = await seat_of(tx, command.sponsor, "input.sponsorId") if command.sponsor else None
        if subject.status not in HELD:
            raise _wrong_state(subject, HELD)
        stem = subject.path[: -len(segment(0))]
        if stem == (sponsor.path if sponsor else ""):
            return 0
        check_move(subject, sponsor, await deepest(tx, subject.path), policy)
        if actor.role is Role.DISTRIBUTOR:
            check_free(sponsor, await _bound_since(tx, subject), tree.moment, policy)
        before = await tx.value(
            "SELECT sponsor_id FROM distributor WHERE tenant_id = $1 AND id = $2", tx.tenant_id, subject.id
        )
        graft = Transplant(
            heads=[subject.id], stem=stem, first_path=subject.path, until_path=ceiling(subject.path), sponsor=sponsor
        )
        moved = await transplant(tx, graft, moment=tree.moment, reason=reason, actor_id=actor.id)
        changed = audit.change({"sponsor": before}, {"sponsor": sponsor and sponsor.id})
        await audit.record(actor, "distributor.move", str(subject.id), moved=moved, reason=reason, **changed)
    return moved


async def _bound_since(tx: Tx, subject: Seat) -> datetime:
    since: datetime = await tx.value(
        "SELECT valid_from FROM sponsorship WHERE tenant_id = $1 AND distributor_id = $2 AND valid_until IS NULL",
        tx.tenant_id,
        subject.id,
    )
    return since
