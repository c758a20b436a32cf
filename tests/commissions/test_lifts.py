"""Lifts when orders are undone (docs/rules.md §3.2, §4): any sequence of sales, returns and cancellations."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from saas.base.money import part_back, share, shrink_to
from saas.commissions.lifts import Lifted, Paid, Undone, due, even, lift_of, taken_minor
from tenants.program.plan import PieceSlot
from tests.commissions.small import DAY, compiled, pieces


def slot_of(*bands: tuple[int, int], applies: str = "MARGINAL", each: int = 2000) -> PieceSlot:
    """As a program is compiled; ``test_the_slots_here_are_those_of_programs`` holds it to that."""
    if applies == "WHOLE":
        bands = tuple(accumulate(bands, lambda lower, band: (band[0], max(lower[1], band[1]))))
    return PieceSlot("pieces", each, bands, applies == "WHOLE")


def test_the_slots_here_are_those_of_programs() -> None:
    for applies in ("MARGINAL", "WHOLE"):
        (slot,) = compiled(pieces((5, 30), (9, 10), applies=applies)).plan_for("S", None, DAY).pieces
        assert slot_of((5, 30), (9, 10), applies=applies) == slot


class Book:
    """One seller's period: orders of one line, with what each was paid, and with what others get of each piece.

    ``most``: all shares of a line may come to so much a piece. ``lead_bps``: the seller's part of its share, the
    partner of a lead has the rest.
    """

    def __init__(
        self, slot: PieceSlot, before: int = 0, most: int = 10**9, others: int = 0, lead_bps: int = 10_000
    ) -> None:
        self.slot, self.before, self.most, self.others, self.lead_bps = slot, before, most, others, lead_bps
        self.lines: dict[int, Lifted] = {}
        self.paid: dict[int, Paid] = {}
        self.amounts: dict[int, tuple[int, int]] = {}
        self.taken: dict[int, tuple[int, int]] = {}

    @property
    def sold(self) -> int:
        return self.before + sum(line.left for line in self.lines.values())

    @property
    def standing(self) -> int:
        return sum(line.standing_minor for line in self.lines.values())

    @property
    def due(self) -> int:
        return due(self.slot, self.before, list(self.lines.values()))

    def sell(self, quantity: int) -> None:
        lift = lift_of(self.slot, self.sold + quantity) - lift_of(self.slot, self.before) - self.standing
        assert lift >= 0
        number = len(self.paid)
        full, limit = self.slot.per_piece_minor * quantity + lift, self.most * quantity
        whole, _ = shrink_to([full, self.others * quantity], limit)
        self.lines[number] = Lifted(quantity, 0, lift, 0)
        self.paid[number] = Paid(full, whole, limit)
        sellers = share(whole, self.lead_bps)
        self.amounts[number], self.taken[number] = (sellers, whole - sellers), (0, 0)

    def rule(self, number: int) -> Fraction:
        """What the rules bring for what is left of a line: its pieces and its lift, under the limit."""
        line = self.lines[number]
        lift = line.lift_minor - Fraction(line.lift_minor * line.returned, line.pieces) - line.evened_minor
        ours, others = self.slot.per_piece_minor * line.left + max(lift, Fraction(0)), self.others * line.left
        limit = Fraction(self.most * line.left)
        return ours if ours + others <= limit else ours * limit / (ours + others)

    def money(self, number: int) -> int:
        return sum(self.amounts[number]) - sum(self.taken[number])

    def cancel(self, number: int) -> None:
        del self.lines[number]
        del self.taken[number]
        self._even({})

    def give_back(self, number: int, quantity: int) -> None:
        line = self.lines[number]
        was = {number: line}
        self.lines[number] = line._replace(returned=line.returned + quantity)
        self._even(was)

    def _even(self, was: dict[int, Lifted]) -> None:
        undone = [Undone(self.paid[n], was.get(n, line), line) for n, line in self.lines.items()]
        for (number, line), evened in zip(list(self.lines.items()), even(self.slot, self.before, undone), strict=True):
            assert 0 <= evened <= line.lift_minor
            before, after = was.get(number, line), line._replace(evened_minor=evened)
            assert after.standing_minor <= before.standing_minor, "nothing is given"
            self.lines[number] = after
            self.taken[number] = self._taken(number, after)

    def _taken(self, number: int, line: Lifted) -> tuple[int, int]:
        sellers, partners = (taken_minor(amount, self.paid[number], line) for amount in self.amounts[number])
        for amount, taken, before in zip(self.amounts[number], (sellers, partners), self.taken[number], strict=True):
            assert before <= taken <= amount, "nothing is given, and no more than all taken"
            if not line.evened_minor:
                assert taken == part_back(amount, line.returned, line.pieces)
            if not line.left:
                assert taken == amount, "parts add up to the whole"
        return sellers, partners


bands = st.dictionaries(st.integers(1, 40), st.integers(0, 60), min_size=1, max_size=4).map(
    lambda made: sorted(made.items())
)
moves = st.lists(st.tuples(st.sampled_from("ssscrrr"), st.integers(0, 10**6), st.integers(1, 25)), max_size=30)


def play(book: Book, played: Sequence[tuple[str, int, int]], check: Any) -> None:
    for move, which, quantity in played:
        open_ones = [number for number, line in book.lines.items() if line.left]
        if move == "s" or not open_ones:
            book.sell(quantity)
        elif move == "c":
            book.cancel(open_ones[which % len(open_ones)])
        else:
            number = open_ones[which % len(open_ones)]
            book.give_back(number, min(quantity, book.lines[number].left))
        check(book)


def within(book: Book) -> None:
    """A cent of what was paid stands for more before the limit, so beside others a few may be amiss."""
    assert book.standing <= book.due
    for number, line in book.lines.items():
        full, whole, limit = book.paid[number]
        in_all = full + book.others * line.pieces
        rounded = book.others and whole and in_all > limit
        amiss = 2 + Fraction(2 * in_all, limit) if rounded else Fraction(1)
        rule = book.rule(number) if whole else Fraction(0)
        assert abs(book.money(number) - rule) <= amiss


def exact(book: Book) -> None:
    assert book.standing == book.due


limits = st.fixed_dictionaries(
    {
        "most": st.sampled_from([0, 1, 7, 40, 400, 10**9]),
        "others": st.sampled_from([0, 0, 1, 9, 600]),
        "lead_bps": st.sampled_from([10_000, 3_000]),
    }
)


@given(bands, st.sampled_from(["MARGINAL", "WHOLE"]), st.integers(0, 40), limits, st.integers(0, 9), moves)
@settings(deadline=None, max_examples=500)
def test_case_3_2_never_more_stands_than_the_rule_gives_for_the_pieces_that_are_left(
    made: Any, applies: str, before: int, limit: Any, each: int, played: Any
) -> None:
    book = Book(slot_of(*made, applies=applies, each=each), before, **limit)
    play(book, played, within)
    for number, line in list(book.lines.items()):
        if line.left:
            book.give_back(number, line.left)
        within(book)
    assert book.standing == 0
    assert all(taken == book.amounts[number] for number, taken in book.taken.items())


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 40), st.integers(1, 9), moves)
@settings(deadline=None, max_examples=500)
def test_case_3_2_above_one_bound_exactly_what_the_rule_gives_stands(
    bound: int, extra: int, before: int, each: int, played: Any
) -> None:
    play(Book(slot_of((bound, extra), each=each), before), played, exact)


def test_case_3_2_under_a_limit_exactly_what_the_rule_gives_for_what_is_left_stands() -> None:
    """20.00 a piece, 2.00 more above 30, of 100.00 a piece at most half: the 31st piece has 50.00 of its 82.00."""
    book = Book(slot_of((30, 200), applies="WHOLE"), most=5_000)
    book.sell(30)
    book.sell(1)
    assert book.money(1) == 5_000
    book.cancel(0)
    assert book.money(1) == 2_000
    book.give_back(1, 1)
    assert book.taken[1] == (5_000, 0)


def test_case_3_2_under_a_limit_that_still_holds_the_others_have_their_part() -> None:
    """Others get 30.00 a piece. Of 82.00 + 30.00 half is paid, 36.61 and 13.39; of 42.00 + 30.00 it is 29.17."""
    book = Book(slot_of((30, 200), applies="WHOLE"), most=5_000, others=3_000)
    book.sell(20)
    book.sell(10)
    book.sell(1)
    assert book.paid[2] == Paid(8_200, 3_661, 5_000)
    book.lines[2] = book.lines[2]._replace(evened_minor=4_000)
    assert taken_minor(3_661, book.paid[2], book.lines[2]) == 3_661 - 2_917
    assert taken_minor(3_661, book.paid[2], book.lines[2]._replace(evened_minor=6_200)) == 3_661 - 2_000


def test_case_3_2_with_further_bounds_less_may_stand_until_the_next_order() -> None:
    """What is evened of a line is not given again; of 3, 1, 1 and 1 pieces the first and then the second are gone."""
    book = Book(slot_of((1, 1), (3, 2)))
    for quantity in (3, 1, 1, 1):
        book.sell(quantity)
    book.cancel(0)
    exact(book)
    book.cancel(1)
    assert (book.standing, book.due) == (0, 1)
    book.sell(1)
    assert (book.standing, book.due) == (2, 2)


@given(bands, st.sampled_from(["MARGINAL", "WHOLE"]), moves, st.integers(1, 25))
@settings(deadline=None, max_examples=300)
def test_case_3_2_the_next_order_makes_up_for_what_undone_orders_left_open(
    made: Any, applies: str, played: Any, quantity: int
) -> None:
    book = Book(slot_of(*made, applies=applies))
    play(book, played, within)
    book.sell(quantity)
    exact(book)
