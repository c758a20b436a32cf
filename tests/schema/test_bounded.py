"""What is kept of texts stays within its bounds, whatever is asked for in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from schema.bounded import Bounded

MOST, TEXT_MOST = 4, 10


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 14))))
def test_the_latest_used_stay_and_never_too_many(steps: list[tuple[bool, int, int]]) -> None:
    bounded: Bounded[int, int] = Bounded(most=MOST, text_most=TEXT_MOST)
    order: list[tuple[int, int]] = []  # the key and its characters, the latest used last
    for puts, key, characters in steps:
        known = dict(order)
        if puts:
            bounded.put(key, key, characters)
            order = [one for one in order if one[0] != key] + [(key, characters)]
            while len(order) > MOST or (sum(size for _, size in order) > TEXT_MOST and len(order) > 1):
                order.pop(0)
        else:
            assert bounded.get(key) == (key if key in known else None)
            if key in known:
                order = [one for one in order if one[0] != key] + [(key, known[key])]
        assert len(bounded) == len(order)
