"""Who takes the downline of one who leaves: a named heir, wherever it stands (docs/rules.md §7)."""

import asyncio
from typing import Any

import pytest

from saas.base.errors import DomainError, NotFound
from saas.base.ids import DistributorId, new_id
from saas.exits.commands import ExitRequest, QuoteExit, preview_exit, quote_exit
from saas.exits.errors import HeirNotAsked
from saas.exits.queries import ExitView, exit_by_id
from saas.exits.rules import ExitKind, ExitState
from saas.network.commands import Move, enrol, leave, move, reinstate, suspend
from saas.network.errors import DepthExceeded, HeirBelow, HeirNeeded, HeirNotActive
from saas.network.queries import history
from saas.network.rules import Status
from tests.exits.world import Ids, approved, executed, quoted, use_exit
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, request, row, staff, stored, use_program

TO_HEIR = {kind.value: {"downline_to": "heir", "pending": "keep"} for kind in ExitKind}


@pytest.fixture
async def tree(shops: tuple[Ids, Ids]) -> Ids:
    """Lotus: A → B → C → D, C2 below B too, and H → H1 beside them; heirs are named."""
    ids, _ = shops
    with as_tenant(LOTUS):
        await use_exit(**TO_HEIR)
        ids["C2"] = await enrol(request("C2", ids["B"]), staff())
        ids["H"] = await enrol(request("H"), staff())
        ids["H1"] = await enrol(request("H1", ids["H"]), staff())
    return ids


async def test_an_heir_outside_takes_everybody(tree: Ids) -> None:
    with as_tenant(LOTUS):
        case = await approved(tree["B"], heir_id=tree["H1"])
        assert (case.quote.downline_to, case.quote.heir_id) == ("heir", tree["H1"])
        await executed(case.id)
        assert await stored() == {
            "A": (None, "A", 0),
            "B": ("A", "A/B", 1),
            "H": (None, "H", 0),
            "H1": ("H", "H/H1", 1),
            "C": ("H1", "H/H1/C", 2),
            "C2": ("H1", "H/H1/C2", 2),
            "D": ("C", "H/H1/C/D", 3),
        }
        assert [h.sponsor_id for h in await history(tree["C"])] == [tree["B"], tree["H1"]]


async def test_an_heir_from_directly_below_takes_the_place(tree: Ids) -> None:
    with as_tenant(LOTUS):
        await executed((await approved(tree["B"], heir_id=tree["C"])).id)
        have = await stored()
        assert {code: have[code] for code in ("C", "C2", "D")} == {
            "C": ("A", "A/C", 1),
            "C2": ("C", "A/C/C2", 2),
            "D": ("C", "A/C/D", 2),
        }
        await executed((await approved(tree["A"], heir_id=tree["C"])).id)
        assert (await stored())["D"] == ("C", "C/D", 1)
        assert (await stored())["B"] == ("C", "C/B", 1), "who left before goes with the rest"
        await executed((await approved(tree["C2"])).id)
        assert (await row("C2")).status is Status.EXITED, "without a downline no heir is needed"


@pytest.mark.parametrize(
    ("heir", "error"),
    [("D", HeirBelow), ("B", HeirBelow), ("S", HeirNotActive), (None, HeirNeeded), ("nobody", NotFound)],
)
async def test_who_cannot_be_an_heir(tree: Ids, heir: str | None, error: type[DomainError]) -> None:
    with as_tenant(LOTUS):
        tree["S"] = await enrol(request("S"), staff())
        await suspend(tree["S"], "for a while", staff())
        heir_id = tree.get(heir or "", DistributorId(new_id())) if heir else None
        for ask in (
            quoted(tree["B"], heir_id=heir_id),
            preview_exit(ExitRequest(distributor_id=tree["B"], kind=ExitKind.BREACH, heir_id=heir_id)),
        ):
            with pytest.raises(error) as caught:
                await ask
            assert caught.value.field == "input.heirId"


async def test_the_tree_grows_no_deeper_than_the_program_allows(tree: Ids) -> None:
    with as_tenant(LOTUS):
        await use_program("lotus", applicant_review="automatic", depth_limit=4, level_names=[])
        await use_exit(**TO_HEIR)
        await quoted(tree["C"], heir_id=tree["H1"])  # D would come to stand third
        below = await enrol(request("H2", tree["H1"]), staff())
        with pytest.raises(DepthExceeded):
            await quoted(tree["B"], heir_id=below)
        await quoted(tree["B"], heir_id=tree["C"])


async def test_the_program_says_whether_an_heir_is_named(shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    with as_tenant(LOTUS), pytest.raises(HeirNotAsked):
        await quoted(ids["B"], heir_id=ids["C"])
    with as_tenant(CEDAR):
        await use_exit(**TO_HEIR)
        with pytest.raises(NotFound):
            await quoted(theirs["B"], heir_id=ids["C"])


async def test_a_distributor_names_one_directly_below(tree: Ids) -> None:
    def asked(heir: str) -> QuoteExit:
        return QuoteExit(
            distributor_id=tree["B"],
            kind=ExitKind.VOLUNTARY,
            heir_id=tree[heir],
            reason="r",
            idempotency_key=heir,
        )

    with as_tenant(LOTUS):
        for stranger in ("H", "A", "D", "B"):
            with pytest.raises(NotFound):
                await quote_exit(asked(stranger), distributor(tree["B"]))
        assert (await quote_exit(asked("C2"), distributor(tree["B"]))).quote.heir_id == tree["C2"]


async def test_an_heir_that_went_meanwhile_stops_the_exit(tree: Ids) -> None:
    with as_tenant(LOTUS):
        case = await approved(tree["B"], heir_id=tree["H1"])
        await suspend(tree["H1"], "for a while", staff())
        before = await stored()
        with pytest.raises(HeirNotActive) as caught:
            await executed(case.id)
        assert caught.value.field == "input.id"
        assert (await stored(), (await exit_by_id(case.id)).status) == (before, ExitState.APPROVED)
        await reinstate(tree["H1"], "back", staff())
        assert (await executed(case.id)).status is ExitState.EXECUTED


async def test_somebody_new_below_needs_an_heir(tree: Ids) -> None:
    with as_tenant(LOTUS):
        case = await approved(tree["D"])
        await enrol(request("E", tree["D"]), staff())
        with pytest.raises(HeirNeeded):
            await executed(case.id)
        with pytest.raises(HeirNeeded):
            await leave(tree["D"], downline_to="heir", reason="test", actor=staff())


async def test_exits_of_neighbours_and_moves_at_once_leave_a_sound_tree(tree: Ids) -> None:
    """B goes to C, C to D, A to B: whoever comes first, nobody hangs under one who left."""
    with as_tenant(LOTUS):
        cases = [await approved(tree[who], heir_id=tree[heir]) for who, heir in (("B", "C"), ("C", "D"), ("A", "B"))]
        acts: list[Any] = [executed(case.id) for case in cases]
        acts.append(move(Move(distributor=tree["C"], sponsor=tree["H"], reason="region"), staff()))
        acts.append(move(Move(distributor=tree["D"], sponsor=tree["C2"], reason="region"), staff()))
        results = await asyncio.gather(*acts, return_exceptions=True)
        assert any(isinstance(result, ExitView) for result in results)
        for result in results:
            assert not isinstance(result, BaseException) or isinstance(result, DomainError), result
        have = await stored()  # which compares paths and sponsors
        gone = {code for code in have if (await row(code)).status is Status.EXITED}
        assert not {sponsor for sponsor, _, _ in have.values()} & gone
