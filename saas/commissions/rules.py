"""Who earns what on an order line, and why the others do not (docs/rules.md §3). Pure, and the hot loop of the house.

The order of things on one line, the same for every program:

1. The base is what was paid for the goods, or by setting the program's share of it (the pool, half up), what is left
   of it above the cost of the pieces, or the value set for them, never more than was paid.
2. A fixed amount for the SKU replaces all other components (§3.5); its pieces count for amounts a piece all the same.
   Otherwise all that apply on the day add up: level tables, amounts a piece with volume, differentials, those of a
   kind in the document's order.
3. Each level goes to the member of the chain at that distance from the seller. The level of one who is not active
   stays with the company or, when the program compresses, goes to the next active upline. The seller's never moves.
   What a self purchase does not bring the seller, and an upline that does not qualify, stays with the company.
4. Each share is rounded half up; a differential comes to no more than the highest rate that it paid.
5. Together they exceed neither the cap's part of the base, rounded down, nor the base: above that all shrink in
   proportion (§3.7), amounts a piece like rates. The limit holds for each line, hence for the order, and a return of
   one line leaves the others as they are.
6. The seller's shares are split with the distributor of the customer's region, when that is another's (§3.8).
"""

from collections.abc import Sequence
from uuid import UUID

from saas.base.money import BPS_WHOLE, share
from saas.commissions.parts import (
    NOBODY,
    differential_shares,
    piece_share,
    shrink,
    split,
    why_unpaid,
)
from saas.commissions.shares import ACTIVE, NO_FACTS, Facts, Line, LineResult, Member, Outcome, Reason, Share
from tenants.program.compile import CompiledProgram, PieceCounter, compile_program
from tenants.program.components import CommissionBase, GrossMargin, PaidGoods, Pool, ProductValue
from tenants.program.parts import PeriodLength
from tenants.program.plan import DifferentialSlot, PieceSlot

__all__ = [
    "NO_FACTS",
    "CompiledProgram",
    "Facts",
    "Line",
    "LineResult",
    "Member",
    "Outcome",
    "PieceCounter",
    "Reason",
    "Share",
    "commission_for_line",
    "compile_program",
]

_HALF = BPS_WHOLE // 2
# Fetching a member from its enum class is slow in Python 3.11, and the loop fetches one for each share.
_IN_FULL, _MOVED_UP = Reason.IN_FULL, Reason.MOVED_UP
_SELF_PURCHASE, _NOT_QUALIFIED = Reason.SELF_PURCHASE, Reason.NOT_QUALIFIED
_RATE_ZERO, _NO_BASE, _ROUNDED_TO_ZERO = Reason.RATE_ZERO, Reason.NO_BASE, Reason.ROUNDED_TO_ZERO
_BEYOND, _NO_COMPONENT = Reason.BEYOND_PAID_LEVELS, Reason.NO_COMPONENT
_PASSED_OVER = {"suspended": Reason.SUSPENDED_PASSED_OVER, "exited": Reason.EXITED_PASSED_OVER}
_NOTHING: tuple[int, ...] = ()


def commission_for_line(
    program: CompiledProgram, line: Line, chain: Sequence[Member], facts: Facts = NO_FACTS
) -> LineResult:
    """Share out one line to its chain: the seller first, the root last; empty when the brand itself sells.

    ``program.chain_needed`` members of the chain are enough, and those ``facts`` that the program asks for. Of the
    uplines beyond the last paid level the nearest is told, for itself and all above. Raises ``ValueError`` for a
    quantity below one or a negative base.
    """
    sku, category, quantity, paid_minor, day, self_purchase = line
    if quantity < 1 or paid_minor < 0:
        raise ValueError(f"no commission on {quantity} pieces for {paid_minor} minor units")
    slots, reach, pieces, differentials, _ = program.plan_for(sku, category, day)
    base = paid_minor if program.base is None else base_of(program.base, sku, quantity, paid_minor)
    seats, moved, apart = _seats(chain, reach, program.compress, base, quantity)
    seated = len(seats)
    unpaid_seller = self_purchase and not program.self_purchase_pays_seller
    new = tuple.__new__
    shares: list[Share] = []
    total = 0
    for component, level, per_piece, table_value, by_tier, qualify in slots:
        beneficiary_id, tier, status = seats[level] if level < seated else NOBODY
        value = table_value if by_tier is None else by_tier.get(tier, table_value)
        amount, detail = 0, _NOTHING
        if status != ACTIVE:
            reason = why_unpaid(level, beneficiary_id, status)
        elif level == 0 and unpaid_seller:
            reason = _SELF_PURCHASE
        elif value == 0:
            reason = _RATE_ZERO
        elif qualify is not None and (sold := _own_sales(facts, qualify[0], beneficiary_id)) < qualify[1]:
            reason, detail = _NOT_QUALIFIED, (sold, qualify[1])
        else:
            amount = value * quantity if per_piece else (base * value + _HALF) // BPS_WHOLE
            total += amount
            reason = _IN_FULL if amount and level < moved else _paid(amount, base)
        rate, each = (None, value) if per_piece else (value, None)
        row = (component, level, beneficiary_id, tier, rate, each, base, quantity, amount, reason, detail)
        shares.append(new(Share, row))
    if pieces or differentials:
        more = _others(pieces, differentials, seats, moved, base, quantity, unpaid_seller, facts)
        total += sum([one.amount_minor for one in more])
        shares += more
    limit = program.limit_of(base)
    if total > limit:
        shrink(shares, limit)
        total = limit
    if facts.partner is not None and program.lead is not None:
        shares = split(shares, facts.partner, program.lead)
        total = sum([one.amount_minor for one in shares])
    return LineResult((*shares, *apart), base, base - total)


