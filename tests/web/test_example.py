"""The typed example for front-end teams: checked against the schema, and refused when it asks for nothing of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.conftest import ROOT, node

pytestmark = pytest.mark.long
SOURCES = ROOT / "web" / "example" / "src"


@pytest.fixture
def strayed() -> Iterator[Path]:
    """A file beside the example that asks for a field that is not there."""
    file = SOURCES / "strayed.ts"
    text = (
        'import { graphql } from "./graphql.ts";\nexport const wrong = graphql(`{ downline { nodes { salary } } }`);\n'
    )
    file.write_text(text, encoding="utf-8")
    yield file
    file.unlink()


def test_the_example_is_typed_by_the_schema() -> None:
    done = node("example", "npm", "run", "--silent", "check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_field_that_is_not_there_does_not_compile(strayed: Path) -> None:
    done = node("example", "npm", "run", "--silent", "check")
    assert done.returncode != 0
