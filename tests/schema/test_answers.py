"""Which media type an answer has, and which status when nothing ran."""

import pytest

from schema.answers import JSON, RESPONSE, media_type, status_of


@pytest.mark.parametrize(
    ("accept", "type_"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("text/html", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (RESPONSE.upper(), RESPONSE),
        (f"{RESPONSE}; charset=utf-8", RESPONSE),
        (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
        (f"{RESPONSE}, {JSON}", RESPONSE),
        (f"{JSON}, {RESPONSE};q=0.9", JSON),
        (f"{JSON};q=0.8, {RESPONSE};q=0.85", RESPONSE),
        (f"{RESPONSE};q=0", JSON),
        (f"{RESPONSE};q=0, {JSON};q=0", JSON),
        (f"{RESPONSE};q=much", JSON),
        (f"{RESPONSE};q=, {JSON}", JSON),
        (f"{RESPONSE};q=１", JSON),
    ],
)
def test_the_newer_type_is_for_those_who_ask_for_it(accept: str | None, type_: str) -> None:
    assert media_type(accept) == type_


def test_what_nothing_ran_of_says_whose_fault_it_was() -> None:
    def coded(*codes: str) -> int:
        return status_of([{"extensions": {"code": code}} for code in codes])

    assert coded("BAD_REQUEST") == 400
    assert coded("COST_EXCEEDED") == 400
    assert coded("UNAUTHENTICATED", "UNAUTHENTICATED") == 401
    assert coded("FORBIDDEN", "BAD_REQUEST") == 403
    assert status_of([{"message": "a code is missing"}]) == 400
    assert status_of([]) == 400
