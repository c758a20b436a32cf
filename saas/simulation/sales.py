"""What distributors sold themselves up to any moment: who has to qualify is asked for it. Pure."""

from array import array
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HALF = 2**64


def microseconds(moment: datetime) -> int:
    """A moment as a whole number that can be compared."""
    return (moment - _EPOCH) // _MICROSECOND


def place_of(order_id: str) -> tuple[int, int]:
    """An order's place among those of its moment, which are booked in the order of their ids: two 64-bit numbers."""
    return divmod(int(order_id.replace("-", ""), 16), _HALF)


class _Sold(NamedTuple):
    """The sales of one seat in their order: moments, the two numbers of their places, and the sums before each."""

    moments: "array[int]"
    high: "array[int]"
    low: "array[int]"
    sums: "array[int]"


class OwnSales:
    """The running sums of everybody's own sales: four numbers for each sale, whatever the brand's size."""

    __slots__ = ("_by_seat",)

    def __init__(self) -> None:
        self._by_seat: dict[str, _Sold] = {}

    def add(self, seat: str, moment: datetime, order_id: str, amount_minor: int) -> None:
        """Add a sale; sales come in the order of their moments, and those of one moment in that of their ids."""
        found = self._by_seat.get(seat)
        if found is None:
            found = self._by_seat[seat] = _Sold(array("q"), array("Q"), array("Q"), array("q", (0,)))
        high, low = place_of(order_id)
        found.moments.append(microseconds(moment))
        found.high.append(high)
        found.low.append(low)
        found.sums.append(found.sums[-1] + amount_minor)

    def sold(self, seat: str, since: int, before: int, order_id: str) -> int:
        """What the seat sold from ``since`` to the order that was paid at ``before``, both in ``microseconds``."""
        found = self._by_seat.get(seat)
        if found is None:
            return 0
        moments, high, low, sums = found
        until = bisect_left(moments, before)
        if until < len(moments) and moments[until] == before:
            place = place_of(order_id)
            while until < len(moments) and moments[until] == before and (high[until], low[until]) < place:
                until += 1
        return sums[until] - sums[bisect_left(moments, since)]
