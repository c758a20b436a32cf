"""Taking people into the tree, one or many at once (docs/rules.md §2.1, §2.5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from saas.base.db import Tx, transaction
from saas.base.errors import DomainError, Rejected
from saas.base.idempotency import Claim, claim_many, fingerprint, look_up
from saas.base.ids import DistributorId, new_id
from saas.base.vault import keyed_hash
from saas.network import orange
from saas.network.contact import normal_id_number, normal_phone
from saas.network.errors import Barred
from saas.network.rules import Enrol, Ground, Policy, Seat, Status, full_regions, place, policy_of
from saas.network.tree import SEAT, lock_tree, plant
from tenants import audit
from tenants.actors import Actor, Role
from tenants.program.versions import active_program


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
    policy = await current_policy()
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
            errors.extend(full_regions(wanted, paths, policy, await _agents(tx, wanted, policy)))
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
        # Two questions and not one with OR, for which SQLite reads the whole brand.
        f"SELECT {SEAT} FROM distributor WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} "
        f"UNION SELECT {SEAT} FROM distributor WHERE tenant_id = $1 AND code {tx.within(3, 'text')}",
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


async def _agents(tx: Tx, requests: Sequence[Enrol], policy: Policy) -> Mapping[str, int]:
    """How many distributors the regions have that are limited, applicants included."""
    regions = {request.region for request in requests if policy.agents_in(request.region) is not None}
    return await agents_of(tx, regions, (Status.APPLIED, Status.ACTIVE, Status.SUSPENDED))


async def agents_of(tx: Tx, regions: Collection[str | None], statuses: Sequence[Status]) -> Mapping[str, int]:
    """How many distributors of these statuses each region has."""
    if not regions:
        return {}
    states = ", ".join(f"'{status}'" for status in statuses)
    rows = await tx.rows(
        f"SELECT region, count(*) AS agents FROM distributor "
        f"WHERE tenant_id = $1 AND region {tx.within(2, 'text')} AND status IN ({states}) GROUP BY region",
        tx.tenant_id,
        list(regions),
    )
    return {row["region"]: row["agents"] for row in rows}


async def current_policy() -> Policy:
    """What the program in force says about the shape of the tree. Raises ``NoActiveProgram``."""
    return policy_of((await active_program()).program)
