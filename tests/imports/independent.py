"""What an import must come to, worked out from the file alone in exact fractions, sharing no code with the import."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

RATES = (Fraction(10, 100), Fraction(15, 100), Fraction(20, 100))


@dataclass
class Expected:
    """Sums in cents; distributors by number."""

    orders: int = 0
    gifts: int = 0
    pieces: int = 0
    goods: int = 0
    company: int = 0
    by_level: Counter[int] = field(default_factory=Counter)
    earned: Counter[int] = field(default_factory=Counter)
    sold: Counter[int] = field(default_factory=Counter)


def expected(lines: Iterable[str]) -> Expected:
    """The sums of a whole, well-formed log."""
    found = Expected()
    rows = [line.split() for line in lines if not line.startswith("#")]
    for customer, _, items, value in rows[1:]:
        paid = Fraction(value)
        number = (int(customer) * 7919) % 2000 + 1
        found.orders += 1
        found.gifts += paid == 0
        found.pieces += int(items)
        found.goods += int(paid * 100)
        found.sold[number] += int(paid * 100)
        left = int(paid * 100)
        for level, rate in enumerate(RATES):
            if number == 0:
                break
            share = (paid * 100 * rate + Fraction(1, 2)).__floor__()
            found.by_level[level] += share
            found.earned[number] += share
            left -= share
            number //= 4
        found.company += left
    return found
