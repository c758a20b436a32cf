"""Moving whole subtrees, one at a time and many at once (docs/rules.md §7)."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError, NotFound, WrongState
from saas.base.ids import DistributorId
from saas.network.commands import Move, enrol, leave, move, reject, suspend
from saas.network.errors import DepthExceeded, MoveMakesCycle, SponsorBound, SponsorNotActive
from saas.network.queries import chains, history
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import T0, distributor, plant, request, row, staff, stored, two_brands
from tests.tenants.people import audited, table_of

Ids = Mapping[str, DistributorId]


async def moved(ids: Ids, subject: str, sponsor: str | None) -> int:
    """Move by code, by the brand."""
    command = Move(distributor=ids[subject], sponsor=ids[sponsor] if sponsor else None, reason="test")
    return await move(command, staff())


async def path_of(code: str) -> str:
    """The stored path."""
    return (await chains([(await row(code)).id]))[(await row(code)).id].path


def consistent(tree: Mapping[str, tuple[str | None, str, int]]) -> None:
    """Every path is the sponsor's and one step more, and the depth counts the steps."""
    for code, (sponsor, path, depth) in tree.items():
        assert path == (f"{tree[sponsor][1]}/{code}" if sponsor else code)
        assert depth == path.count("/")


async def test_fifteen_move_when_fifteen_are_meant(db: Database) -> None:
    """A subtree of 15 and one of 5 in a tree whose paths contain each other as text.

    R1's path is 000001. P's is 000010 below it and Q's 000011 below that, so that 000001 appears again across the two;
    it does in T's downline too (000020, then 00001I and on), which must stay where it is.
    """
    await two_brands()
    tree: dict[str, str | None] = {f"R{i}": None for i in range(1, 32)}
    tree |= {"P": "R1", "Q": "P"}
    tree |= {f"A{i}": "R1" if i < 4 else f"A{i // 4}" for i in range(12)}
    tree |= {f"B{i}": "R15" for i in range(4)}
    tree |= {f"C{i}": "T" for i in range(14)} | {"T": None}
    tree |= {"D0": "R5", "D1": "D0"}
    with as_tenant(CEDAR):
        await plant(tree)
        cedar = await table_of(CEDAR, "distributor")
    with as_tenant(LOTUS):
        ids = await plant(tree)
        before = await stored()
        assert await moved(ids, "R1", "D1") == 15
        assert await moved(ids, "R15", "A11") == 5
        after = await stored()
        consistent(after)
        assert "000001" in (await path_of("C0"))[1:]
        untouched = set(tree) - {"R1", "R15", "P", "Q"} - {code for code in tree if code[0] in "AB"}
        assert {code: after[code] for code in untouched} == {code: before[code] for code in untouched}
        assert after["Q"] == ("P", "R5/D0/D1/R1/P/Q", 5)
        assert after["B0"][1] == "R5/D0/D1/R1/A2/A11/R15/B0"
    assert await table_of(CEDAR, "distributor") == cedar


