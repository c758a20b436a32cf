"""Tokens: their form, and what is not one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.ids import TenantId
from tenants.tokens import Token, TokenKind, hash_of, new_token, read_token, shown_part


@given(st.sampled_from(TokenKind), st.integers(0, 2**31 - 1))
def test_a_token_is_read_as_what_it_was_made(kind: TokenKind, number: int) -> None:
    text = new_token(kind, TenantId(number))
    assert read_token(text) == Token(kind, TenantId(number), hash_of(text))
    assert text.startswith(f"{kind}_")
    assert len(text.rsplit("_", maxsplit=text.count("_"))[0]) in {3, 4}
    assert hash_of(text) not in text


def test_the_tenant_is_in_base_36() -> None:
    assert new_token(TokenKind.SESSION, TenantId(35)).startswith("byn_z_")
    assert new_token(TokenKind.API_KEY, TenantId(36)).startswith("bynk_10_")
    assert new_token(TokenKind.SESSION, TenantId(0)).startswith("byn_0_")


def test_no_two_tokens_are_alike() -> None:
    assert len({new_token(TokenKind.SESSION, TenantId(1)) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "byn",
        "byn_1_",
        "byn_1_" + "a" * 42,
        "byn_1_" + "a" * 44,
        "byn_1_" + "ä" * 43,
        "byn__" + "a" * 43,
        "byn_-1_" + "a" * 43,
        "byn_A_" + "a" * 43,
        "byn_zzzzzzz_" + "a" * 43,
        "byn_zzzzzz_" + "a" * 43,  # more than 31 bits: the database could not even look
        "bynx_1_" + "a" * 43,
        "byn_1_" + "a" * 43 + "\n",
    ],
)
def test_anything_else_is_no_token(text: str) -> None:
    assert read_token(text) is None


@given(st.text())
def test_reading_never_fails(text: str) -> None:
    assert read_token(text) is None


def test_the_shown_part_keeps_the_secret() -> None:
    token = new_token(TokenKind.API_KEY, TenantId(1))
    assert shown_part(token) == token[: len("bynk_1_") + 6]
