"""Sealed values open for their own row and tenant only; keyed hashes differ by tenant and purpose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.ids import new_id
from saas.base.scope import ScopeMissing
from saas.base.vault import SealBroken, keyed_hash, seal, unseal
from tests.factories import CEDAR, LOTUS, as_tenant


@given(st.text(max_size=200))
def test_what_was_sealed_opens_again_and_never_looks_the_same(plain: str) -> None:
    row = new_id()
    with as_tenant(LOTUS):
        first, second = seal(plain, row), seal(plain, row)
        assert first != second
        assert unseal(first, row) == unseal(second, row) == plain
        assert len(plain) < 4 or plain not in first


def test_it_opens_for_no_other_row_tenant_or_key() -> None:
    row = new_id()
    with as_tenant(LOTUS):
        sealed = seal("6222 0000 1111 2222", row)
        for broken in (sealed[:-2] + "AA", "2" + sealed[1:], "1.", "", "x"):
            with pytest.raises(SealBroken):
                unseal(broken, row)
        with pytest.raises(SealBroken):
            unseal(sealed, new_id())
    with as_tenant(CEDAR), pytest.raises(SealBroken):
        unseal(sealed, row)


def test_keyed_hashes_find_a_value_for_one_tenant_and_purpose() -> None:
    with as_tenant(LOTUS):
        ours = keyed_hash("phone", "13800138000")
        assert ours == keyed_hash("phone", "13800138000")
        assert ours != keyed_hash("id_number", "13800138000")
        assert "13800138000" not in ours
    with as_tenant(CEDAR):
        assert keyed_hash("phone", "13800138000") != ours
    with pytest.raises(ScopeMissing):
        keyed_hash("phone", "13800138000")
