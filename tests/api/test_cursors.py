"""Cursors are opaque, and still come from callers: whatever is in one, no list answers with a fault of the server."""

import json
from base64 import urlsafe_b64encode
from uuid import UUID

from tests.api.conftest import World

LISTS = [
    "auditLog",
    "commissions(beneficiary: $of)",
    "commissions(beneficiary: $of, sort: LARGEST)",
    *(f"downline(sort: {sort})" for sort in ("CODE", "NAME", "JOINED_AT", "LEVEL", "TREE")),
    'downline(sort: OWN_SALES, period: { first: "2026-01-01", until: "2026-02-01" })',
    "exits",
    "ledgerEntries(of: $of)",
    "members",
    "orangeList",
    "orders",
    "orders(sort: LARGEST)",
    "payoutBatches",
    "payoutDestinations",
    "payouts",
    "priceCases",
    "products",
    "programVersions",
    "settlements",
    "statements",
]
KEYS = [
    "a\0b",
    "\ud800",
    2**63,
    2**31,
    -(2**31) - 1,
    1.5,
    None,
    "2026-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31",
]
NAMES = ["code", "name", "joined_at", "level", "tree", "own_sales"]
ID = str(UUID(int=1))
MOMENT = "2026-01-01T00:00:00+00:00"


def crafted(one: str) -> list[str]:
    """Cursors of every shape that lists have, with each of the keys."""
    if one.startswith("downline"):
        shapes = [[name, key, ID] for name in NAMES if name.upper() in one for key in KEYS]
    else:
        shapes = [shape for key in KEYS for shape in ([key], [key, ID], [MOMENT, ID, key])]
    return [urlsafe_b64encode(json.dumps(shape).encode()).decode() for shape in shapes]


async def test_no_crafted_cursor_is_a_fault_of_the_server(world: World) -> None:
    of = await world.lotus.enrol("A1")
    for one in LISTS:
        field = one.replace("(", "(after: $after, ", 1) if "(" in one else f"{one}(after: $after)"
        needs_of = ", $of: ID" if "$of" in one else ""
        text = f"query($after: String{needs_of}) {{ {field} {{ nodes {{ __typename }} }} }}"
        told = set()
        for cursor in crafted(one):
            answer = (await world.lotus.owner.send(text, {"after": cursor, "of": of})).json()
            told |= {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert told == {"INVALID_INPUT"}, one
