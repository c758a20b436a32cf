"""A page reads the rows of its people as the database answered them: each says of itself what it says asked alone."""

import pytest

from tests.api.client import Api
from tests.api.conftest import World
from tests.api.population import populate

ALL = "id code name kind status tier region sponsorId depth phoneMasked idNumberMasked appliedAt joinedAt exitedAt"


@pytest.fixture
async def asker(world: World) -> Api:
    """The office of a brand with something of everything."""
    return (await populate(world.lotus, "lotus")).brand.operations


@pytest.mark.parametrize("shape", ["nodes { … }", "edges { node { … } cursor }"])
async def test_people_say_the_same_in_a_list_as_alone(asker: Api, shape: str) -> None:
    page = (await asker.ask(f"{{ downline(first: 50) {{ {shape.replace('…', ALL)} }} }}"))["downline"]
    listed = page["nodes"] if "nodes" in page else [edge["node"] for edge in page["edges"]]
    assert len(listed) > 2
    for one in listed:
        alone = await asker.ask(f"query One($id: ID!) {{ distributor(id: $id) {{ {ALL} }} }}", id=one["id"])
        assert alone["distributor"] == one


async def test_a_page_that_asks_for_more_than_rows_says_the_same_of_them(asker: Api) -> None:
    """With a field that is resolved for each, objects are made of the rows."""
    plain = (await asker.ask(f"{{ downline {{ nodes {{ {ALL} level }} }} }}"))["downline"]["nodes"]
    more = (await asker.ask(f"{{ downline {{ nodes {{ {ALL} level upline {{ code }} }} }} }}"))["downline"]["nodes"]
    assert [{name: value for name, value in one.items() if name != "upline"} for one in more] == plain