def base_of(base: CommissionBase, sku: str, quantity: int, paid_minor: int) -> int:
    """What rates apply to, in minor units, when that is not what was paid for the goods (§3, "Base")."""
    match base:
        case Pool():
            return share(paid_minor, base.share_bps)
        case GrossMargin():
            cost = base.costs_minor.get(sku)
            return 0 if cost is None else max(paid_minor - cost * quantity, 0)
        case ProductValue():
            return min(base.values_minor.get(sku, 0) * quantity, paid_minor)
        case PaidGoods():
            return paid_minor


def _paid(amount: int, base: int) -> Reason:
    """Why an active member's share is what it is, unless that is in full."""
    if amount:
        return _MOVED_UP
    return _ROUNDED_TO_ZERO if base else _NO_BASE


def _own_sales(facts: Facts, period: PeriodLength, upline_id: UUID | None) -> int:
    return facts.own_sales.get((period, upline_id), 0) if upline_id is not None else 0


def _others(
    pieces: Sequence[PieceSlot],
    differentials: Sequence[DifferentialSlot],
    seats: Sequence[Member],
    moved: int,
    base: int,
    quantity: int,
    unpaid: bool,
    facts: Facts,
) -> list[Share]:
    """The shares of the components that do not pay by level."""
    seller = seats[0] if seats else NOBODY
    before, open_lifts = facts.pieces, facts.open_lifts
    shares = [
        piece_share(slot, seller, before.get(key := slot.component, 0), base, quantity, unpaid, open_lifts.get(key, 0))
        for slot in pieces
    ]
    for slot in differentials:
        shares += differential_shares(slot, seats, moved, base, quantity, unpaid)
    return shares


def _seats(
    chain: Sequence[Member], reach: int, compress: bool, base: int, quantity: int
) -> tuple[Sequence[Member], int, Sequence[Share]]:
    """Who sits on the levels below ``reach``, the first level whose member moved up, and the rows of those on none."""
    if compress and any(member.status != ACTIVE for member in chain[1:reach]):
        return _moved_up(chain, reach, base, quantity)
    if len(chain) <= reach:
        return chain, reach, ()
    return chain, reach, (_apart(reach, chain[reach], _BEYOND if reach else _NO_COMPONENT, base, quantity),)


def _moved_up(
    chain: Sequence[Member], reach: int, base: int, quantity: int
) -> tuple[Sequence[Member], int, Sequence[Share]]:
    seats, apart, moved = [chain[0]], list[Share](), reach
    for distance, member in enumerate(chain[1:], start=1):
        if len(seats) == reach:
            apart.append(_apart(distance, member, _BEYOND, base, quantity))
            break
        if member.status == ACTIVE:
            seats.append(member)
        else:
            moved = min(moved, len(seats))
            reason = _PASSED_OVER.get(member.status, Reason.NOT_ACTIVE_PASSED_OVER)
            apart.append(_apart(distance, member, reason, base, quantity))
    return seats, moved, apart


def _apart(distance: int, member: Member, reason: Reason, base: int, quantity: int) -> Share:
    """A member of the chain that no component reaches."""
    return Share("", distance, member.id, member.tier, None, None, base, quantity, 0, reason)
