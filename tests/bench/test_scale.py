"""The rows that compare the product with itself run, and their brands are what they say."""

from bench.databases import Databases
from bench.figures import TINY
from bench.scale import scale


async def test_the_rows_of_scale_run(databases: Databases) -> None:
    figures = await scale(databases, TINY)
    names = ["page_size_invariance", "tenant_count_invariance", "two_processes"]
    assert [figure.name for figure in figures] == names
    assert all(figure.ours > 0 and figure.ceiling > 0 for figure in figures)
