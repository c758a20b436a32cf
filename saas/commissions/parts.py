"""The shares that do not go by level: pieces with volume, differentials, and leads that are split. Pure.

Called by ``saas/commissions/rules.py`` for programs that have them.
"""

from collections.abc import Sequence
from uuid import UUID

from saas.base.money import BPS_WHOLE, share, shrink_to
from saas.commissions.shares import ACTIVE, LEAD, SAME_TIER, Member, Reason, Share
from tenants.program.document import CrossRegionLead
from tenants.program.plan import DifferentialSlot, PieceSlot

Seat = tuple[UUID | None, str | None, str | None]
"""Who sits on a level: id, tier and status, like a member; nobody is all ``None``."""

NOBODY: Seat = (None, None, None)
_HALF = BPS_WHOLE // 2
# Fetching a member from its enum class is slow in Python 3.11, and the loops fetch one for each share.
_IN_FULL, _MOVED_UP, _WITHIN_TOP_RATE = Reason.IN_FULL, Reason.MOVED_UP, Reason.WITHIN_TOP_RATE
_CAPPED, _CAPPED_TO_ZERO = Reason.CAPPED, Reason.CAPPED_TO_ZERO
_NO_SELLER, _NO_UPLINE, _SELF_PURCHASE = Reason.NO_SELLER, Reason.NO_UPLINE, Reason.SELF_PURCHASE
_RATE_ZERO, _NO_BASE, _ROUNDED_TO_ZERO = Reason.RATE_ZERO, Reason.NO_BASE, Reason.ROUNDED_TO_ZERO
_NO_DIFFERENCE, _NOT_ACTIVE = Reason.NO_DIFFERENCE, Reason.NOT_ACTIVE
_LEAD_SHARED, _LEAD_TO_PARTNER = Reason.LEAD_SHARED, Reason.LEAD_TO_PARTNER
_FIXED_INSTEAD = Reason.FIXED_INSTEAD
_INACTIVE = {"suspended": Reason.SUSPENDED, "exited": Reason.EXITED}


def why_unpaid(level: int, beneficiary_id: UUID | None, status: str | None) -> Reason:
    """Why somebody who is not active, or nobody, is not paid."""
    if beneficiary_id is None:
        return _NO_UPLINE if level else _NO_SELLER
    return _INACTIVE.get(status or "", _NOT_ACTIVE)


def lifted(slot: PieceSlot, before: int, quantity: int) -> tuple[int, ...]:
    """Pairs of pieces and what each brings more, of ``quantity`` pieces after ``before`` in the period (§3.2).

    ``MARGINAL`` lifts each piece by the band it falls into. ``WHOLE`` lifts all pieces of the period by the band of
    the last: what the period brings after the line, less what it brought before.
    """
    after = before + quantity
    if slot.whole:
        extra_before = extra_after = 0
        for above, extra in slot.bands:
            if before > above:
                extra_before = extra
            if after > above:
                extra_after = extra
        now = (after, extra_after) if extra_after else ()
        return (*now, -before, extra_before) if extra_before else now
    pairs: tuple[int, ...] = ()
    until = after
    for above, extra in reversed(slot.bands):
        start = max(above, before)
        if until > start:
            if extra:
                pairs = (until - start, extra, *pairs)
            until = start
    return pairs


def piece_share(
    slot: PieceSlot, seat: Seat, before: int, base: int, quantity: int, unpaid: bool, open_minor: int = 0
) -> Share:
    """The seller's share of an amount a piece with volume. ``unpaid``: it bought for itself and gets nothing.

    A line that pays makes up for ``open_minor``, the lift of pieces before that does not stand. A lift is never less
    than nothing, whatever stands. Where a fixed amount pays instead the lift is used up all the same.
    """
    beneficiary_id, tier, status = seat
    each, amount = slot.per_piece_minor, 0
    detail = (before, *lifted(slot, before, quantity)) if beneficiary_id is not None else ()
    if slot.replaced:
        reason = _FIXED_INSTEAD
    elif status != ACTIVE:
        reason = why_unpaid(0, beneficiary_id, status)
    elif unpaid:
        reason = _SELF_PURCHASE
    else:
        amount = each * quantity
        for at in range(1, len(detail), 2):
            amount += detail[at] * detail[at + 1]
        if open_minor:
            made_up = max(open_minor, each * quantity - amount)
            amount += made_up
            detail = (*detail, made_up)
        reason = _IN_FULL if amount else _RATE_ZERO
    return Share(slot.component, 0, beneficiary_id, tier, None, each, base, quantity, amount, reason, detail)


