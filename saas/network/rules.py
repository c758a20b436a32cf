"""Where a distributor may stand in the tree, decided without a database (docs/rules.md §2.1).

The tree is a materialised path: every distributor has a number ``no``, written as a segment of fixed width, and its
path is the segments from the root down. Fixed width is what makes "starts with" mean "is in the subtree of", and a
distributor's own segment never changes, wherever it moves.
"""

import dataclasses
import re
from collections import deque
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from saas.base.errors import DomainError, NotFound
from saas.base.ids import DistributorId
from saas.network.contact import normal_id_number, normal_phone
from saas.network.errors import (
    CodeInvalid,
    CodeTaken,
    DepthExceeded,
    HeirBelow,
    HeirNotActive,
    IdNumberInvalid,
    MoveMakesCycle,
    NameInvalid,
    PhoneInvalid,
    RecruitingNotAllowed,
    RegionFull,
    RegionInvalid,
    ReviewNotYours,
    SponsorBound,
    SponsorLoop,
    SponsorNotActive,
    SponsorNotSelf,
    TierUnknown,
)
from tenants.program.document import DaysBinding, Program, TiersRecruit

DownlineTo: TypeAlias = Literal["sponsor", "brand", "heir"]
"""Who takes the downline of one who leaves."""

SEGMENT = 6
"""Characters of one step of a path: 32 ** 6 numbers, a thousand million distributors for one brand."""

NO_TIER = ""
"""The tier of everybody in a program without tiers."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
_REGION = re.compile(r"[1-9]\d{5}", re.ASCII)


class Status(StrEnum):
    """Where a distributor is in its life with the brand."""

    APPLIED = "applied"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXITED = "exited"
    REJECTED = "rejected"


class Cause(StrEnum):
    """Why a tier or status began."""

    ENROLMENT = "enrolment"
    REVIEW = "review"
    MANUAL = "manual"
    PROMOTION = "promotion"
    DEMOTION = "demotion"
    REVOCATION = "revocation"
    STATUS = "status"


class Kind(StrEnum):
    """What a distributor is in law."""

    PERSON = "person"
    FIRM = "firm"


def segment(no: int) -> str:
    """The step of a path that stands for number ``no``."""
    if not 0 <= no < 32**SEGMENT:
        raise ValueError(f"no {no} does not fit a path segment")
    return "".join(_DIGITS[no >> shift & 31] for shift in range(5 * (SEGMENT - 1), -1, -5))


def numbers_of(path: str) -> list[int]:
    """The numbers along a path, the root's first."""
    return [int(path[at : at + SEGMENT], 32) for at in range(0, len(path), SEGMENT)]


def ceiling(path: str) -> str:
    """The text that follows every path of the subtree: its members are ``path <= p < ceiling(path)``."""
    return f"{path}~"


def depth_of(path: str) -> int:
    """Generations above: 0 for those directly under the brand."""
    return len(path) // SEGMENT - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a program says about the shape of the tree.

    ``depth_limit``: generations at most, None without end. ``tiers`` from the lowest. ``recruiting_tiers``: whose
    active distributors may recruit; None is everyone, none of them leaves it to the brand. ``free_after_days``: when a
    distributor may change its sponsor itself; None is never. ``agents``: how many distributors a region may have,
    ``agents_elsewhere`` being for those that are not listed; None is any number.
    """

    depth_limit: int | None
    tiers: tuple[str, ...]
    recruiting_tiers: frozenset[str] | None
    reviews_applicants: bool
    free_after_days: int | None
    agents: Mapping[str, int] = dataclasses.field(default_factory=dict)
    agents_elsewhere: int | None = None

    def agents_in(self, region: str | None) -> int | None:
        """How many distributors a region may have; None is any number, also for nobody's region."""
        return None if region is None else self.agents.get(region, self.agents_elsewhere)


