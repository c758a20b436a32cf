"""Places in the tree, decided without a database (docs/rules.md §2.1)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.errors import DomainError
from saas.base.ids import DistributorId, new_id
from saas.network.errors import DepthExceeded, MoveMakesCycle, RecruitingNotAllowed, SponsorBound, SponsorNotActive
from saas.network.rules import (
    SEGMENT,
    Enrol,
    Ground,
    Placement,
    Policy,
    Seat,
    Status,
    ceiling,
    check_free,
    check_move,
    depth_of,
    place,
    policy_of,
    segment,
)
from tenants.program.presets import preset

FREE = Policy(
    depth_limit=None, tiers=("silver", "gold"), recruiting_tiers=None, reviews_applicants=False, free_after_days=None
)
numbers = st.integers(0, 32**SEGMENT - 1)


def seat(code: str, *nos: int, tier: str = "silver", status: Status = Status.ACTIVE) -> Seat:
    return Seat(id=DistributorId(new_id()), code=code, path="".join(map(segment, nos)), tier=tier, status=status)


def asked(code: str, sponsor: DistributorId | str | None = None, **changes: object) -> Enrol:
    return Enrol(code=code, name=code, sponsor=sponsor, idempotency_key=code, **changes)  # type: ignore[arg-type]  # a test may pass what no caller should


def placed(
    *requests: Enrol, policy: Policy = FREE, seats: tuple[Seat, ...] = (), recruiter: DistributorId | None = None
) -> tuple[list[Placement], list[DomainError]]:
    known: dict[UUID | str, Seat] = {s.id: s for s in seats}
    known.update({s.code: s for s in seats})
    ground = Ground(policy=policy, seats=known, taken={s.code for s in seats}, recruiter=recruiter)
    ids = [(DistributorId(new_id()), 100 + i) for i in range(len(requests))]
    return place(requests, [f"input[{i}]" for i in range(len(requests))], ids, ground)


def wrong(*requests: Enrol, **given_: object) -> list[tuple[str | None, str]]:
    return [(error.field, error.code) for error in placed(*requests, **given_)[1]]  # type: ignore[arg-type]  # passed on


@given(numbers, numbers)
def test_segments_have_one_width_and_keep_the_order_of_numbers(a: int, b: int) -> None:
    assert len(segment(a)) == SEGMENT
    assert (segment(a) < segment(b)) == (a < b)


@pytest.mark.parametrize("no", [-1, 32**SEGMENT])
def test_a_number_that_does_not_fit_is_refused(no: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        segment(no)


@given(st.lists(numbers, min_size=1, max_size=6), st.lists(numbers, min_size=1, max_size=6))
def test_a_range_of_paths_is_exactly_the_subtree(one: list[int], other: list[int]) -> None:
    root, path = "".join(map(segment, one)), "".join(map(segment, other))
    assert (root <= path < ceiling(root)) == (other[: len(one)] == one)
    assert depth_of(path) == len(other) - 1


def test_the_policy_of_the_demo_programs() -> None:
    lotus, cedar = policy_of(preset("lotus")), policy_of(preset("cedar"))
    assert lotus.depth_limit == 3
    assert lotus.tiers == ("silver", "gold", "diamond")
    assert lotus.recruiting_tiers is None
    assert lotus.reviews_applicants
    assert lotus.free_after_days is None
    assert cedar.depth_limit is None


def test_sponsors_may_come_later_in_the_list_than_those_they_bring() -> None:
    made, errors = placed(asked("C", "B"), asked("B", "A"), asked("A"))
    assert not errors
    paths = {p.request.code: p.seat.path for p in made}
    assert paths == {
        "A": segment(102),
        "B": segment(102) + segment(101),
        "C": segment(102) + segment(101) + segment(100),
    }
    assert {p.seat.tier for p in made} == {"silver"}


def test_a_line_of_thousands_is_no_problem() -> None:
    made, errors = placed(*(asked(f"D{i}", f"D{i + 1}" if i < 4999 else None) for i in range(5000)))
    assert not errors
    assert max(p.seat.depth for p in made) == 4999


def test_everything_wrong_is_said_at_once() -> None:
    gone = seat("GONE", 1, status=Status.EXITED)
    bad = asked("x y", gone.id, tier="bronze", region="31", phone="123", id_number="?")
    nameless = Enrol(code="N", name=" ", idempotency_key="n")
    assert set(wrong(bad, nameless, asked("L1", "L2"), asked("L2", "L1"), asked("GONE", "NOBODY"), seats=(gone,))) == {
        ("input[0].code", "DISTRIBUTOR_CODE_INVALID"),
        ("input[0].tier", "TIER_UNKNOWN"),
        ("input[0].region", "REGION_INVALID"),
        ("input[0].phone", "PHONE_INVALID"),
        ("input[0].idNumber", "ID_NUMBER_INVALID"),
        ("input[0].sponsorId", "SPONSOR_NOT_ACTIVE"),
        ("input[1].name", "NAME_INVALID"),
        ("input[2].sponsorCode", "SPONSOR_LOOP"),
        ("input[3].sponsorCode", "SPONSOR_LOOP"),
        ("input[4].code", "DISTRIBUTOR_CODE_TAKEN"),
        ("input[4].sponsorCode", "NOT_FOUND"),
    }


def test_a_code_cannot_come_twice_in_a_list() -> None:
    assert wrong(asked("A"), asked("A")) == [("input[1].code", "DISTRIBUTOR_CODE_TAKEN")]


def test_the_depth_limit_counts_generations() -> None:
    policy = policy_of(preset("lotus"))
    line = [asked("A", reviewed=True), asked("B", "A", reviewed=True), asked("C", "B", reviewed=True)]
    assert not wrong(*line, policy=policy)
    assert wrong(*line, asked("D", "C", reviewed=True), policy=policy) == [("input[3].sponsorCode", "DEPTH_EXCEEDED")]


def test_an_applicant_waits_for_review_and_brings_nobody_until_then() -> None:
    policy = policy_of(preset("lotus"))
    made, errors = placed(asked("A"), policy=policy)
    assert (made[0].seat.status, errors) == (Status.APPLIED, [])
    assert wrong(asked("A"), asked("B", "A"), policy=policy) == [("input[1].sponsorCode", "SPONSOR_NOT_ACTIVE")]


@pytest.mark.parametrize(
    ("recruiting", "tier", "refused"),
    [(None, "silver", False), (frozenset(), "gold", True), (frozenset({"gold"}), "gold", False),
     (frozenset({"gold"}), "silver", True)],
)  # fmt: skip
def test_who_may_recruit(recruiting: frozenset[str] | None, tier: str, refused: bool) -> None:
    policy = Policy(
        depth_limit=None, tiers=("silver", "gold"), recruiting_tiers=recruiting, reviews_applicants=False,
        free_after_days=None,
    )  # fmt: skip
    me = seat("ME", 1, tier=tier)
    codes = ["RECRUITING_NOT_ALLOWED"] if refused else []
    assert [code for _, code in wrong(asked("A", me.id), policy=policy, seats=(me,), recruiter=me.id)] == codes
    assert not wrong(asked("A", me.id), policy=policy, seats=(me,)), "the brand may place anybody under anybody"


def test_a_distributor_enrols_under_itself_only_and_approves_nobody() -> None:
    me, other = seat("ME", 1), seat("OTHER", 2)
    seats = (me, other)
    assert wrong(asked("A", other.id), seats=seats, recruiter=me.id) == [("input[0].sponsorId", "SPONSOR_NOT_SELF")]
    assert wrong(asked("A"), seats=seats, recruiter=me.id) == [("input[0].sponsorId", "SPONSOR_NOT_SELF")]
    assert wrong(asked("A", me.id, reviewed=True), seats=seats, recruiter=me.id) == [
        ("input[0].reviewed", "REVIEW_NOT_YOURS")
    ]


def test_a_move_is_refused_into_itself_under_the_inactive_and_beyond_the_depth() -> None:
    subject, below, aside = seat("S", 1), seat("B", 1, 7), seat("A", 2)
    limited = Policy(depth_limit=3, tiers=(), recruiting_tiers=None, reviews_applicants=False, free_after_days=None)
    for sponsor in (subject, below):
        with pytest.raises(MoveMakesCycle):
            check_move(subject, sponsor, 1, FREE)
    with pytest.raises(SponsorNotActive):
        check_move(subject, seat("X", 3, status=Status.SUSPENDED), 1, FREE)
    check_move(subject, aside, 1, limited)
    with pytest.raises(DepthExceeded):
        check_move(subject, aside, 2, limited)
    check_move(seat("S", 1, 2, 3), seat("A", 5), 9, limited)  # too deep already; it becomes flatter
    with pytest.raises(DepthExceeded):
        check_move(seat("S", 1, 2), seat("A", 5, 6), 9, limited)


def test_a_distributor_is_free_after_the_days_of_the_program() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    policy = Policy(
        depth_limit=None, tiers=("silver", "gold"), recruiting_tiers=frozenset({"gold"}), reviews_applicants=False,
        free_after_days=30,
    )  # fmt: skip
    gold, silver = seat("G", 1, tier="gold"), seat("S", 2)
    check_free(gold, since, since + timedelta(days=30), policy)
    with pytest.raises(SponsorBound):
        check_free(gold, since, since + timedelta(days=30, microseconds=-1), policy)
    with pytest.raises(RecruitingNotAllowed):
        check_free(silver, since, since + timedelta(days=31), policy)
    with pytest.raises(SponsorBound):
        check_free(None, since, since + timedelta(days=31), policy)
    with pytest.raises(SponsorBound):
        check_free(gold, since, since + timedelta(days=9999), FREE)
