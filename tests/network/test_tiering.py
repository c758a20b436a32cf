"""Tiers given by hand, at a coming moment, or by the review of a period (docs/rules.md §2.2)."""

import asyncio
from datetime import date, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, reading, transaction
from saas.base.errors import DomainError, NotFound, ReasonRefused, Rejected, WrongState
from saas.base.ids import DistributorId
from saas.jobs.commands import cancel
from saas.jobs.worker import run_due
from saas.network.checks import standing_agrees
from saas.network.commands import (
    JOB,
    Move,
    TierChange,
    TierSet,
    TierWish,
    apply_tiers,
    change_tiers,
    enrol,
    hold_tree,
    leave,
    move,
    reinstate,
    reject,
    schedule_tiers,
    set_tier,
    set_tiers,
    suspend,
)
from saas.network.errors import TierMomentInPast, TierPinInPast, TiersChanged, TierUnknown
from saas.network.history import roll
from saas.network.queries import chains
from saas.network.standing import Cause
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import T0, plant, request, row, staff, two_brands
from tests.tenants.people import audited

DAY = timedelta(days=1)


async def rows_of(table: str) -> list[dict[str, object]]:
    async with reading() as tx:
        found = await tx.rows(f"SELECT * FROM {table} WHERE tenant_id = $1", tx.tenant_id)
    return [dict(row) for row in found]


async def standings(id_: DistributorId) -> list[tuple[object, ...]]:
    return [
        (row["kind"], row["tier"], row["status"], row["reason"])
        for row in sorted(await rows_of("standing"), key=lambda row: str(row["valid_from"]))
        if row["distributor_id"] == id_
    ]


async def test_many_tiers_are_set_wholly_or_not_at_all(db: Database) -> None:
    await two_brands()
    with as_tenant(CEDAR):
        stranger = (await plant({"X": None}))["X"]
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": "A", "C": "B"})
        await leave(ids["C"], downline_to="brand", reason="test", actor=staff())
        wishes = [TierWish(ids["A"], "gold"), TierWish(ids["B"], "silver")]
        bad = [*wishes, TierWish(ids["A"], "silver"), TierWish(ids["C"], "bronze"), TierWish(stranger, "gold")]
        for dry_run in (True, False):
            with pytest.raises(Rejected) as caught:
                await set_tiers(bad, "test", staff(), dry_run=dry_run)
            assert [(error.field, error.code) for error in caught.value.errors] == [
                ("input.tiers[2].distributorId", "TIER_TWICE"),
                ("input.tiers[3].tier", "TIER_UNKNOWN"),
                ("input.tiers[3].distributorId", "WRONG_STATE"),
                ("input.tiers[4].distributorId", "NOT_FOUND"),
            ]
        expected = [TierSet(ids["A"], "silver", "gold"), TierSet(ids["B"], "silver", "silver")]
        assert await set_tiers(wishes, "test", staff(), dry_run=True) == expected
        assert (await row("A")).tier == "silver"
        assert await set_tiers(wishes, " the best ", staff()) == expected
        assert (await row("A")).tier == "gold"
        assert (await standings(ids["A"]))[-1] == ("manual", "gold", "active", "the best")
        assert len(await standings(ids["B"])) == 1, "a tier it has already is no change"
        assert await set_tiers([], "nobody", staff()) == []
        assert await standing_agrees() == []
    assert [action for _, action in await audited(LOTUS)].count("distributor.set_tier") == 1