def policy_of(program: Program) -> Policy:
    """Take the policy from a program."""
    shape = program.hierarchy
    named = shape.recruiters.tiers if isinstance(shape.recruiters, TiersRecruit) else ()
    binding, territory = shape.sponsor_binding, program.territory
    alone = 1 if territory.regions == "exclusive" else None
    return Policy(
        depth_limit=shape.depth_limit,
        tiers=tuple(tier.code for tier in program.tiers),
        recruiting_tiers=None if shape.recruiters.kind == "everyone" else frozenset(named),
        reviews_applicants=shape.applicant_review == "manual",
        free_after_days=binding.days if isinstance(binding, DaysBinding) else None,
        agents=territory.agents.regions,
        agents_elsewhere=territory.agents.default or alone,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """A person or firm to take into the network.

    ``sponsor`` is an id or a code, None for a place directly under the brand; in a list it may be the code of another
    applicant. ``tier`` None is the lowest. ``reviewed``: the brand has made up its mind, whatever the program's review.
    """

    code: str
    name: str
    idempotency_key: str
    kind: Kind = Kind.PERSON
    sponsor: DistributorId | str | None = None
    tier: str | None = None
    region: str | None = None
    phone: str | None = None
    id_number: str | None = None
    reviewed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A distributor as far as the tree's rules care."""

    id: DistributorId
    code: str
    path: str
    tier: str
    status: str

    @property
    def depth(self) -> int:
        """Generations above."""
        return depth_of(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The place an applicant gets. ``seat.status`` is applied when the brand has yet to review it."""

    request: Enrol
    seat: Seat
    no: int
    sponsor_id: DistributorId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What enrolment is decided on: the policy, the seats of possible sponsors, the codes in use, who recruits.

    A ``recruiter`` brings people under itself only, so its own is the only seat there is.
    """

    policy: Policy
    seats: Mapping[UUID | str, Seat]
    taken: Set[str]
    recruiter: DistributorId | None


def place(
    requests: Sequence[Enrol],
    fields: Sequence[str],
    numbers: Sequence[tuple[DistributorId, int]],
    ground: Ground,
) -> tuple[list[Placement], list[DomainError]]:
    """Seat every applicant, sponsors before those they bring, and say everything that is wrong with each.

    ``fields`` are the input paths of the requests, ``numbers`` the id and ``no`` each is to get. Where there are
    errors the placements are of no use.
    """
    errors = list(_wrong_with_codes(requests, fields, ground.taken))
    at_code = {request.code: i for i, request in enumerate(requests)}
    brought: dict[int, list[int]] = {}
    ready: deque[tuple[int, Seat | None]] = deque()
    for i, request in enumerate(requests):
        if request.sponsor is None or request.sponsor in ground.seats:
            ready.append((i, None if request.sponsor is None else ground.seats[request.sponsor]))
        elif isinstance(request.sponsor, str) and request.sponsor in at_code:
            brought.setdefault(at_code[request.sponsor], []).append(i)
        else:
            if ground.recruiter is None:  # a recruiter is told the same of everybody but itself
                errors.append(NotFound(sponsor_field(request, fields[i]), kind="distributor", value=request.sponsor))
            ready.append((i, None))
    placed: dict[int, Placement] = {}
    while ready:
        i, sponsor = ready.popleft()
        errors.extend(_wrong_with(requests[i], fields[i], sponsor, ground))
        placed[i] = _placed(requests[i], numbers[i], sponsor, ground.policy)
        ready.extend((child, placed[i].seat) for child in brought.pop(i, ()))
    errors.extend(
        SponsorLoop(f"{fields[i]}.sponsorCode", value=requests[i].code) for i in range(len(requests)) if i not in placed
    )
    return list(placed.values()), errors


def sponsor_field(request: Enrol, field: str) -> str:
    """The input path of the sponsor, by code or by id as it was given."""
    return f"{field}.{'sponsorCode' if isinstance(request.sponsor, str) else 'sponsorId'}"


def _wrong_with_codes(requests: Sequence[Enrol], fields: Sequence[str], taken: Set[str]) -> list[DomainError]:
    errors: list[DomainError] = []
    seen: set[str] = set()
    for request, field in zip(requests, fields, strict=True):
        code = request.code
        if not (0 < len(code) <= 40 and code.isprintable() and " " not in code):
            errors.append(CodeInvalid(f"{field}.code", value=repr(code[:60])))
        elif code in taken or code in seen:
            errors.append(CodeTaken(f"{field}.code", value=code))
        seen.add(code)
    return errors


def _wrong_with(request: Enrol, field: str, sponsor: Seat | None, ground: Ground) -> list[DomainError]:
    policy = ground.policy
    errors: list[DomainError] = []
    if not (0 < len(request.name.strip()) <= 100 and request.name.isprintable()):
        errors.append(NameInvalid(f"{field}.name"))
    if request.tier is not None and request.tier not in policy.tiers:
        errors.append(tier_unknown(request.tier, f"{field}.tier", policy))
    if request.region is not None and not _REGION.fullmatch(request.region):
        errors.append(RegionInvalid(f"{field}.region", value=request.region))
    if request.phone is not None and normal_phone(request.phone) is None:
        errors.append(PhoneInvalid(f"{field}.phone"))
    if request.id_number is not None and normal_id_number(request.id_number) is None:
        errors.append(IdNumberInvalid(f"{field}.idNumber"))
    if sponsor is not None and sponsor.status != Status.ACTIVE:
        errors.append(SponsorNotActive(sponsor_field(request, field), value=sponsor.code, state=sponsor.status))
    depth = 0 if sponsor is None else sponsor.depth + 1
    if policy.depth_limit is not None and depth >= policy.depth_limit:
        errors.append(DepthExceeded(sponsor_field(request, field), depth=depth + 1, limit=policy.depth_limit))
    if ground.recruiter is not None:
        errors.extend(_wrong_with_recruiter(request, field, sponsor, ground.recruiter, policy))
    return errors


def full_regions(
    requests: Sequence[Enrol], fields: Sequence[str], policy: Policy, agents: Mapping[str, int]
) -> list[DomainError]:
    """The refusals of those whose region has no place left (docs/rules.md §2.5); ``agents`` are there already."""
    errors: list[DomainError] = []
    taken = dict(agents)
    for request, at in zip(requests, fields, strict=True):
        limit = policy.agents_in(request.region)
        if request.region is None or limit is None:
            continue
        taken[request.region] = taken.get(request.region, 0) + 1
        if taken[request.region] > limit:
            errors.append(RegionFull(f"{at}.region", region=request.region, limit=limit))
    return errors


def _wrong_with_recruiter(
    request: Enrol, field: str, sponsor: Seat | None, recruiter: DistributorId, policy: Policy
) -> list[DomainError]:
    errors: list[DomainError] = []
    if sponsor is None or sponsor.id != recruiter:
        errors.append(SponsorNotSelf(sponsor_field(request, field)))
    elif policy.recruiting_tiers is not None and sponsor.tier not in policy.recruiting_tiers:
        errors.append(RecruitingNotAllowed(sponsor_field(request, field)))
    if request.reviewed:
        errors.append(ReviewNotYours(f"{field}.reviewed"))
    return errors


def _placed(request: Enrol, number: tuple[DistributorId, int], sponsor: Seat | None, policy: Policy) -> Placement:
    id_, no = number
    waits = policy.reviews_applicants and not request.reviewed
    seat = Seat(
        id=id_,
        code=request.code,
        path=(sponsor.path if sponsor else "") + segment(no),
        tier=request.tier or (policy.tiers[0] if policy.tiers else NO_TIER),
        status=Status.APPLIED if waits else Status.ACTIVE,
    )
    return Placement(request=request, seat=seat, no=no, sponsor_id=sponsor.id if sponsor else None)


def tier_unknown(tier: str, field: str, policy: Policy) -> TierUnknown:
    """The refusal of a tier the program does not have."""
    return TierUnknown(field, value=tier, known=", ".join(policy.tiers) or "–")


def check_move(subject: Seat, sponsor: Seat | None, deepest: int, policy: Policy) -> None:
    """Whether the subtree of ``subject``, whose lowest member has depth ``deepest``, may hang under ``sponsor``.

    A tree that is deeper than the program allows by now may stay so, and become flatter, but no deeper.
    Raises ``MoveMakesCycle``, ``SponsorNotActive`` or ``DepthExceeded``.
    """
    if sponsor is not None:
        if sponsor.path.startswith(subject.path):
            raise MoveMakesCycle("input.sponsorId", sponsor=sponsor.code, subject=subject.code)
        if sponsor.status != Status.ACTIVE:
            raise SponsorNotActive("input.sponsorId", value=sponsor.code, state=sponsor.status)
    depth = deepest - subject.depth + (0 if sponsor is None else sponsor.depth + 1)
    if policy.depth_limit is not None and depth >= policy.depth_limit and depth > deepest:
        raise DepthExceeded("input.sponsorId", depth=depth + 1, limit=policy.depth_limit)


def check_heir(leaving: Seat, heir: Seat, deepest: int, policy: Policy, field: str) -> None:
    """Whether ``heir`` can take the downline of ``leaving``, whose lowest member has depth ``deepest``.

    One from directly below takes the place of who leaves; nobody comes to stand deeper then.
    Raises ``HeirNotActive``, ``HeirBelow`` or ``DepthExceeded``.
    """
    if heir.status != Status.ACTIVE:
        raise HeirNotActive(field, value=heir.code, state=heir.status)
    if heir.path.startswith(leaving.path):
        if heir.depth != leaving.depth + 1:
            raise HeirBelow(field, heir=heir.code, subject=leaving.code)
        return
    depth = deepest - leaving.depth + heir.depth
    if policy.depth_limit is not None and depth >= policy.depth_limit and depth > deepest > leaving.depth:
        raise DepthExceeded(field, depth=depth + 1, limit=policy.depth_limit)


def check_free(sponsor: Seat | None, bound_since: datetime, now: datetime, policy: Policy) -> None:
    """Whether a distributor may change to ``sponsor`` by its own decision; the brand may always move it.

    Raises ``SponsorBound`` or ``RecruitingNotAllowed``.
    """
    days = policy.free_after_days
    if sponsor is None or days is None or now < bound_since + timedelta(days=days):
        raise SponsorBound("input.sponsorId")
    if policy.recruiting_tiers is not None and sponsor.tier not in policy.recruiting_tiers:
        raise RecruitingNotAllowed("input.sponsorId")
