"""Periods and days of settlement, decided without a database or a clock (docs/rules.md §2.6, §6).

A period is half-open, ``[since, until)``, between two moments that begin a day in the brand's time zone. One period
ends where the next begins, also when the brand changes from one kind of period to another: the next period always
starts at the end of the last one closed.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from saas.base.ids import DistributorId
from saas.base.money import BPS_WHOLE

PeriodKind: TypeAlias = Literal["monthly", "quarterly", "per_order"]
SATURDAY = 5
MONTHS = 12
QUARTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPolicy:
    """A brand's settings of settlement.

    ``day``: on which day of the month a monthly period begins, the last day where a month is shorter.
    ``per_order`` has no calendar: each run settles everything whose hold is over by then. ``recovery_bps``: of what a
    settlement brings a distributor, at most so much pays its debt; None: all of it, and 0: nothing, so that a debt
    waits to be written off.
    """

    currency: str
    time_zone: str
    period: PeriodKind
    day: int
    days_to_pay: int
    recovery_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """``[since, until)`` in UTC, and how people call it."""

    since: datetime
    until: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Carried:
    """What earlier statements of a distributor come to: the last closing, and the payouts stated so far."""

    closing_minor: int = 0
    payout_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a settlement does about a debt, in minor units.

    ``debt_minor`` is what was owed before, ``recovered_minor`` the part of it that this settlement took. What it
    leaves is owed on. ``set_aside_minor`` is what the settled balance gains (positive) because debt moves to its own
    account, or loses because the debt there is paid.
    """

    debt_minor: int = 0
    recovered_minor: int = 0
    set_aside_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What is owed on."""
        return self.debt_minor - self.recovered_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A statement before it has a number. ``lines`` counts its commission, ``awards_minor`` are rebates and bonuses.

    ``adjusted_minor`` are adjustments somebody decided and ``penalties_minor`` the penalties, less those lifted;
    ``adjustment_minor`` is everything else that moved the settled balance: goods that came back, debts written off,
    stock bought back. Opening and closing are the settled balance, penalties and payouts are negative.
    """

    distributor_id: DistributorId
    lines: int
    opening_minor: int
    commission_minor: int
    awards_minor: int
    adjusted_minor: int = 0
    penalties_minor: int = 0
    adjustment_minor: int
    payout_minor: int
    recovery: Recovery = Recovery()
    recovery_bps: int | None = None

    @property
    def closing_minor(self) -> int:
        """What the distributor can ask to be paid after this statement; negative when it owes."""
        moved = self.adjustment_minor + self.payout_minor + self.recovery.set_aside_minor
        return self.opening_minor + self.earned_minor + self.adjusted_minor + self.penalties_minor + moved

    @property
    def earned_minor(self) -> int:
        """What the period brought: commission and awards."""
        return self.commission_minor + self.awards_minor


def recover(
    *, balance_minor: int, debt_minor: int, net_minor: int, most_bps: int | None, leaves: bool = False
) -> Recovery:
    """Decide how much of a debt a settlement takes (docs/rules.md §4).

    ``balance_minor`` is the settled balance before what the period nets, ``debt_minor`` what its own account owes,
    ``net_minor`` commission, awards, adjustments and penalties together. Of a gain at most ``most_bps`` is taken,
    rounded down so that it is never more, or when None everything. What is left of a debt then moves to its own
    account, so that the rest of the gain can be paid out; where everything is taken it stays where it is, on the
    settled balance. Whoever leaves has no later earnings: all that is there pays.

    Owed 300.00, earned 500.00, at most 20 %: 100.00 recovered, 200.00 owed on, 400.00 to be paid out.
    """
    gain, before = max(net_minor, 0), balance_minor + min(net_minor, 0)
    short = max(-before, 0)
    owed = short + debt_minor
    everything = most_bps is None or leaves
    most = gain if most_bps is None else gain * most_bps // BPS_WHOLE
    if leaves:
        most = gain + max(before, 0)
    recovered = min(owed, most)
    set_aside = short - recovered
    return Recovery(
        debt_minor=owed,
        recovered_minor=recovered,
        set_aside_minor=min(set_aside, 0) if everything else set_aside,
    )


def period_at(policy: SettlementPolicy, moment: datetime) -> Period:
    """The period of the calendar that ``moment`` belongs to; without a calendar, the brand's day of it."""
    since, until = _bounds(policy, moment)
    return Period(since, until, _label(policy, since, until))


