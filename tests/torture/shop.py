"""A brand behind a real server: people with money and cards, and writes that may be sent again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import httpx

from saas.base.ids import DistributorId
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from tenants import sessions
from tenants.accounts import CreateMember, create_member
from tenants.actors import Role, system
from tests.api.client import PASSWORD, input_type
from tests.factories import LOTUS, as_tenant, make_tenants
from tests.factories_money import settle_for
from tests.network.world import plant, use_program
from tests.payouts.people import give_card

RICH_MINOR = 900_000_000
SELECTIONS = {
    "enrol": "distributor { id }",
    "placeOrder": "order { id }",
    "payOrder": "order { id }",
    "requestPayout": "payout { id }",
}
TABLES = {"enrol": "distributor", "placeOrder": "sales_order", "requestPayout": "payout"}


@dataclass(frozen=True, slots=True)
class Write:
    """A mutation that may be sent any number of times."""

    mutation: str
    given: Mapping[str, Any]


@dataclass
class Shop:
    """What a client knows of the brand: who is there, and what it was answered."""

    token: str
    people: Sequence[DistributorId]
    placed: list[str] = field(default_factory=list)
    keys: Any = field(default_factory=count)

    def write(self, random: Random) -> Write:
        """Something to do, under a key of its own."""
        key = f"write-{next(self.keys)}"
        seller = f"dst_{random.choice(self.people).hex}"
        kind = random.choice(["enrol", "placeOrder", "placeOrder", "payOrder", "requestPayout"])
        if kind == "payOrder" and self.placed:
            order = self.placed.pop(random.randrange(len(self.placed)))
            return Write(kind, {"orderId": order, "idempotencyKey": key})
        if kind == "enrol":
            return Write(kind, {"code": key, "name": key, "sponsorId": seller, "reviewed": True, "idempotencyKey": key})
        if kind == "requestPayout":
            amount = random.randrange(10_000, 20_000)
            return Write(kind, {"distributorId": seller, "amountMinor": amount, "idempotencyKey": key})
        lines = [{"sku": "PLAIN", "quantity": 1, "amountMinor": random.randrange(1_000, 100_000)}]
        return Write("placeOrder", {"sellerId": seller, "lines": lines, "idempotencyKey": key})

    async def send(self, client: httpx.AsyncClient, write: Write) -> str:
        """Do it; the id of what it made or changed. Raises ``httpx.TransportError`` when there is no answer."""
        query = (
            f"mutation($input: {input_type(write.mutation)}) {{ {write.mutation}(input: $input) "
            f"{{ {SELECTIONS[write.mutation]} userErrors {{ code field message }} }} }}"
        )
        headers = {"authorization": f"Bearer {self.token}", "host": "lotus.localhost"}
        body = {"query": query, "variables": {"input": dict(write.given)}}
        answer = (await client.post("/graphql", json=body, headers=headers)).json()
        assert "errors" not in answer, answer
        payload = answer["data"][write.mutation]
        assert payload["userErrors"] == [], (write, payload)
        made = next(value for name, value in payload.items() if name != "userErrors")
        return str(made["id"])


async def open_shop() -> Shop:
    """Lotus with four rich people, and an owner's token."""
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program("lotus", applicant_review="automatic", depth_limit=None, level_names=[])
        await put_products([PutProduct(sku="PLAIN", name="Plain")], system(LOTUS, "tests"))
        people = list((await plant({"R1": None, "R2": "R1", "R3": "R2", "R4": "R3"})).values())
        await settle_for(dict.fromkeys(people, RICH_MINOR))
        for owner in people:
            await give_card(owner)
        await create_member(
            CreateMember(login="owner", password=PASSWORD, name="Owner", role=Role.OWNER, locale="en"),
            system(LOTUS, "tests"),
        )
    issued = await sessions.issue_token("lotus", "owner", "tests")
    return Shop(issued.token, people)
