"""Everybody's tier and status at any moment, in memory: the chains of a brand's whole past (docs/rules.md §6).

For what reads many orders again: replays under a draft, and the proof that what was settled is what the rules give.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from saas.base.db import reading
from saas.base.ids import DistributorId
from saas.network.rules import Status, numbers_of


class RollMember(NamedTuple):
    """One of a chain as it was at a moment; ``tier`` is None in a program without tiers."""

    id: DistributorId
    code: str
    tier: str | None
    status: Status


class _Past(NamedTuple):
    """The states of one distributor, or the chains of one path: ``states[i]`` holds until ``turns[i]``."""

    turns: Sequence[datetime]
    states: Sequence[RollMember]


class _Chains(NamedTuple):
    turns: Sequence[datetime]
    chains: Sequence[tuple[RollMember, ...]]


class Roll:
    """The members of a brand by their number, with all they ever were.

    Before the first thing known of a member it is what it was then.
    """

    __slots__ = ("_known", "_pasts")

    def __init__(self, pasts: Mapping[int, _Past]) -> None:
        self._pasts = pasts
        self._known: dict[str, _Chains] = {}

    def chain(self, path: str, moment: datetime) -> tuple[RollMember, ...]:
        """The members along a path as they were at a moment: the seller first, the root last.

        Equal answers are one tuple, so that what follows from it can be kept by it. Raises ``KeyError`` for a path
        of another brand.
        """
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._chains(path)
        turns = known.turns
        return known.chains[bisect_right(turns, moment) if turns else 0]

    def _chains(self, path: str) -> _Chains:
        pasts = [self._pasts[no] for no in reversed(numbers_of(path))]
        turns = sorted({turn for past in pasts for turn in past.turns})
        if not turns:
            return _Chains((), (tuple(past.states[0] for past in pasts),))
        # The states that a turn begins hold at it: intervals are half-open.
        later = [tuple(past.states[bisect_right(past.turns, turn)] for past in pasts) for turn in turns]
        return _Chains(turns, (tuple(past.states[0] for past in pasts), *later))


async def roll() -> Roll:
    """Read the whole brand, in two statements."""
    async with reading() as tx:
        people = await tx.rows("SELECT id, no, code, tier, status FROM distributor WHERE tenant_id = $1", tx.tenant_id)
        changed = await tx.rows(
            "SELECT distributor_id, valid_from, tier, status FROM standing WHERE tenant_id = $1 AND distributor_id IN "
            "(SELECT distributor_id FROM standing WHERE tenant_id = $1 AND valid_until IS NOT NULL) "
            "ORDER BY distributor_id, valid_from",
            tx.tenant_id,
        )
    moments: dict[DistributorId, list[tuple[datetime, str, str]]] = {}
    for row in changed:
        moments.setdefault(row["distributor_id"], []).append((row["valid_from"], row["tier"], row["status"]))
    pasts: dict[int, _Past] = {}
    for row in people:
        id_, code = row["id"], row["code"]
        intervals = moments.get(id_)
        if intervals is None:
            pasts[row["no"]] = _Past((), (_member(id_, code, row["tier"], row["status"]),))
        else:
            states = [_member(id_, code, tier, status) for _, tier, status in intervals]
            pasts[row["no"]] = _Past([moment for moment, _, _ in intervals[1:]], states)
    return Roll(pasts)


def _member(id_: DistributorId, code: str, tier: str, status: str) -> RollMember:
    return RollMember(id_, code, tier or None, Status(status))
