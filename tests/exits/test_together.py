"""Many exits decided at once: each in a transaction of its own, each with a verdict of its own (docs/rules.md §7)."""

import asyncio
from collections.abc import Sequence

import pytest

from saas.base.errors import IdempotencyConflict, InvalidInput
from saas.base.ids import ExitId, new_id
from saas.exits import together
from saas.exits.commands import ExecuteExit, execute_exit, reject_exit
from saas.exits.rules import ExitKind, ExitState
from saas.exits.together import TOGETHER_MOST, ApproveExits, Decided, ExecuteExits, approve_exits, execute_exits
from saas.network.rules import Status
from tenants.actors import Actor
from tenants.errors import Forbidden
from tests.api.rows import changes, rows_of
from tests.exits.world import Ids, approved, quoted, use_exit
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, row, staff, stored
from tests.orders.world import balances, paid
from tests.tenants.people import audited


def verdicts(decided: Sequence[Decided]) -> list[str]:
    """What became of each: its state, or why not."""
    return [one.errors[0].code if one.errors else str(one.exit and one.exit.status) for one in decided]


def wish(*ids: ExitId, key: str = "k", dry_run: bool = False) -> ExecuteExits:
    return ExecuteExits(exit_ids=ids, idempotency_key=key, dry_run=dry_run)


async def test_one_refused_keeps_no_other_from_being_approved(shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    with as_tenant(CEDAR):
        foreign = await quoted(theirs["B"])
    with as_tenant(LOTUS):
        first, mine, done, last = [await quoted(ids[code]) for code in "ABCD"]
        await reject_exit(done.id, "stays", staff())
        me = Actor(tenant_id=LOTUS, role=staff().role, id=mine.requested_by, label="asked")
        cases = [first.id, mine.id, done.id, foreign.id, ExitId(new_id()), last.id]
        before = await rows_of(LOTUS)
        looked = await approve_exits(ApproveExits(exit_ids=cases, dry_run=True), me)
        assert changes(before, await rows_of(LOTUS)) == {}
        decided = await approve_exits(ApproveExits(exit_ids=cases), me)
        expected = ["approved", "EXIT_NEEDS_SECOND_PERSON", "WRONG_STATE", "NOT_FOUND", "NOT_FOUND", "approved"]
        assert verdicts(decided) == expected
        assert verdicts(looked) == ["quoted", *expected[1:5], "quoted"]
        assert [one.errors[0].field for one in decided if one.errors] == [f"input.ids[{i}]" for i in (1, 2, 3, 4)]
        assert [one.exit.status if one.exit else None for one in decided[1:5]] == ["quoted", "rejected", None, None]
        assert [action for _, action in await audited(LOTUS)].count("exit.approve") == 2
    with as_tenant(CEDAR):
        assert (await approve_exits(ApproveExits(exit_ids=[foreign.id], dry_run=True), staff()))[0].errors == ()


async def test_each_is_executed_or_refused_by_itself(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await paid(ids["D"])  # D 10.00, C 15.00, B 20.00
        forfeits = await approved(ids["B"], ExitKind.BREACH)
        waits, keeps = await quoted(ids["C"]), await approved(ids["D"])
        cases = [forfeits.id, waits.id, keeps.id]
        before = await rows_of(LOTUS)
        assert verdicts(await execute_exits(wish(*cases, dry_run=True), staff())) == [
            "approved", "WRONG_STATE", "approved",
        ]  # fmt: skip
        assert changes(before, await rows_of(LOTUS)) == {}
        asking = staff()
        decided = await execute_exits(wish(*cases), asking)
        assert verdicts(decided) == ["executed", "WRONG_STATE", "executed"]
        assert await balances() == {("D", "pending"): 1_000, ("C", "pending"): 1_500}
        assert {code: (await row(code)).status for code in "BCD"} == {
            "B": Status.EXITED, "C": Status.ACTIVE, "D": Status.EXITED,
        }  # fmt: skip
        assert (await stored())["C"] == ("A", "A/C", 1)
        after = await rows_of(LOTUS)
        again = await execute_exits(wish(*cases), asking)
        assert (verdicts(again), [one.exit for one in again]) == (verdicts(decided), [one.exit for one in decided])
        assert changes(after, await rows_of(LOTUS)) == {}
        with pytest.raises(IdempotencyConflict):
            await execute_exits(wish(keeps.id), asking)
        assert verdicts(await execute_exits(wish(*cases, key="other"), asking)) == ["WRONG_STATE"] * 3


async def test_what_was_refused_is_tried_again_under_the_same_key(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        ready, late = await approved(ids["D"]), await quoted(ids["C"])
        assert verdicts(await execute_exits(wish(ready.id, late.id), staff())) == ["executed", "WRONG_STATE"]
        await approve_exits(ApproveExits(exit_ids=[late.id]), staff())
        assert verdicts(await execute_exits(wish(ready.id, late.id), staff())) == ["executed", "executed"]


async def test_in_their_order_and_in_a_dry_run_each_as_things_are_now(shops: tuple[Ids, Ids]) -> None:
    """D is to take the place of C, and leaves before it."""
    ids, _ = shops
    with as_tenant(LOTUS):
        await use_exit(voluntary={"downline_to": "heir", "pending": "keep"})
        above, heir = await approved(ids["C"], heir_id=ids["D"]), await approved(ids["D"])
        assert verdicts(await execute_exits(wish(heir.id, above.id, dry_run=True), staff())) == ["approved"] * 2
        decided = await execute_exits(wish(heir.id, above.id), staff())
        assert verdicts(decided) == ["executed", "HEIR_NOT_ACTIVE"]
        assert decided[1].exit is not None and decided[1].exit.status is ExitState.APPROVED


async def test_a_process_that_dies_between_two_leaves_the_first_and_goes_on_with_the_second(
    shops: tuple[Ids, Ids], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        cases = [(await approved(ids[code])).id for code in "BD"]

        async def dies(command: ExecuteExit, actor: Actor) -> object:
            if command.exit_id == cases[1]:
                raise asyncio.CancelledError
            return await execute_exit(command, actor)

        with monkeypatch.context() as patched:
            patched.setattr(together, "execute_exit", dies)
            with pytest.raises(asyncio.CancelledError):
                await execute_exits(wish(*cases), staff())
        assert {code: (await row(code)).status for code in "BD"} == {"B": Status.EXITED, "D": Status.ACTIVE}
        assert verdicts(await execute_exits(wish(*cases), staff())) == ["executed", "executed"]


async def test_the_same_exits_at_once_happen_once(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await paid(ids["D"])
        cases = [(await approved(ids[code], ExitKind.BREACH)).id for code in "BCD"]
        tries = [execute_exits(wish(*cases, key=f"t{i % 2}"), staff()) for i in range(6)]
        results = [verdicts(one) for one in await asyncio.gather(*tries)]
        for at in range(3):
            assert {result[at] for result in results} == {"executed", "WRONG_STATE"}
        assert await balances() == {}


async def test_only_people_of_the_brand_and_not_too_many(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        case = await approved(ids["D"])
        for many in ([], [case.id] * (TOGETHER_MOST + 1)):
            with pytest.raises(InvalidInput):
                await approve_exits(ApproveExits(exit_ids=many), staff())
            with pytest.raises(InvalidInput):
                await execute_exits(wish(*many), staff())
        with pytest.raises(Forbidden):
            await approve_exits(ApproveExits(exit_ids=[case.id]), distributor(ids["D"]))
        with pytest.raises(Forbidden):
            await execute_exits(wish(case.id), distributor(ids["D"]))
        assert case.status is ExitState.APPROVED