def differential_shares(
    slot: DifferentialSlot, seats: Sequence[Seat], moved: int, base: int, quantity: int, unpaid_seller: bool
) -> list[Share]:
    """The shares of a differential, and its bonuses for equal tiers (§3.4).

    Whoever is not paid counts below others all the same: its part stays with the company. Rounded up share by share,
    what the rates bring never comes to more than the highest rate that was paid.
    """
    key, rates, levels, bonus_bps = slot
    if not seats:
        return [Share(key, 0, *NOBODY[:2], None, None, base, quantity, 0, _NO_SELLER)]
    new = tuple.__new__
    shares: list[Share] = []
    bonuses: list[Share] = []
    highest, holder, top, total = 0, None, 0, 0
    rewarded: set[str | None] = {None}
    for level, (beneficiary_id, tier, status) in enumerate(seats[:levels]):
        own = rates.get(tier, 0)
        rate, amount = own - highest if own > highest else 0, 0
        if status != ACTIVE:
            reason = why_unpaid(level, beneficiary_id, status)
        elif level == 0 and unpaid_seller:
            reason = _SELF_PURCHASE
        elif rate == 0:
            reason = _NO_DIFFERENCE if own else _RATE_ZERO
        else:
            amount = (base * rate + _HALF) // BPS_WHOLE
            total, top = total + amount, own
            reason = _paid(amount, base, level < moved)
        row = (key, level, beneficiary_id, tier, rate, None, base, quantity, amount, reason, (own, highest))
        shares.append(new(Share, row))
        if bonus_bps and tier == holder and tier not in rewarded:
            rewarded.add(tier)
            bonuses.append(_bonus(slot, level, seats[level], base, quantity, moved))
        if own > highest:
            highest, holder = own, tier
    limit = (base * top + _HALF) // BPS_WHOLE
    if total > limit:
        shrink(shares, limit, _WITHIN_TOP_RATE, _ROUNDED_TO_ZERO)
    return shares + bonuses if bonuses else shares


def _bonus(slot: DifferentialSlot, level: int, seat: Seat, base: int, quantity: int, moved: int) -> Share:
    """The bonus of the first upline of the tier that holds the highest rate below it."""
    beneficiary_id, tier, status = seat
    rate, amount = slot.same_tier_bps, 0
    if status == ACTIVE:
        amount = (base * rate + _HALF) // BPS_WHOLE
        reason = _paid(amount, base, level < moved)
    else:
        reason = why_unpaid(level, beneficiary_id, status)
    return Share(slot.component + SAME_TIER, level, beneficiary_id, tier, rate, None, base, quantity, amount, reason)


def _paid(amount: int, base: int, in_place: bool) -> Reason:
    """Why an active member's share of a rate above zero is what it is."""
    if amount:
        return _IN_FULL if in_place else _MOVED_UP
    return _ROUNDED_TO_ZERO if base else _NO_BASE


def shrink(shares: list[Share], limit: int, why: Reason = _CAPPED, why_zero: Reason = _CAPPED_TO_ZERO) -> None:
    """Shrink what was earned to ``limit`` in all; among equal remainders the lower level, then the component's key."""
    earned = [(one.level, one.component, i, one.amount_minor) for i, one in enumerate(shares) if one.amount_minor]
    earned.sort()
    shrunk = shrink_to([whole for _, _, _, whole in earned], limit)
    for (_, _, i, whole), amount in zip(earned, shrunk, strict=True):
        if amount != whole:
            one = shares[i]
            stays = one.reason is _MOVED_UP and why is _CAPPED
            reason = why_zero if amount == 0 else _MOVED_UP if stays else why
            shares[i] = _changed(one, amount, reason, one.detail)


def _changed(one: Share, amount_minor: int, reason: Reason, detail: tuple[int, ...]) -> Share:
    """``_replace``, in a quarter of its time."""
    return tuple.__new__(Share, (*one[:8], amount_minor, reason, detail))


def split(shares: Sequence[Share], partner: Member, lead: CrossRegionLead) -> list[Share]:
    """Share what the seller earned with the distributor of the customer's region (§3.8); others' shares stay.

    The seller's part is rounded half up, the partner's is the rest; that of one who is not active stays with the
    company.
    """
    sellers_bps = lead.commission_to_seller_bps
    made: list[Share] = []
    for one in shares:
        whole = one.amount_minor
        if one.level or not whole:
            made.append(one)
            continue
        part = share(whole, sellers_bps)
        reason = _LEAD_SHARED if part else _LEAD_TO_PARTNER
        made.append(_changed(one, part, reason, (*one.detail, sellers_bps, whole)))
        made.append(_partners(one, partner, BPS_WHOLE - sellers_bps, whole - part))
    return made


def _partners(whole: Share, partner: Member, bps: int, part_minor: int) -> Share:
    """The partner's part of a seller's share."""
    key, base, quantity, whole_minor = whole.component + LEAD, whole.base_minor, whole.quantity, whole.amount_minor
    if partner.status != ACTIVE:
        reason, part_minor = why_unpaid(0, partner.id, partner.status), 0
    else:
        reason = _IN_FULL if part_minor else _ROUNDED_TO_ZERO if bps else _RATE_ZERO
    detail = (bps, whole_minor)
    return Share(key, 0, partner.id, partner.tier, None, None, base, quantity, part_minor, reason, detail)
