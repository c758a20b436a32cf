"""Taking people into the tree: review, recruiters, the orange list, and two thousand at once."""

from dataclasses import replace
from uuid import uuid4

import pytest

from saas.base.db import Database, reading
from saas.base.errors import IdempotencyConflict, NotFound, Rejected, WrongState
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.network import orange
from saas.network.commands import (
    approve,
    enrol,
    enrol_many,
    reinstate,
    reject,
    reveal_phone,
    set_tier,
    suspend,
)
from saas.network.errors import AlreadyBarred, Barred, TierUnknown
from saas.network.rules import Kind, Status
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, plant, request, row, staff, stored, two_brands
from tests.tenants.people import audited, table_of

PHONE, ID_NUMBER = "138 1234 5678", "31010119900101123X"


async def refused(*args: object, **kwargs: object) -> list[tuple[str | None, str]]:
    """The fields and codes an enrolment is refused with."""
    with pytest.raises(Rejected) as caught:
        await enrol(*args, **kwargs)  # type: ignore[arg-type]  # passed on
    return [(error.field, error.code) for error in caught.value.errors]


async def test_an_enrolled_distributor_is_active_at_once_when_the_review_is_automatic(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None})
        id_ = await enrol(
            request("B", ids["A"], tier="gold", region="310100", phone=PHONE, id_number=ID_NUMBER, kind=Kind.FIRM),
            staff(),
        )
        made = await row("B")
        assert (made.id, made.status, made.tier, made.region, made.kind) == (id_, "active", "gold", "310100", "firm")
        assert (made.sponsor_id, made.depth) == (ids["A"], 1)
        assert (made.phone_masked, made.id_number_masked) == ("138****5678", "310***********123X")
        assert made.joined_at == made.applied_at
        assert await stored() == {"A": (None, "A", 0), "B": ("A", "A/B", 1)}
    with as_tenant(CEDAR):
        assert await stored() == {}
        await plant({"B": None})
        assert await stored() == {"B": (None, "B", 0)}, "codes are unique within a brand only"


