"""What distributors sold themselves up to any moment: who has to qualify is asked for it. Pure."""

from array import array
from bisect import bisect_left
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A moment as a whole number that can be compared."""
    return (moment - _EPOCH) // _MICROSECOND


class OwnSales:
    """The running sums of everybody's own sales: two numbers for each sale, whatever the brand's size."""

    __slots__ = ("_by_seat",)

    def __init__(self) -> None:
        self._by_seat: dict[str, tuple[array[int], array[int]]] = {}

    def add(self, seat: str, moment: datetime, amount_minor: int) -> None:
        """Add a sale; sales come in the order of their moments."""
        found = self._by_seat.get(seat)
        if found is None:
            found = self._by_seat[seat] = (array("q"), array("q", (0,)))
        moments, sums = found
        moments.append(microseconds(moment))
        sums.append(sums[-1] + amount_minor)

    def sold(self, seat: str, since: int, before: int) -> int:
        """What the seat sold in ``[since, before)``, both in ``microseconds``."""
        found = self._by_seat.get(seat)
        if found is None:
            return 0
        moments, sums = found
        return sums[bisect_left(moments, before)] - sums[bisect_left(moments, since)]
