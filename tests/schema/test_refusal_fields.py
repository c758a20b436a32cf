"""Where a refusal says that something is wrong, there is such a field in an input of the API."""

import re
from pathlib import Path

from graphql import GraphQLInputObjectType

from tests.api.generated import SCHEMA

ROOT = Path(__file__).parents[2]
COLUMNS = ROOT / "saas/imports"
"""Rows of files are refused by the names of their columns."""


def test_every_field_that_a_refusal_names_is_one_of_an_input() -> None:
    inputs = [type_ for type_ in SCHEMA.type_map.values() if isinstance(type_, GraphQLInputObjectType)]
    known = {name for type_ in inputs for name in type_.fields}
    sources = [path for room in ("saas", "tenants") for path in (ROOT / room).rglob("*.py")]
    named = {
        f"{path.relative_to(ROOT)}: {field}"
        for path in sources
        if COLUMNS not in path.parents
        for field in re.findall(r"\"input\.(\w+)", path.read_text("utf-8"))
        if field not in known
    }
    assert named == set()
    assert len(known) > 100
