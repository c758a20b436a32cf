"""Writes to the tree: enrolment, review, standing, and moves of whole subtrees (docs/rules.md §2.1, §7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from saas.base.db import Tx, transaction
from saas.base.errors import DomainError, NotFound, Rejected, WrongState
from saas.base.idempotency import Claim, claim_many, fingerprint, look_up
from saas.base.ids import DistributorId, new_id
from saas.base.vault import keyed_hash, unseal
from saas.network import orange
from saas.network.contact import normal_id_number, normal_phone
from saas.network.errors import Barred
from saas.network.rules import (
    Enrol,
    Ground,
    Policy,
    Seat,
    Status,
    ceiling,
    check_free,
    check_move,
    place,
    policy_of,
    segment,
    tier_unknown,
)
from saas.network.standing import Cause, Change, follow
from saas.network.tree import SEAT, Transplant, deepest, lock_tree, plant, seat_of, transplant
from tenants import audit
from tenants.actors import Actor, Role
from tenants.program.versions import active_program

_HELD = (Status.APPLIED, Status.ACTIVE, Status.SUSPENDED)
"""Who still has a place to change."""


async def enrol(request: Enrol, actor: Actor) -> DistributorId:
    """Take one applicant into the tree; a key used before with the same content answers whom it brought.

    Raises ``Rejected`` with everything that is wrong, or ``IdempotencyConflict``.
    """
    return (await _enrol([request], ["input"], actor, dry_run=False))[0]


async def enrol_many(requests: Sequence[Enrol], actor: Actor, *, dry_run: bool = False) -> list[DistributorId]:
    """Take many applicants in a handful of statements, all or none; sponsors may be in the list themselves.

    A dry run decides on the tree as it is and writes nothing; its ids are of no use. Raises as ``enrol``.
    """
    fields = [f"input.distributors[{i}]" for i in range(len(requests))]
    return await _enrol(requests, fields, actor, dry_run=dry_run)


async def _enrol(
    requests: Sequence[Enrol], fields: Sequence[str], actor: Actor, *, dry_run: bool
) -> list[DistributorId]:
    policy = await _policy()
    ids = [new_id() for _ in requests]
    async with transaction() as tx:
        claims = [_claim(request, id_) for request, id_ in zip(requests, ids, strict=True)]
        earlier = await _earlier(claims, actor.operation("enrol"), dry_run=dry_run)
        fresh = [i for i, request in enumerate(requests) if request.idempotency_key not in earlier]
        if fresh:
            tree = await lock_tree(tx, numbers=0 if dry_run else len(fresh))
            numbers = [(DistributorId(ids[i]), tree.first_no + n) for n, i in enumerate(fresh)]
            wanted, paths = [requests[i] for i in fresh], [fields[i] for i in fresh]
            placed, errors = place(wanted, paths, numbers, await _ground(tx, wanted, policy, actor))
            errors.extend(await _barred(wanted, paths))
            if errors:
                raise Rejected(errors)
            if not dry_run:
                await plant(tx, placed, tree.moment, actor.id)
                subject = str(placed[0].seat.id) if len(placed) == 1 else None
                await audit.record(actor, "distributor.enrol", subject, count=len(placed))
    results = [earlier.get(request.idempotency_key, id_) for request, id_ in zip(requests, ids, strict=True)]
    return [DistributorId(id_) for id_ in results]


async def _earlier(claims: Sequence[Claim], operation: str, *, dry_run: bool) -> Mapping[str, UUID]:
    """Whom the keys brought before; the others are claimed, or in a dry run left alone."""
    if not dry_run:
        return await claim_many(operation, claims)
    known: dict[str, UUID] = {}
    for key, answer in (await look_up(operation, {claim.key: claim for claim in claims})).items():
        if isinstance(answer, DomainError):
            raise answer
        known[key] = answer
    return known


async def _policy() -> Policy:
    return policy_of((await active_program()).program)


def _claim(request: Enrol, result: UUID) -> Claim:
    """The claim of a request, whose fingerprint must not let a phone be found by trying them all."""
    veiled = replace(
        request,
        phone=request.phone and keyed_hash("enrol", request.phone),
        id_number=request.id_number and keyed_hash("enrol", request.id_number),
    )
    return Claim(request.idempotency_key, fingerprint(veiled), result)


async def _ground(tx: Tx, requests: Sequence[Enrol], policy: Policy, actor: Actor) -> Ground:
    ids = {request.sponsor for request in requests if isinstance(request.sponsor, UUID)}
    codes = {request.sponsor for request in requests if isinstance(request.sponsor, str)}
    rows = await tx.rows(
        f"SELECT {SEAT} FROM distributor WHERE tenant_id = $1 "
        f"AND (id {tx.within(2, 'uuid')} OR code {tx.within(3, 'text')})",
        tx.tenant_id,
        list(ids),
        list(codes.union(request.code for request in requests)),
    )
    recruiter = actor.distributor_id if actor.role is Role.DISTRIBUTOR else None
    seats = [Seat(**row) for row in rows]
    sponsors = [seat for seat in seats if recruiter in {None, seat.id}]
    return Ground(
        policy=policy,
        seats={**{seat.id: seat for seat in sponsors}, **{seat.code: seat for seat in sponsors}},
        taken={seat.code for seat in seats},
        recruiter=recruiter,
    )


async def _barred(requests: Sequence[Enrol], fields: Sequence[str]) -> list[DomainError]:
    hashes: dict[str, str] = {}
    for request, field in zip(requests, fields, strict=True):
        if request.phone and (phone := normal_phone(request.phone)):
            hashes[f"{field}.phone"] = orange.hash_of(orange.Number.PHONE, phone)
        if request.id_number and (id_number := normal_id_number(request.id_number)):
            hashes[f"{field}.idNumber"] = orange.hash_of(orange.Number.ID_NUMBER, id_number)
    listed = await orange.listed(set(hashes.values()))
    return [Barred(path) for path, value in hashes.items() if value in listed]


async def approve(distributor_id: DistributorId, actor: Actor) -> None:
    """Let an applicant join. Raises ``NotFound``, ``WrongState``, or ``Barred`` when it was listed meanwhile."""
    async with transaction() as tx:
        change = Change(cause=Cause.REVIEW, actor_id=actor.id)
        await _change(tx, distributor_id, (Status.APPLIED,), "status = 'active', joined_at = $3", change)
        row = await tx.row(
            "SELECT phone_hash, id_number_hash FROM distributor WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            distributor_id,
        )
        if row is not None and await orange.listed(value for value in row.values() if value is not None):
            raise Barred("input.distributorId")
        await audit.record(actor, "distributor.approve", str(distributor_id))


async def reject(distributor_id: DistributorId, reason: str, actor: Actor) -> None:
    """Turn an applicant down. Raises ``NotFound`` or ``WrongState``."""
    async with transaction() as tx:
        change = Change(cause=Cause.REVIEW, reason=reason, actor_id=actor.id)
        await _change(tx, distributor_id, (Status.APPLIED,), "status = 'rejected'", change)
        await audit.record(actor, "distributor.reject", str(distributor_id), reason=reason)


async def suspend(distributor_id: DistributorId, reason: str, actor: Actor) -> None:
    """Stop a distributor from ordering, recruiting, earning and being paid out, until ``reinstate``.

    Raises ``NotFound`` or ``WrongState``.
    """
    async with transaction() as tx:
        change = Change(cause=Cause.STATUS, reason=reason, actor_id=actor.id)
        await _change(tx, distributor_id, (Status.ACTIVE,), "status = 'suspended'", change)
        await audit.record(actor, "distributor.suspend", str(distributor_id), reason=reason)


async def reinstate(distributor_id: DistributorId, reason: str, actor: Actor) -> None:
    """End a suspension. Raises ``NotFound`` or ``WrongState``."""
    async with transaction() as tx:
        change = Change(cause=Cause.STATUS, reason=reason, actor_id=actor.id)
        await _change(tx, distributor_id, (Status.SUSPENDED,), "status = 'active'", change)
        await audit.record(actor, "distributor.reinstate", str(distributor_id), reason=reason)


async def set_tier(distributor_id: DistributorId, tier: str, reason: str, actor: Actor) -> None:
    """Give a distributor another tier, for sales from now on.

    Raises ``NotFound``, ``WrongState`` or ``TierUnknown``.
    """
    policy = await _policy()
    if tier not in policy.tiers:
        raise tier_unknown(tier, "input.tier", policy)
    async with transaction() as tx:
        change = Change(cause=Cause.MANUAL, reason=reason, actor_id=actor.id)
        await _change(tx, distributor_id, _HELD, "tier = $4", change, tier)
        await audit.record(actor, "distributor.set_tier", str(distributor_id), tier=tier, reason=reason)


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
    ``NotFound``, ``WrongState``, ``MoveMakesCycle``, ``DepthExceeded``, ``SponsorNotActive``, ``SponsorBound`` or
    ``RecruitingNotAllowed``.
    """
    if actor.role is Role.DISTRIBUTOR and actor.distributor_id != command.distributor:
        raise NotFound("input.distributorId", kind="distributor", value=command.distributor)
    policy = await _policy()
    async with transaction() as tx:
        tree = await lock_tree(tx, moves=1)
        subject = await seat_of(tx, command.distributor, "input.distributorId")
        sponsor = await seat_of(tx, command.sponsor, "input.sponsorId") if command.sponsor else None
        if subject.status not in _HELD:
            raise _wrong_state(subject, _HELD)
        stem = subject.path[: -len(segment(0))]
        if stem == (sponsor.path if sponsor else ""):
            return 0
        check_move(subject, sponsor, await deepest(tx, subject.path), policy)
        if actor.role is Role.DISTRIBUTOR:
            check_free(sponsor, await _bound_since(tx, subject), tree.moment, policy)
        graft = Transplant(
            heads=[subject.id], stem=stem, first_path=subject.path, until_path=ceiling(subject.path), sponsor=sponsor
        )
        moved = await transplant(tx, graft, moment=tree.moment, reason=command.reason, actor_id=actor.id)
        await audit.record(
            actor, "distributor.move", str(subject.id), sponsor=command.sponsor, moved=moved, reason=command.reason
        )
    return moved


