"""The statements that change the tree, for ``commands.py``: the lock, planting new members, transplanting subtrees.

Whatever changes the shape of the tree first updates the brand's row of ``network_tree``, which is a lock on both
databases: two moves at once cannot make a circle, and nobody enrols under a path that is being rewritten.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.base import clock
from saas.base.db import Tx, as_time
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, new_id
from saas.base.vault import seal
from saas.network.contact import masked_id_number, masked_phone, normal_id_number, normal_phone
from saas.network.orange import Number, hash_of
from saas.network.rules import Enrol, Placement, Seat, Status, ceiling, depth_of
from saas.network.standing import begin

SEAT = "id, code, path, tier, status"
"""The columns of a ``Seat``."""

_DISTRIBUTOR = (
    "id",
    "no",
    "code",
    "name",
    "kind",
    "status",
    "tier",
    "region",
    "sponsor_id",
    "path",
    "depth",
    "phone_sealed",
    "phone_masked",
    "phone_hash",
    "id_number_masked",
    "id_number_hash",
    "applied_at",
    "joined_at",
    "changed_at",
)
_SPONSORSHIP = ("id", "distributor_id", "sponsor_id", "valid_from", "reason", "actor_id")


@dataclass(frozen=True, slots=True)
class LockedTree:
    """The tree, still until the transaction ends: the first number reserved, and the moment of the change.

    ``moment`` never lies before an earlier change, whatever the clocks of several machines say, so that the history
    can be read as of any moment.
    """

    first_no: int
    moment: datetime


async def lock_tree(tx: Tx, *, numbers: int = 0, moves: int = 0) -> LockedTree:
    """Hold the tree of the brand and reserve ``numbers`` for new members.

    The clock is read when the lock is held: whoever sells under ``standstill`` has decided before, or decides after.
    """
    if tx.for_update:
        await tx.rows(f"SELECT moves FROM network_tree WHERE tenant_id = $1{tx.for_update}", tx.tenant_id)
    row = await tx.row(
        "INSERT INTO network_tree (tenant_id, next_no, moves, changed_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (tenant_id) DO UPDATE SET next_no = network_tree.next_no + excluded.next_no - 1, "
        "moves = network_tree.moves + excluded.moves, changed_at = CASE "
        "WHEN network_tree.changed_at > excluded.changed_at THEN network_tree.changed_at ELSE excluded.changed_at END "
        "RETURNING next_no, changed_at",
        tx.tenant_id,
        numbers + 1,
        moves,
        clock.now(),
    )
    moment = as_time(row and row["changed_at"])
    if row is None or moment is None:
        raise RuntimeError("the row of the tree could not be locked")
    return LockedTree(row["next_no"] - numbers, moment)


async def seat_of(tx: Tx, distributor_id: DistributorId, field: str) -> Seat:
    """The seat of a distributor, as it is after the lock. Raises ``NotFound``."""
    row = await tx.row(f"SELECT {SEAT} FROM distributor WHERE tenant_id = $1 AND id = $2", tx.tenant_id, distributor_id)
    if row is None:
        raise NotFound(field, kind="distributor", value=distributor_id)
    return Seat(**row)


async def plant(tx: Tx, placed: Sequence[Placement], moment: datetime, actor_id: UUID | None) -> None:
    """Write new members with their first sponsorship and standing, sponsors first."""
    ordered = sorted(placed, key=lambda placement: placement.seat.depth)
    await tx.insert_many("distributor", _DISTRIBUTOR, [_row(placement, moment) for placement in ordered])
    await tx.insert_many(
        "sponsorship",
        _SPONSORSHIP,
        [(new_id(), new.seat.id, new.sponsor_id, moment, "enrolment", actor_id) for new in ordered],
    )
    await begin(tx, [new.seat for new in ordered], moment, actor_id)


def _row(new: Placement, moment: datetime) -> tuple[object, ...]:
    request, seat = new.request, new.seat
    return (
        seat.id,
        new.no,
        seat.code,
        request.name.strip(),
        request.kind,
        seat.status,
        seat.tier,
        request.region,
        new.sponsor_id,
        seat.path,
        seat.depth,
        *_contact(request, seat.id),
        moment,
        moment if seat.status == Status.ACTIVE else None,
        moment,
    )


def _contact(request: Enrol, row: UUID) -> tuple[str | None, ...]:
    """A phone sealed, masked and hashed, an ID number masked and hashed: neither is stored in clear."""
    phone = normal_phone(request.phone) if request.phone else None
    id_number = normal_id_number(request.id_number) if request.id_number else None
    return (
        seal(phone, row) if phone else None,
        masked_phone(phone) if phone else None,
        hash_of(Number.PHONE, phone) if phone else None,
        masked_id_number(id_number) if id_number else None,
        hash_of(Number.ID_NUMBER, id_number) if id_number else None,
    )


async def deepest(tx: Tx, path: str) -> int:
    """The depth of the lowest member of a subtree."""
    depth: int = await tx.value(
        "SELECT max(depth) FROM distributor WHERE tenant_id = $1 AND path >= $2 AND path < $3",
        tx.tenant_id,
        path,
        ceiling(path),
    )
    return depth


@dataclass(frozen=True, slots=True, kw_only=True)
class Transplant:
    """Subtrees that hang under ``stem`` (a path, empty for the brand) and go together to ``sponsor``.

    ``heads`` are their topmost members, ``first_path`` the lowest path among all that go, and ``until_path`` the
    first beyond.
    """

    heads: Collection[DistributorId]
    stem: str
    first_path: str
    until_path: str
    sponsor: Seat | None


async def transplant(tx: Tx, graft: Transplant, *, moment: datetime, reason: str, actor_id: UUID | None) -> int:
    """Rewrite the paths of whole subtrees in one statement and the heads' history; answer how many members moved.

    All that go hang under one stem, so the heads are those one generation below it.
    """
    sponsor_id = graft.sponsor.id if graft.sponsor else None
    stem = graft.sponsor.path if graft.sponsor else ""
    moved = await tx.execute(
        "UPDATE distributor SET path = CAST($2 AS text) || substr(path, $3), depth = depth + $4, "
        "sponsor_id = CASE WHEN depth = $6 THEN $5 ELSE sponsor_id END "
        "WHERE tenant_id = $1 AND path >= $7 AND path < $8",
        tx.tenant_id,
        stem,
        len(graft.stem) + 1,
        depth_of(stem) - depth_of(graft.stem),
        sponsor_id,
        depth_of(graft.stem) + 1,
        graft.first_path,
        graft.until_path,
    )
    closed = await tx.execute(
        f"UPDATE sponsorship SET valid_until = $2 "
        f"WHERE tenant_id = $1 AND valid_until IS NULL AND distributor_id {tx.within(3, 'uuid')}",
        tx.tenant_id,
        moment,
        list(graft.heads),
    )
    if closed != len(graft.heads):
        raise RuntimeError(f"{len(graft.heads)} distributors move and {closed} sponsorships end")
    await tx.insert_many(
        "sponsorship",
        _SPONSORSHIP,
        [(new_id(), head, sponsor_id, moment, reason, actor_id) for head in graft.heads],
    )
    return moved
