"""The catalogue of refusals: unique codes, both languages, the same data in both, all in ``errors`` modules."""

import re
import string

import pytest

from saas.base.errors import DomainError
from schema.errors import ErrorCode

ERRORS = sorted(DomainError.registry.values(), key=lambda error: error.code)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_messages_stand_in_both_languages_with_the_same_data(error: type[DomainError]) -> None:
    def names(text: str) -> set[str]:
        """A parameter may have a Chinese twin."""
        found = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        return {name.removesuffix("_zh") for name in found}

    assert names(error.en) == names(error.zh)
    assert re.fullmatch(r"[A-Z][A-Z0-9_]+", error.code)
    assert error.__doc__
    assert re.search(r"[\u4e00-\u9fff]", error.zh)
    assert error.__module__.endswith("errors"), "schema.errors loads errors modules only"


def test_the_api_knows_every_code() -> None:
    assert {member.name for member in ErrorCode} == set(DomainError.registry)


def test_a_code_cannot_be_taken_twice() -> None:
    with pytest.raises(TypeError, match="NOT_FOUND"):
        type("Other", (DomainError,), {"code": "NOT_FOUND", "en": "", "zh": ""})