async def test_a_move_is_written_to_history_and_audit(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": "A", "C": "B"})
        office = staff()
        with clock.at(T0 + timedelta(days=5)):
            assert await move(Move(distributor=ids["B"], sponsor=None, reason="dispute"), office) == 2
        first, second = await history(ids["B"])
        assert (first.sponsor_id, first.valid_from, first.valid_until) == (ids["A"], T0, T0 + timedelta(days=5))
        assert (second.sponsor_id, second.valid_from, second.valid_until) == (None, T0 + timedelta(days=5), None)
        assert (second.reason, second.actor_id) == ("dispute", office.id)
        assert len(await history(ids["C"])) == 1
        assert await move(Move(distributor=ids["B"], sponsor=None, reason="again"), office) == 0
        assert len(await history(ids["B"])) == 2
    assert [action for _, action in await audited(LOTUS)].count("distributor.move") == 1


async def test_a_clock_that_goes_back_does_not_rewrite_history(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": "A", "C": None})
        with clock.at(T0 - timedelta(hours=1)):
            await moved(ids, "B", "C")
        first, second = await history(ids["B"])
        assert (first.valid_until, second.valid_from) == (T0, T0)


async def test_circles_depth_and_closed_doors_are_refused(db: Database) -> None:
    await two_brands(depth_limit=4)
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": "A", "C": "B", "D": "C", "E": None, "F": "E", "G": None})
        await suspend(ids["G"], "test", staff())
        before = await table_of(LOTUS, "distributor")
        for subject, sponsor, refusal in (
            ("A", "A", MoveMakesCycle),
            ("A", "D", MoveMakesCycle),
            ("B", "C", MoveMakesCycle),
            ("B", "F", DepthExceeded),
            ("B", "G", SponsorNotActive),
        ):
            with pytest.raises(refusal):
                await moved(ids, subject, sponsor)
        assert await table_of(LOTUS, "distributor") == before
        assert await moved(ids, "B", "E") == 3
        assert await moved(ids, "G", "F") == 1, "a suspended one may be moved"


async def test_nobody_moves_across_brands(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ours = await plant({"A": None, "B": None})
    with as_tenant(CEDAR):
        theirs = await plant({"X": None})
        for command in (
            Move(distributor=ours["A"], sponsor=theirs["X"], reason="test"),
            Move(distributor=theirs["X"], sponsor=ours["A"], reason="test"),
        ):
            with pytest.raises(NotFound):
                await move(command, staff())
        with pytest.raises(NotFound):
            await leave(ours["A"], downline_to="brand", reason="", actor=staff())
        assert await stored() == {"X": (None, "X", 0)}
    with as_tenant(LOTUS):
        assert await stored() == {"A": (None, "A", 0), "B": (None, "B", 0)}


async def test_the_sponsor_binding_holds_for_distributors(db: Database) -> None:
    await two_brands(sponsor_binding={"kind": "days", "days": 30})
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": "A", "C": None})
        command = Move(distributor=ids["B"], sponsor=ids["C"], reason="closer by")
        with clock.at(T0 + timedelta(days=29)), pytest.raises(SponsorBound):
            await move(command, distributor(ids["B"]))
        with clock.at(T0 + timedelta(days=30)):
            with pytest.raises(NotFound):
                await move(command, distributor(ids["A"]))
            assert await move(command, distributor(ids["B"])) == 1
            with pytest.raises(SponsorBound):  # bound to the new sponsor from now on
                await move(Move(distributor=ids["B"], sponsor=ids["A"], reason="test"), distributor(ids["B"]))


async def test_a_permanent_binding_leaves_moves_to_the_brand(db: Database) -> None:
    await two_brands(sponsor_binding={"kind": "permanent"})
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": "A", "C": None})
        with clock.at(T0 + timedelta(days=9999)), pytest.raises(SponsorBound):
            await move(Move(distributor=ids["B"], sponsor=ids["C"], reason="test"), distributor(ids["B"]))
        assert await moved(ids, "B", "C") == 1


@pytest.mark.parametrize(("target", "sponsor", "path"), [("sponsor", "A", "A/"), ("brand", None, "")])
async def test_whoever_leaves_hands_over_whole_subtrees(
    db: Database, target: str, sponsor: str | None, path: str
) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": "A", "C": "B", "D": "C", "E": "B", "F": "A"})
        count = await leave(ids["B"], downline_to=target, reason="exit", actor=staff())  # type: ignore[arg-type]  # a parameter of the test
        assert count == 3
        after = await stored()
        consistent(after)
        assert after["B"] == ("A", "A/B", 1)
        assert (after["C"][0], after["C"][1]) == (sponsor, f"{path}C")
        assert (after["D"][1], after["E"][1]) == (f"{path}C/D", f"{path}E")
        assert after["F"] == ("A", "A/F", 1)
        assert [len(await history(ids[code])) for code in "BCDE"] == [1, 2, 1, 2]
        assert (await row("B")).exited_at is not None
        for again in (
            leave(ids["B"], downline_to="brand", reason="", actor=staff()),
            move(Move(distributor=ids["B"], sponsor=None, reason="test"), staff()),
        ):
            with pytest.raises(WrongState):
                await again


async def test_an_applicant_cannot_leave_and_the_rejected_cannot_move(db: Database) -> None:
    await two_brands(applicant_review="manual")
    with as_tenant(LOTUS):
        id_ = await enrol(request("A"), staff())
        with pytest.raises(WrongState):
            await leave(id_, downline_to="brand", reason="", actor=staff())
        await reject(id_, "test", staff())
        with pytest.raises(WrongState):
            await move(Move(distributor=id_, sponsor=None, reason="test"), staff())


async def test_two_moves_at_once_make_no_circle(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        pairs = range(8)
        ids = await plant({f"{side}{i}": None for i in pairs for side in "AB"} | {f"C{i}": f"B{i}" for i in pairs})
        moves = [step for i in pairs for step in (moved(ids, f"A{i}", f"C{i}"), moved(ids, f"B{i}", f"A{i}"))]
        results = await asyncio.gather(*moves, return_exceptions=True)
        for i in pairs:
            won, lost = sorted(results[2 * i : 2 * i + 2], key=lambda result: isinstance(result, DomainError))
            assert isinstance(won, int)
            assert isinstance(lost, MoveMakesCycle)
        consistent(await stored())


async def test_an_enrolment_under_a_moving_node_lands_under_it(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": None, "M": "A", "N": "M"})
        steps = [
            step
            for i in range(8)
            for step in (moved(ids, "M", "AB"[(i + 1) % 2]), enrol(request(f"E{i}", ids["N"]), staff()))
        ]
        await asyncio.gather(*steps)
        tree = await stored()
        consistent(tree)
        assert [tree[f"E{i}"][0] for i in range(8)] == ["N"] * 8


async def test_an_enrolment_while_the_sponsor_leaves_ends_above_or_is_refused(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None} | {f"M{i}": "A" for i in range(6)})
        steps = [
            step
            for i in range(6)
            for step in (
                enrol(request(f"E{i}", ids[f"M{i}"]), staff()),
                leave(ids[f"M{i}"], downline_to="sponsor", reason="", actor=staff()),
            )
        ]
        await asyncio.gather(*steps, return_exceptions=True)
        tree = await stored()
        consistent(tree)
        assert {tree[code][0] for code in tree if code.startswith("E")} <= {"A"}
        assert {(await row(f"M{i}")).status for i in range(6)} == {"exited"}