async def test_a_thousand_take_as_many_statements_as_one(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = list((await plant({f"D{i}": None for i in range(1000)})).values())
        counts = []
        for wanted in (ids[:1], ids):
            statements: list[str] = []
            db.observer = statements.append
            await set_tiers([TierWish(id_, "gold") for id_ in wanted], "test", staff())
            db.observer = None
            counts.append(len(statements))
        assert counts[0] == counts[1] <= 10
        assert {row["tier"] for row in await rows_of("distributor")} == {"gold"}


async def test_a_pin_holds_until_its_day_and_a_later_decision_lifts_it(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        with clock.at(T0 + timedelta(hours=1)):
            for day in (date(2026, 2, 28), date(2026, 3, 1)):
                with pytest.raises(TierPinInPast) as caught:
                    await set_tier(id_, "gold", "test", staff(), pin_until=day)
                assert caught.value.field == "input.pinUntil"
            await set_tier(id_, "gold", "our oldest dealer", staff(), pin_until=date(2026, 7, 1))
        (pin,) = await rows_of("tier_pin")
        assert (pin["until"], pin["reason"]) == (date(2026, 7, 1), "our oldest dealer")
        await set_tier(id_, "gold", "no longer", staff())
        assert await rows_of("tier_pin") == []
        assert len(await standings(id_)) == 2


async def test_reasons_are_neither_empty_nor_endless(db: Database) -> None:
    await two_brands(applicant_review="manual")
    with as_tenant(LOTUS):
        id_ = await enrol(request("A"), staff())
        for bad in ("", "  \n ", "\u200b", "x" * 501, "a\x00b", "a\x1bb"):
            for step in (
                set_tier(id_, "gold", bad, staff()),
                set_tiers([], bad, staff()),
                schedule_tiers([TierWish(id_, "gold")], bad, clock.now() + DAY, staff()),
                suspend(id_, bad, staff()),
                reinstate(id_, bad, staff()),
                reject(id_, bad, staff()),
                move(Move(distributor=id_, sponsor=None, reason=bad), staff()),
            ):
                with pytest.raises(ReasonRefused) as caught:
                    await step
                assert caught.value.field == "input.reason"
        await set_tier(id_, "gold", "  第一行\n第二行\u3000完 " + "x" * 480, staff())
        reason = str((await standings(id_))[-1][3])
        assert (reason[:9], reason[-1]) == ("第一行\n第二行\u3000完", "x")


# -- at a coming moment ------------------------------------------------------------------------------------------


async def test_a_tier_of_a_coming_moment_holds_from_then_on(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        office = staff()
        with clock.at(T0 + DAY):
            with pytest.raises(TierMomentInPast):
                await schedule_tiers([TierWish(id_, "gold")], "test", T0 + DAY, office)
            with pytest.raises(Rejected):
                await schedule_tiers([TierWish(id_, "bronze")], "test", T0 + 9 * DAY, office)
            with pytest.raises(TierPinInPast):
                await schedule_tiers(
                    [TierWish(id_, "gold")], "test", T0 + 9 * DAY, office, pin_until=(T0 + 9 * DAY).date()
                )
            await schedule_tiers(
                [TierWish(id_, "gold")], "new year", T0 + 9 * DAY, office, pin_until=(T0 + 99 * DAY).date()
            )
        for at, tier, runs in ((T0 + 8 * DAY, "silver", 0), (T0 + 9 * DAY, "gold", 1), (T0 + 10 * DAY, "gold", 0)):
            with clock.at(at):
                assert await run_due({JOB: apply_tiers}) == runs
                assert (await row("A")).tier == tier
        assert await standings(id_) == [
            ("enrolment", "silver", "active", None),
            ("manual", "gold", "active", "new year"),
        ]
        (pin,) = await rows_of("tier_pin")
        assert pin["until"] == (T0 + 99 * DAY).date()
        (latest,) = [row for row in await rows_of("standing") if row["kind"] == "manual"]
        assert (latest["actor_id"], latest["valid_from"]) == (office.id, T0 + 9 * DAY)
        path = (await chains([id_]))[id_].path
        assert (await roll()).chain(path, T0 + 9 * DAY - timedelta(microseconds=1))[0].tier == "silver"
    assert ("office", "distributor.schedule_tier") in await audited(LOTUS)


async def test_a_coming_tier_can_be_cancelled(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        with clock.at(T0):
            job = await schedule_tiers([TierWish(id_, "gold")], "test", T0 + DAY, staff())
            await cancel(job, staff())
        with clock.at(T0 + 2 * DAY):
            assert await run_due({JOB: apply_tiers}) == 0
        assert (await row("A")).tier == "silver"


async def test_a_coming_tier_that_has_become_impossible_says_why(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        with clock.at(T0):
            await schedule_tiers([TierWish(id_, "gold")], "test", T0 + DAY, staff())
        with clock.at(T0 + DAY / 2):
            await leave(id_, downline_to="brand", reason="test", actor=staff())
        with clock.at(T0 + DAY):
            await run_due({JOB: apply_tiers})
        (job,) = await rows_of("job")
        assert job["status"] == "failed"
        assert "exited" in str(job["error"])


# -- by the review of a period -----------------------------------------------------------------------------------


def risen(id_: DistributorId, before: str = "silver", after: str = "gold") -> TierChange:
    return TierChange(distributor_id=id_, before=before, after=after, cause=Cause.PROMOTION)


async def test_what_a_review_decided_is_written_with_its_cause(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": None, "C": None, "D": None})
        with clock.at(T0 + DAY):
            await set_tiers([TierWish(ids["B"], "diamond"), TierWish(ids["C"], "gold")], "test", staff())
        with clock.at(T0 + 40 * DAY):
            changes = [
                risen(ids["A"]),
                TierChange(distributor_id=ids["B"], before="diamond", after="gold", cause=Cause.DEMOTION),
                TierChange(distributor_id=ids["C"], before="gold", after="gold", cause=Cause.REVOCATION, suspends=True),
            ]
            assert await change_tiers(changes, "2026-Q1", staff()) == 3
            assert await change_tiers([], "2026-Q1", staff()) == 0
        assert (await standings(ids["A"]))[-1] == ("promotion", "gold", "active", "2026-Q1")
        assert (await standings(ids["B"]))[-1] == ("demotion", "gold", "active", "2026-Q1")
        assert (await standings(ids["C"]))[-1] == ("revocation", "gold", "suspended", "2026-Q1")
        assert len(await standings(ids["D"])) == 1
        assert await standing_agrees() == []


async def test_a_review_is_not_written_over_what_changed_meanwhile(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None, "B": None})
        for change in (set_tier(ids["B"], "diamond", "test", staff()), suspend(ids["B"], "test", staff())):
            await change
            with pytest.raises(TiersChanged):
                await change_tiers([risen(ids["A"]), risen(ids["B"])], "2026-Q1", staff())
            assert (await row("A")).tier == "silver"
    with as_tenant(CEDAR), pytest.raises(TiersChanged):
        await change_tiers([risen(ids["A"])], "2026-Q1", staff())


async def test_nobody_changes_a_tier_while_the_tree_is_held(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None})
        async with transaction():
            moment = await hold_tree()
            other = asyncio.create_task(set_tier(ids["A"], "diamond", "test", staff()))
            await asyncio.sleep(0.1)
            assert await change_tiers([risen(ids["A"])], "2026-Q1", staff()) == 1
            assert await hold_tree() >= moment
        assert await other == TierSet(ids["A"], "gold", "diamond")
        assert [kind for kind, *_ in await standings(ids["A"])] == ["enrolment", "promotion", "manual"]


async def test_single_refusals_name_the_fields_of_the_input(db: Database) -> None:
    await two_brands()
    with as_tenant(CEDAR):
        stranger = (await plant({"X": None}))["X"]
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        await leave(id_, downline_to="brand", reason="test", actor=staff())
        cases: list[tuple[DistributorId, str, type[DomainError], str]] = [
            (stranger, "gold", NotFound, "input.distributorId"),
            (id_, "gold", WrongState, "input.distributorId"),
            (id_, "bronze", TierUnknown, "input.tier"),
        ]
        for subject, tier, error, field in cases:
            with pytest.raises(error) as caught:
                await set_tier(subject, tier, "test", staff())
            assert caught.value.field == field
