"""The row of subscriptions runs: everybody who follows hears of every order."""

from bench.databases import Databases
from bench.figures import TINY
from bench.subscriptions import subscriptions


async def test_everybody_hears_of_it(databases: Databases) -> None:
    figure = await subscriptions(databases, "postgresql", TINY)
    assert figure.ours > 0
    assert figure.name == "subscriptions_40"
