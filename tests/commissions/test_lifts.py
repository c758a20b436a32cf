"""Lifts when orders are undone (docs/rules.md §3.2, §4): any sequence of sales, returns and cancellations."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from saas.base.money import part_back
from saas.commissions.lifts import Lifted, Undone, due, even, lift_of, taken_minor
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
    """One seller's period: orders of one line, with what each was paid (all of it, or less under a limit)."""

    def __init__(self, slot: PieceSlot, before: int = 0, part: tuple[int, int] = (1, 1)) -> None:
        self.slot, self.before, self.part = slot, before, part
        self.lines: dict[int, Lifted] = {}
        self.amounts: dict[int, tuple[int, int]] = {}
        self.taken: dict[int, int] = {}

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
        number = len(self.amounts)
        full = self.slot.per_piece_minor * quantity + lift
        self.lines[number] = Lifted(quantity, 0, lift, 0)
        self.amounts[number] = (full * self.part[0] // self.part[1], full)
        self.taken[number] = 0

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
        undone = [Undone(self.amounts[n][1], was.get(n, line), line) for n, line in self.lines.items()]
        for (number, line), evened in zip(list(self.lines.items()), even(self.slot, self.before, undone), strict=True):
            assert 0 <= evened <= line.lift_minor
            before, after = was.get(number, line), line._replace(evened_minor=evened)
            assert after.standing_minor <= before.standing_minor, "nothing is given"
            self.lines[number] = after
            taken = taken_minor(*self.amounts[number], after)
            assert self.taken[number] <= taken <= self.amounts[number][0], (
                "nothing is given, and no more than all taken"
            )
            if not evened:
                assert taken == part_back(self.amounts[number][0], after.returned, after.pieces)
            if not after.left:
                assert taken == self.amounts[number][0], "parts add up to the whole"
            self.taken[number] = taken


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
    assert book.standing <= book.due


def exact(book: Book) -> None:
    assert book.standing == book.due


parts = st.sampled_from([(1, 1), (1, 3), (2, 7), (0, 1)])


@given(bands, st.sampled_from(["MARGINAL", "WHOLE"]), st.integers(0, 40), parts, st.integers(0, 9), moves)
@settings(deadline=None, max_examples=500)
def test_case_3_2_never_more_stands_than_the_rule_gives_for_the_pieces_that_are_left(
    made: Any, applies: str, before: int, part: tuple[int, int], each: int, played: Any
) -> None:
    book = Book(slot_of(*made, applies=applies, each=each), before, part)
    play(book, played, within)
    for number, line in list(book.lines.items()):
        if line.left:
            book.give_back(number, line.left)
        within(book)
    assert book.standing == 0
    assert all(taken == book.amounts[number][0] for number, taken in book.taken.items())


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 40), st.integers(1, 9), moves)
@settings(deadline=None, max_examples=500)
def test_case_3_2_above_one_bound_exactly_what_the_rule_gives_stands(
    bound: int, extra: int, before: int, each: int, played: Any
) -> None:
    play(Book(slot_of((bound, extra), each=each), before), played, exact)


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
