"""Ids of the API: of whatever kind, what is none is refused in a sentence of either language."""

import pytest

from saas.base.errors import NotFound
from saas.base.ids import new_id
from schema.ids import PREFIXES, from_global, shown, thing, to_global


@pytest.mark.parametrize("kind", PREFIXES)
def test_what_is_no_id_of_a_kind_is_not_found(kind: str) -> None:
    other = next(one for one in PREFIXES if one != kind)
    for text in ("", "x", "a" * 20_000, f"{PREFIXES[kind]}_{'g' * 32}", to_global(other, new_id())):
        with pytest.raises(NotFound) as refused:
            from_global(kind, text, "input.id")
        assert thing(kind) in refused.value.message("en")
        assert refused.value.message("zh-CN")


@pytest.mark.parametrize("kind", PREFIXES)
def test_an_id_in_a_message_is_the_one_callers_know(kind: str) -> None:
    id_ = new_id()
    assert shown(thing(kind), id_) == to_global(kind, id_)
    assert from_global(kind, to_global(kind, id_), "id") == id_