async def test_neither_phone_nor_id_number_is_stored_in_clear(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = await enrol(request("A", phone=PHONE, id_number=ID_NUMBER), staff())
    for table in ("distributor", "sponsorship", "audit_log"):
        text = repr(await table_of(LOTUS, table)).lower()
        assert "13812345678" not in text
        assert "1234567" not in text
        assert ID_NUMBER.lower() not in text
        assert "19900101" not in text
    with as_tenant(LOTUS):
        assert await reveal_phone(id_, staff()) == "+8613812345678"
    assert ("office", "distributor.reveal_phone") in await audited(LOTUS)
    with as_tenant(CEDAR), pytest.raises(NotFound):
        await reveal_phone(id_, staff())


async def test_all_that_is_wrong_is_said_at_once_and_nothing_is_kept(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        ids = await plant({"A": None})
    with as_tenant(CEDAR):
        await plant({"X": None})
        # the sponsor exists, in another brand
        bad = replace(request("X", ids["A"], tier="bronze", region="abc", phone="1"), idempotency_key="once")
        assert await refused(bad, staff()) == [
            ("input.code", "DISTRIBUTOR_CODE_TAKEN"),
            ("input.sponsorId", "NOT_FOUND"),
            ("input.tier", "TIER_UNKNOWN"),
            ("input.region", "REGION_INVALID"),
            ("input.phone", "PHONE_INVALID"),
        ]
        assert list(await stored()) == ["X"]
        # the key was not used up by the refusal
        await enrol(replace(bad, code="Y", sponsor="X", tier=None, region=None, phone=None), staff())


async def test_a_key_enrols_once(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        first = await enrol(request("A", phone=PHONE), staff())
        assert await enrol(request("A", phone=PHONE), staff()) == first
        with pytest.raises(IdempotencyConflict):
            await enrol(request("A", phone="13912345678"), staff())
        again = await enrol_many([request("A", phone=PHONE), request("B", "A")], staff())
        assert again[0] == first
        assert set(await stored()) == {"A", "B"}


async def test_two_thousand_take_a_handful_of_statements(db: Database) -> None:
    await two_brands()
    requests = [request(f"D{i}", f"D{i // 4}" if i else None, phone=f"138{i:08}") for i in range(2000)]
    with as_tenant(LOTUS):
        assert len(await enrol_many(requests, staff(), dry_run=True)) == 2000
        assert await stored() == {}
        statements: list[str] = []
        db.observer = statements.append
        ids = await enrol_many(requests, staff())
        db.observer = None
        assert len(statements) <= 11, statements
        tree = await stored()
        assert len(tree) == 2000
        assert tree["D1999"] == ("D499", "D0/D1/D7/D31/D124/D499/D1999", 6)
        assert await enrol_many(requests, staff()) == ids, "a second run changes nothing"
        assert len(await enrol_many(requests, staff(), dry_run=True)) == 2000
        assert len(await stored()) == 2000


async def test_a_list_is_taken_wholly_or_not_at_all(db: Database) -> None:
    await two_brands(depth_limit=2)
    with as_tenant(LOTUS):
        for dry_run in (True, False):
            with pytest.raises(Rejected) as caught:
                await enrol_many([request("A"), request("B", "A"), request("C", "B")], staff(), dry_run=dry_run)
            assert [e.field for e in caught.value.errors] == ["input.distributors[2].sponsorCode"]
        assert await stored() == {}


async def test_an_applicant_is_approved_or_rejected_once(db: Database) -> None:
    await two_brands(applicant_review="manual")
    with as_tenant(LOTUS):
        top = await enrol(request("TOP", reviewed=True), staff())
        one, two = [await enrol(request(code, top), distributor(top)) for code in ("ONE", "TWO")]
        assert (await row("TOP")).status is Status.ACTIVE
        assert ((await row("ONE")).status, (await row("ONE")).joined_at) == (Status.APPLIED, None)
        assert await refused(request("X", one), staff()) == [("input.sponsorId", "SPONSOR_NOT_ACTIVE")]
    with as_tenant(CEDAR):
        for step in (approve(one, staff()), reject(one, "no", staff())):
            with pytest.raises(NotFound):
                await step
    with as_tenant(LOTUS):
        await approve(one, staff())
        await reject(two, "no shop", staff())
        assert ((await row("ONE")).status, (await row("TWO")).status) == (Status.ACTIVE, Status.REJECTED)
        assert (await row("ONE")).joined_at is not None
        for id_ in (one, two):
            with pytest.raises(WrongState):
                await approve(id_, staff())
            with pytest.raises(WrongState):
                await reject(id_, "late", staff())
    assert [action for _, action in await audited(LOTUS)][-2:] == ["distributor.approve", "distributor.reject"]


async def test_standing_changes_step_by_step(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = (await plant({"A": None}))["A"]
        with pytest.raises(WrongState):
            await reinstate(id_, "never suspended", staff())
        await suspend(id_, "price", staff())
        with pytest.raises(WrongState):
            await suspend(id_, "twice", staff())
        assert await refused(request("B", id_), staff()) == [("input.sponsorId", "SPONSOR_NOT_ACTIVE")]
        await reinstate(id_, "paid", staff())
        await set_tier(id_, "diamond", "year target", staff())
        assert ((await row("A")).status, (await row("A")).tier) == (Status.ACTIVE, "diamond")
        with pytest.raises(TierUnknown):
            await set_tier(id_, "platinum", "test", staff())
        before = await table_of(LOTUS, "distributor")
    with as_tenant(CEDAR):
        for step in (suspend(id_, "x", staff()), reinstate(id_, "x", staff()), set_tier(id_, "gold", "x", staff())):
            with pytest.raises(NotFound):
                await step
    assert await table_of(LOTUS, "distributor") == before


async def test_a_distributor_recruits_by_the_program(db: Database) -> None:
    await two_brands(recruiters={"kind": "tiers", "tiers": ["gold"]}, applicant_review="manual")
    with as_tenant(LOTUS):
        requests = [request("A", reviewed=True), request("G", "A", tier="gold", reviewed=True)]
        silver, gold = await enrol_many(requests, staff())
        assert await refused(request("B", silver), distributor(silver)) == [
            ("input.sponsorId", "RECRUITING_NOT_ALLOWED")
        ]
        assert await refused(request("B", silver), distributor(gold)) == [("input.sponsorId", "SPONSOR_NOT_SELF")]
        await enrol(request("B", gold), distributor(gold))
        assert (await row("B")).status is Status.APPLIED


async def test_the_listed_do_not_come_back_to_this_brand(db: Database) -> None:
    await two_brands(applicant_review="manual")
    with as_tenant(LOTUS):
        waiting = await enrol(request("W", phone="+86 138-1234-5678"), staff())
        listing = await orange.add(orange.Number.PHONE, PHONE, "breach", staff())
        await orange.add(orange.Number.ID_NUMBER, ID_NUMBER, "breach", staff())
        with pytest.raises(AlreadyBarred):
            await orange.add(orange.Number.PHONE, "008613812345678", "again", staff())
        wanted = request("B", phone="+8613812345678", id_number=ID_NUMBER.lower())
        assert await refused(wanted, staff()) == [
            ("input.phone", "ENROLMENT_BARRED"),
            ("input.idNumber", "ENROLMENT_BARRED"),
        ]
        with pytest.raises(Barred):
            await approve(waiting, staff())
        assert (await row("W")).status is Status.APPLIED
    assert "1234567" not in repr(await table_of(LOTUS, "orange_list"))
    with as_tenant(CEDAR):
        await enrol(wanted, staff())
        assert (await orange.listings(PageRequest())).items == []
        with pytest.raises(NotFound):
            await orange.lift(listing, "not mine", staff())
    with as_tenant(LOTUS):
        first = await orange.listings(PageRequest(first=1))
        rest = await orange.listings(PageRequest(first=1, after=first.cursors[0]))
        assert [item.kind for item in (*first.items, *rest.items)] == ["phone", "id_number"]
        assert (first.has_next, rest.has_next) == (True, False)
        await orange.lift(listing, "appeal", staff())
        assert await refused(wanted, staff()) == [("input.idNumber", "ENROLMENT_BARRED")]
        await approve(waiting, staff())


async def test_barring_somebody_lists_what_is_known_of_it(db: Database) -> None:
    await two_brands()
    with as_tenant(LOTUS):
        id_ = await enrol(request("A", phone=PHONE), staff())
        with pytest.raises(NotFound):
            await orange.bar(DistributorId(uuid4()), "breach", None, staff())
        assert await orange.bar(id_, "breach", None, staff()) == 1
        assert await orange.bar(id_, "breach", None, staff()) == 0
        assert await refused(request("B", phone=PHONE), staff()) == [("input.phone", "ENROLMENT_BARRED")]
        async with reading() as tx:
            assert await tx.value("SELECT count(*) FROM orange_list WHERE tenant_id = $1", tx.tenant_id) == 1