async def _bound_since(tx: Tx, subject: Seat) -> datetime:
    since: datetime = await tx.value(
        "SELECT valid_from FROM sponsorship WHERE tenant_id = $1 AND distributor_id = $2 AND valid_until IS NULL",
        tx.tenant_id,
        subject.id,
    )
    return since


async def leave(
    distributor_id: DistributorId, *, downline_to: Literal["sponsor", "brand"], reason: str, actor: Actor
) -> int:
    """End a membership: the distributor is exited, its downline hangs under its sponsor or the brand.

    Joins the running transaction of an exit; answers how many distributors moved. Raises ``NotFound`` or
    ``WrongState``.
    """
    async with transaction() as tx:
        tree = await lock_tree(tx, moves=1)
        leaving = await seat_of(tx, distributor_id, "input.distributorId")
        change = Change(cause=Cause.STATUS, reason=reason, actor_id=actor.id)
        here = (Status.ACTIVE, Status.SUSPENDED)
        await _assign(tx, tree.moment, distributor_id, here, "status = 'exited', exited_at = $3", change)
        heads = await tx.rows(
            "SELECT id FROM distributor WHERE tenant_id = $1 AND sponsor_id = $2", tx.tenant_id, distributor_id
        )
        if not heads:
            return 0
        above = leaving.path[: -len(segment(0))] if downline_to == "sponsor" else ""
        heir = await tx.row(f"SELECT {SEAT} FROM distributor WHERE tenant_id = $1 AND path = $2", tx.tenant_id, above)
        graft = Transplant(
            heads=[row["id"] for row in heads],
            stem=leaving.path,
            first_path=leaving.path + segment(0),
            until_path=ceiling(leaving.path),
            sponsor=Seat(**heir) if heir else None,
        )
        return await transplant(tx, graft, moment=tree.moment, reason=reason, actor_id=actor.id)