def period_after(policy: SettlementPolicy, since: datetime, now: datetime) -> Period:
    """The period that begins where the last one ended, up to the next bound of the calendar.

    Without a calendar it ends now, so each run closes what came up since the one before.
    """
    until = max(now, since + timedelta.resolution) if policy.period == "per_order" else _bounds(policy, since)[1]
    return Period(since, until, _label(policy, since, until))


def add_working_days(day: date, days: int) -> date:
    """The working day (Monday to Friday) that many working days after ``day``; from a weekend, counted from Monday.

    Public holidays are not known here: a statement promises a day, and paying is never blocked by it.
    """
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    weeks, rest = divmod(days, 5)
    day += timedelta(weeks=weeks)
    for _ in range(rest):
        day += timedelta(days=3 if day.weekday() == SATURDAY - 1 else 1)
    return day


def statement_numbers(policy: SettlementPolicy, period: Period, first: int, count: int) -> list[str]:
    """The numbers of so many statements, from the ``first`` on, unique within the brand: ``S20260301-CNY-000017``."""
    start = period.since.astimezone(ZoneInfo(policy.time_zone))
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) == start
    of_period = f"S{start:{'%Y%m%d' if midnight else '%Y%m%d%H%M%S%f'}}-{policy.currency}"
    return [f"{of_period}-{sequence:06}" for sequence in range(first, first + count)]


def draft(
    distributor_id: DistributorId,
    *,
    lines: int,
    commission_minor: int,
    awards_minor: int,
    adjusted_minor: int = 0,
    penalties_minor: int = 0,
    carried: Carried,
    balance_minor: int,
    payouts_minor: int,
    debt_minor: int = 0,
    recovery_bps: int | None = None,
    leaves: bool = False,
) -> Draft:
    """A statement from what is known when a period is closed.

    ``balance_minor`` is the settled balance before what the period brought, ``payouts_minor`` all that payouts ever
    took from it (negative) or failed ones gave back. What else moved the balance since the last statement is the
    adjustment, so a statement always closes with the balance of the ledger. ``debt_minor`` is owed besides.
    """
    payout_minor = payouts_minor - carried.payout_minor
    return Draft(
        distributor_id=distributor_id,
        lines=lines,
        opening_minor=carried.closing_minor,
        commission_minor=commission_minor,
        awards_minor=awards_minor,
        adjusted_minor=adjusted_minor,
        penalties_minor=penalties_minor,
        adjustment_minor=balance_minor - carried.closing_minor - payout_minor,
        payout_minor=payout_minor,
        recovery=recover(
            balance_minor=balance_minor,
            debt_minor=debt_minor,
            net_minor=commission_minor + awards_minor + adjusted_minor + penalties_minor,
            most_bps=recovery_bps,
            leaves=leaves,
        ),
        recovery_bps=None if leaves else recovery_bps,
    )


def _start_in(policy: SettlementPolicy, month: int) -> datetime:
    """When the period of a month begins; months are counted from year 0."""
    year, index = divmod(month, MONTHS)
    day = 1 if policy.period == "quarterly" else min(policy.day, monthrange(year, index + 1)[1])
    return datetime(year, index + 1, day, tzinfo=ZoneInfo(policy.time_zone)).astimezone(UTC)


def _bounds(policy: SettlementPolicy, moment: datetime) -> tuple[datetime, datetime]:
    """The bounds of the calendar around ``moment``, the lower one included."""
    zone = ZoneInfo(policy.time_zone)
    local = moment.astimezone(zone)
    if policy.period == "per_order":
        start = datetime(local.year, local.month, local.day, tzinfo=zone)
        return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)
    step = QUARTER if policy.period == "quarterly" else 1
    month = local.year * MONTHS + local.month - 1
    month -= month % step
    start = _start_in(policy, month)
    if start > moment:
        return _start_in(policy, month - step), start
    return start, _start_in(policy, month + step)


def _label(policy: SettlementPolicy, since: datetime, until: datetime) -> str:
    zone = ZoneInfo(policy.time_zone)
    start, end = since.astimezone(zone), until.astimezone(zone)
    if policy.period == "per_order":
        return f"{start:%Y-%m-%d %H:%M:%S} – {end:%Y-%m-%d %H:%M:%S}"
    if _bounds(policy, since) == (since, until):
        if policy.period == "quarterly":
            return f"{start.year}-Q{(start.month + 2) // QUARTER}"
        if policy.day == 1:
            return f"{start:%Y-%m}"
    return f"{start:%Y-%m-%d} – {end:%Y-%m-%d}"
