"""The history of tier and status, and the chains of any moment made from it again (docs/rules.md §6)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database, reading, transaction
from saas.base.errors import DomainError
from saas.base.ids import DistributorId
from saas.base.scope import tenant_scope
from saas.network.checks import standing_agrees
from saas.network.commands import Move, approve, enrol, leave, move, reinstate, reject, set_tier, suspend
from saas.network.history import roll
from saas.network.queries import chains
from saas.network.standstill import stand_still
from tests.factories import CEDAR, LOTUS, as_tenant, new_brand
from tests.network.world import T0, plant, request, staff, two_brands, use_program

HOUR = timedelta(hours=1)
TIERS = ("silver", "gold", "diamond")
steps = st.lists(
    st.tuples(
        st.sampled_from(["enrol"] * 3 + ["move", "tier", "tier", "suspend", "reinstate", "approve", "reject", "leave"]),
        st.integers(0, 12),
        st.integers(-1, 12),
        st.integers(0, 1),
    ),
    min_size=5,
    max_size=25,
)


async def intervals(id_: DistributorId) -> list[tuple[str, str, str, datetime, datetime | None]]:
    """A distributor's standing from the first on."""
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT * FROM standing WHERE tenant_id = $1 AND distributor_id = $2 ORDER BY valid_from", tx.tenant_id, id_
        )
    return [(row["kind"], row["tier"], row["status"], row["valid_from"], row["valid_until"]) for row in rows]


async def test_every_change_of_tier_or_status_is_an_interval(db: Database) -> None:
    await two_brands(applicant_review="manual")
    with as_tenant(LOTUS):
        with clock.at(T0):
            id_ = await enrol(request("A"), staff())
        changes = (
            approve(id_, staff()),
            suspend(id_, "price", staff()),
            reinstate(id_, "paid", staff()),
            set_tier(id_, "gold", "year target", staff()),
            leave(id_, downline_to="sponsor", reason="moves away", actor=staff()),
        )
        for hour, change in enumerate(changes, 1):
            with clock.at(T0 + hour * HOUR):
                await change
        at = [T0 + hour * HOUR for hour in range(6)]
        assert await intervals(id_) == [
            ("enrolment", "silver", "applied", at[0], at[1]),
            ("review", "silver", "active", at[1], at[2]),
            ("status", "silver", "suspended", at[2], at[3]),
            ("status", "silver", "active", at[3], at[4]),
            ("manual", "gold", "active", at[4], at[5]),
            ("status", "gold", "exited", at[5], None),
        ]
        assert await standing_agrees() == []
    with as_tenant(CEDAR):
        assert await intervals(id_) == []


