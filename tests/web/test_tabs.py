"""The tabs of GraphiQL: every operation in them is one that the schema knows."""

import re

from graphql import OperationDefinitionNode, build_schema, parse, validate

from schema.schema import sdl
from tests.web.conftest import ROOT

TAB = re.compile(r"^        `(.*?)^`,$", re.DOTALL | re.MULTILINE)


def test_every_tab_holds_what_the_schema_knows() -> None:
    page = (ROOT / "web" / "graphiql" / "index.html").read_text(encoding="utf-8")
    tabs = [text.replace("\\`", "`") for text in TAB.findall(page)]
    assert len(tabs) == 5
    known = build_schema(sdl())
    for text in tabs:
        document = parse(text)
        assert validate(known, document) == [], text
        assert all(one.name for one in document.definitions if isinstance(one, OperationDefinitionNode))
