"""The password policy, and hashes that take the same time for somebody unknown."""

import pytest

from tenants import passwords
from tenants.errors import PasswordBroken, PasswordRefused


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 201, "my lotus.owner password", "LOTUS.OWNER12"])
def test_the_policy_refuses(password: str) -> None:
    with pytest.raises(PasswordRefused):
        passwords.check_policy(password, "lotus.owner")


@pytest.mark.parametrize(
    "password", ["password1234", "PasswordPassword", "qwertyuiop[]", "1234567890123", "ｐａｓｓｗｏｒｄ１２３４"]
)
def test_broken_passwords_are_refused_however_they_are_written(password: str) -> None:
    with pytest.raises(PasswordBroken) as refused:
        passwords.check_policy(password, "lotus.owner", field="input.password")
    assert refused.value.field == "input.password"
    assert password not in refused.value.message("en") + refused.value.message("zh-CN")


@pytest.mark.parametrize("password", ["twelve chars", "x" * 200, "十二个汉字组成的一句密码好"])
def test_the_policy_accepts(password: str) -> None:
    passwords.check_policy(password, "lotus.owner")


async def test_a_hash_is_argon2id_and_tells_right_from_wrong() -> None:
    stored = await passwords.hashed("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.matches("correct horse battery", stored)
    assert not await passwords.matches("correct horse batter", stored)
    assert await passwords.hashed("correct horse battery") != stored


async def test_nobody_has_no_password_not_even_the_one_behind_the_hash_that_stands_in() -> None:
    assert not await passwords.matches("a" * 12, None)


def test_the_hash_that_stands_in_for_nobody_costs_what_a_real_one_costs() -> None:
    assert not passwords._HASHER.needs_update(passwords._NOBODY)


async def test_the_same_characters_match_however_they_were_typed() -> None:
    assert await passwords.matches("Ångström und Zoë", await passwords.hashed("Ångström und Zoë"))
    assert await passwords.matches("ｐａｓｓｗｏｒｄ１２３４", await passwords.hashed("password1234"))