async def test_two_changes_of_one_moment_leave_the_later_one(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        with clock.at(T0 + HOUR):
            await suspend(id_, "price", staff())
            await reinstate(id_, "paid", staff())
            await set_tier(id_, "gold", "year target", staff())
        assert await intervals(id_) == [
            ("enrolment", "silver", "active", T0, T0 + HOUR),
            ("manual", "gold", "active", T0 + HOUR, None),
        ]


async def test_a_clock_that_runs_behind_makes_no_gap_and_no_overlap(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        for hours in (3, 1, 2):
            with clock.at(T0 + hours * HOUR):
                await set_tier(id_, TIERS[hours % 3], "test", staff())
        assert await intervals(id_) == [
            ("enrolment", "silver", "active", T0, T0 + 3 * HOUR),
            ("manual", "diamond", "active", T0 + 3 * HOUR, None),
        ]
        assert await standing_agrees() == []


@pytest.mark.unsound
async def test_the_check_finds_a_standing_that_is_not_the_distributors(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": None})
        with clock.at(T0 + HOUR):
            await suspend(ids["B"], "price", staff())
        async with transaction() as tx:
            await tx.execute("UPDATE distributor SET tier = 'gold' WHERE tenant_id = $1 AND code = 'A'", tx.tenant_id)
        assert [(found.subject, found.actual) for found in await standing_agrees()] == [("A", 0)]
        async with transaction() as tx:
            await tx.execute(
                "UPDATE standing SET valid_until = $2 WHERE tenant_id = $1 AND valid_until IS NOT NULL",
                tx.tenant_id,
                T0 + HOUR / 2,
            )
        assert [found.subject for found in await standing_agrees()] == sorted(["A", str(ids["B"])])
    with as_tenant(CEDAR):
        assert await standing_agrees() == []


async def _step(kind: str, subject: DistributorId, other: DistributorId | None, flag: int) -> None:
    """One change, or none where the network refuses it."""
    try:
        match kind:
            case "move":
                await move(Move(distributor=subject, sponsor=other, reason="test"), staff())
            case "tier":
                await set_tier(subject, TIERS[1 + flag], "test", staff())
            case "suspend":
                await suspend(subject, "test", staff())
            case "reinstate":
                await reinstate(subject, "test", staff())
            case "approve":
                await approve(subject, staff())
            case "reject":
                await reject(subject, "test", staff())
            case "leave":
                await leave(subject, downline_to="sponsor" if flag else "brand", reason="test", actor=staff())
    except DomainError:
        pass


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_the_roll_gives_every_chain_as_it_was(db: Database, steps: Sequence[tuple[str, int, int, int]]) -> None:
    """What the tree answered at each moment is what its history answers afterwards, moves and all."""
    then: list[tuple[datetime, str, list[tuple[object, ...]]]] = []
    with tenant_scope(await new_brand()):
        await use_program("lotus", applicant_review="manual", depth_limit=None, level_names=[])
        ids: list[DistributorId] = []
        for hour, (kind, one, other, flag) in enumerate(steps):
            moment = T0 + hour * HOUR
            sponsor = ids[other % len(ids)] if ids and other >= 0 else None
            with clock.at(moment):
                if kind != "enrol":
                    if ids:
                        await _step(kind, ids[one % len(ids)], sponsor, flag)
                elif sponsor is None or (await chains([sponsor]))[sponsor].members[0].status == "active":
                    ids.append(await enrol(request(f"D{len(ids)}", sponsor, reviewed=bool(flag)), staff()))
            for chain in (await chains(ids)).values():
                members: list[tuple[object, ...]] = [(m.id, m.code, m.tier, m.status) for m in chain.members]
                then += [(at, chain.path, members) for at in (moment, moment + HOUR / 2)]
        history = await roll()
        for moment, path, expected in then:
            assert [tuple(member) for member in history.chain(path, moment)] == expected
        assert await standing_agrees() == []


async def test_the_roll_knows_its_own_brand_only(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": "A"})
        path = (await chains([ids["B"]]))[ids["B"]].path
        found = (await roll()).chain(path, T0)
        assert [(member.id, member.tier) for member in found] == [(ids["B"], "silver"), (ids["A"], "silver")]
        statements: list[str] = []
        db.observer = statements.append
        await roll()
        db.observer = None
        assert len(statements) == 2
    with as_tenant(CEDAR), pytest.raises(KeyError):
        (await roll()).chain(path, T0)


async def test_without_tiers_nobody_has_one(db: Database) -> None:
    await two_brands("two_level_referral")
    with as_tenant(LOTUS):
        ids = await plant({"A": None})
        path = (await chains([ids["A"]]))[ids["A"]].path
        assert (await roll()).chain(path, T0)[0].tier is None


async def test_a_change_waits_for_who_sells_and_comes_after(db: Database) -> None:
    """A sale that decided by the old tier has the earlier moment, however long the change waited for it."""
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        async with transaction():
            await stand_still()
            change = asyncio.create_task(set_tier(id_, "gold", "year target", staff()))
            await asyncio.sleep(0.1)
            sold = await stand_still()
            tier = (await chains([id_]))[id_].members[0].tier
        await change
        assert tier == "silver"
        assert (await intervals(id_))[-1][3] > sold
        path = (await chains([id_]))[id_].path
        assert (await roll()).chain(path, sold)[0].tier == "silver"


async def test_who_sells_with_a_clock_behind_sells_after_the_last_change(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        with clock.at(T0 + HOUR):
            await set_tier(id_, "gold", "year target", staff())
        with clock.at(T0):
            async with transaction():
                assert await stand_still() == T0 + HOUR
        with clock.at(T0 + 2 * HOUR):
            async with transaction():
                assert await stand_still() == T0 + 2 * HOUR
