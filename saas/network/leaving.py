"""A distributor leaves the tree: who may take its downline, and whole subtrees changing hands (docs/rules.md §7)."""

from collections.abc import Collection, Sequence

from saas.base import clock
from saas.base.db import Tx, reading, transaction
from saas.base.errors import WrongState
from saas.base.ids import DistributorId
from saas.network.enrolment import current_policy
from saas.network.errors import HeirNeeded
from saas.network.rules import DownlineTo, Seat, Status, ceiling, check_heir, segment
from saas.network.standing import Cause, Change, follow
from saas.network.tree import SEAT, LockedTree, Transplant, deepest, lock_tree, seat_of, transplant
from tenants.actors import Actor

_HERE = (Status.ACTIVE, Status.SUSPENDED)


async def fit_heir(distributor_id: DistributorId, heir_id: DistributorId, field: str) -> None:
    """Whether an heir can take the downline of who leaves, as things are now.

    Raises ``NotFound``, ``HeirNotActive``, ``HeirBelow`` or ``DepthExceeded``, all of ``field``.
    """
    async with reading() as tx:
        await _heir(tx, await seat_of(tx, distributor_id, "input.distributorId"), heir_id, field)


async def _heir(tx: Tx, leaving: Seat, heir_id: DistributorId, field: str) -> Seat:
    heir = await seat_of(tx, heir_id, field)
    check_heir(leaving, heir, await deepest(tx, leaving.path), await current_policy(), field)
    return heir


async def leave(
    distributor_id: DistributorId,
    *,
    downline_to: DownlineTo,
    reason: str,
    actor: Actor,
    heir_id: DistributorId | None = None,
) -> int:
    """End a membership: the distributor is exited, its downline hangs under its sponsor, the brand or an heir.

    An heir from directly below takes the place of who leaves. Joins the running transaction of an exit; answers how
    many distributors moved. Raises ``NotFound``, ``WrongState``, ``HeirNeeded``, and what ``fit_heir`` raises.
    """
    async with transaction() as tx:
        tree = await lock_tree(tx, moves=1)
        leaving = await seat_of(tx, distributor_id, "input.distributorId")
        if leaving.status not in _HERE:
            raise WrongState("input.distributorId", kind="distributor", state=leaving.status, needed=" / ".join(_HERE))
        await tx.execute(
            "UPDATE distributor SET status = 'exited', exited_at = $3, changed_at = $3 "
            "WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            distributor_id,
            tree.moment,
        )
        await follow(tx, [distributor_id], tree.moment, Change(cause=Cause.STATUS, reason=reason, actor_id=actor.id))
        heads = await _below(tx, distributor_id)
        if not heads:
            return 0
        bequest = _Bequest(tx, tree, leaving, reason, actor)
        if downline_to != "heir":
            return await bequest.pass_on(heads, await _above(tx, leaving) if downline_to == "sponsor" else None)
        if heir_id is None:
            raise HeirNeeded("input.id")
        heir = await _heir(tx, leaving, heir_id, "input.id")
        if heir.id not in heads:
            return await bequest.pass_on(heads, heir)
        moved = await bequest.raise_heir(heir, await _above(tx, leaving))
        heads.remove(heir.id)
        return moved + (await bequest.pass_on(heads, await seat_of(tx, heir.id, "input.id")) if heads else 0)


async def close_account(distributor_id: DistributorId) -> None:
    """Let no decision reach the accounts of who left any more.

    Joins the running transaction, and waits for whoever has them held. What they ask for can be seen afterwards.
    """
    async with transaction() as tx:
        await tx.execute(
            "UPDATE distributor SET closed_at = $3 WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            distributor_id,
            clock.now(),
        )


async def closed_among(ids: Collection[DistributorId], *, hold: bool) -> Collection[DistributorId]:
    """Those of these distributors whose accounts are closed; with ``hold`` nobody closes one until the end."""
    async with transaction() if hold else reading() as tx:
        rows = await tx.rows(
            f"SELECT id, closed_at FROM distributor WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} "
            f"ORDER BY id{tx.for_update if hold else ''}",
            tx.tenant_id,
            sorted(ids),
        )
    return {row["id"] for row in rows if row["closed_at"] is not None}


async def _below(tx: Tx, distributor_id: DistributorId) -> list[DistributorId]:
    rows = await tx.rows(
        "SELECT id FROM distributor WHERE tenant_id = $1 AND sponsor_id = $2", tx.tenant_id, distributor_id
    )
    return [row["id"] for row in rows]


async def _above(tx: Tx, leaving: Seat) -> Seat | None:
    above = leaving.path[: -len(segment(0))]
    row = await tx.row(f"SELECT {SEAT} FROM distributor WHERE tenant_id = $1 AND path = $2", tx.tenant_id, above)
    return Seat(**row) if row else None


class _Bequest:
    """The downline of one who left, on its way to others."""

    def __init__(self, tx: Tx, tree: LockedTree, leaving: Seat, reason: str, actor: Actor) -> None:
        self._tx = tx
        self._tree = tree
        self._leaving = leaving
        self._reason = reason
        self._actor = actor

    async def pass_on(self, heads: Sequence[DistributorId], to: Seat | None) -> int:
        """Give everybody still below to one who takes them, or to the brand."""
        path = self._leaving.path
        return await self._transplant(heads, path + segment(0), ceiling(path), to)

    async def raise_heir(self, heir: Seat, to: Seat | None) -> int:
        """Let an heir from directly below go up to the sponsor of who left, with all of its own."""
        return await self._transplant([heir.id], heir.path, ceiling(heir.path), to)

    async def _transplant(self, heads: Sequence[DistributorId], first: str, until: str, to: Seat | None) -> int:
        graft = Transplant(heads=heads, stem=self._leaving.path, first_path=first, until_path=until, sponsor=to)
        return await transplant(self._tx, graft, moment=self._tree.moment, reason=self._reason, actor_id=self._actor.id)
