"""A new sealing key: old values still open, everything is sealed anew, and then the old key is not needed."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pydantic import ValidationError
from pyotp import TOTP

from saas.base.db import Database, reading, transaction
from saas.base.ids import new_id
from saas.base.reseal import SEALED, reseal
from saas.base.settings import Settings, get_settings
from saas.base.vault import SealBroken, seal, unseal
from saas.payouts import queries
from saas.payouts.accounts import account_at
from saas.payouts.commands import SetAccount, reveal_destination, set_account
from saas.webhooks import commands as webhooks
from saas.webhooks.commands import WebhookContent
from tenants.actors import Role
from tenants.second_factor import begin, confirm
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.payouts.people import CHECKER
from tests.tenants.people import PASSWORD, acting, member
from tests.world import populate

OLD, NEW = "k2:" + "o" * 40, "k3:" + "n" * 40
BANK = {"name": "Lotus", "account": "11001018500053001234", "bic": "ICBKCNBJ"}
Use = Callable[[str], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """Sets the keys of this process."""

    def set_keys(keys: str) -> None:
        monkeypatch.setenv("SEALING_KEYS", keys)
        get_settings.cache_clear()

    yield set_keys
    monkeypatch.delenv("SEALING_KEYS", raising=False)
    get_settings.cache_clear()


def test_the_first_key_seals_and_all_open(use: Use) -> None:
    row = new_id()
    with as_tenant(LOTUS):
        values = [seal("first", row)]
        use(OLD)
        values.append(seal("second", row))
        use(f"{NEW},{OLD}")
        values.append(seal("third", row))
        assert [value.partition(".")[0] for value in values] == ["1", "k2", "k3"]
        assert [unseal(value, row) for value in values] == ["first", "second", "third"]
        use(NEW)
        with pytest.raises(SealBroken):
            unseal(values[1], row)


def test_a_value_is_bound_to_the_id_of_its_key_too(use: Use) -> None:
    row = new_id()
    with as_tenant(LOTUS):
        use(f"k2:{'s' * 40},k3:{'s' * 40}")
        sealed = seal("value", row)
        with pytest.raises(SealBroken):
            unseal("k3" + sealed[2:], row)
        with pytest.raises(SealBroken):
            unseal(sealed, new_id())
    with as_tenant(CEDAR), pytest.raises(SealBroken):
        unseal(sealed, row)


@pytest.mark.parametrize("keys", ["k2", "k2:short", "1:" + "o" * 40, f"{OLD},{OLD}", f"{OLD},", "K2:" + "o" * 40])
def test_keys_that_cannot_be_meant_are_refused(keys: str) -> None:
    with pytest.raises(ValidationError):
        Settings(sealing_keys=keys)


async def sealed_values() -> list[str]:
    found = []
    async with reading() as tx:
        for table, column in SEALED:
            rows = await tx.rows(
                f"SELECT {column} AS value FROM {table} WHERE tenant_id = $1 AND {column} IS NOT NULL", tx.tenant_id
            )
            assert rows, f"nothing in {table}.{column} to seal anew"
            found += [row["value"] for row in rows]
    return found


async def test_everything_is_sealed_anew_once_and_opens_without_the_old_key(db: Database, use: Use) -> None:
    use(OLD)
    await populate()
    with as_tenant(LOTUS):
        await set_account(SetAccount(provider="pain001", settings=BANK), CHECKER)
        async with transaction() as tx:
            someone = await tx.value("SELECT id FROM distributor WHERE tenant_id = $1", tx.tenant_id)
            await tx.execute(
                "UPDATE distributor SET phone_sealed = $3 WHERE tenant_id = $1 AND id = $2",
                tx.tenant_id,
                someone,
                seal("13800138000", someone),
            )
        hook = WebhookContent(
            name="shop", url="https://shop.example.com/", kinds=(), payload="{ id }", role=Role.AUDITOR
        )
        made = await webhooks.create(hook, CHECKER)
        rotated = await webhooks.rotate_secret(made.webhook.id, timedelta(hours=1), CHECKER)
        person = await member(LOTUS, "anna")
        app = await begin(PASSWORD, acting(LOTUS, person), None)
        assert {value.partition(".")[0] for value in await sealed_values()} == {"k2"}
        use(f"{NEW},{OLD}")
        assert await reseal() == len(await sealed_values())
        assert await reseal() == 0
        use(NEW)
        assert {value.partition(".")[0] for value in await sealed_values()} == {"k3"}
        assert await account_at("pain001") == BANK
        async with reading() as tx:
            assert await webhooks.secrets_of(tx, made.webhook.id) == [rotated.secret, made.secret]
            card = await tx.value("SELECT id FROM payout_destination WHERE tenant_id = $1", tx.tenant_id)
        assert (await reveal_destination(card, CHECKER)).account == "6214830012345678"
        assert await queries.accounts()
        assert await confirm(TOTP(app.secret).now(), acting(LOTUS, person), None)


async def test_every_column_of_sealed_text_is_known(db: Database) -> None:
    sql = {
        "sqlite": "SELECT m.name AS place, c.name AS col FROM sqlite_master m, pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.name LIKE '%sealed' AND lower(c.type) = 'text'",
        "postgresql": "SELECT table_name AS place, column_name AS col FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name LIKE '%sealed' AND data_type = 'text'",
    }
    with as_tenant(LOTUS):
        async with reading() as tx:
            found = {(row["place"], row["col"]) for row in await tx.rows(sql[db.kind])}
    assert found == {tuple(place) for place in SEALED}
