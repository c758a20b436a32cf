"""Accounts at providers and destinations over the API: who may give them, how soon after logging in, what is told."""

from datetime import timedelta

from saas.base import clock
from tests.api.conftest import World
from tests.payouts.wechat import settings

BANK = {"name": "Lotus", "account": "11001018500053001234", "bic": "ICBKCNBJ"}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


async def test_an_owner_gives_accounts_and_finance_sees_that_they_are_there(world: World) -> None:
    brand = world.lotus
    wechat = {camel(name): value for name, value in settings().items()}
    for given in ({"pain001": BANK}, {"wechatPay": wechat}):
        await brand.owner.do("setProviderAccount", "account { provider masked }", **given)
    found = await brand.finance.ask("{ providerAccounts { provider masked setAt } }")
    assert [(one["provider"], one["masked"]) for one in found["providerAccounts"]] == [
        ("pain001", "****1234"),
        ("wechat_pay", "****0001"),
    ]
    assert await brand.owner.refused("setProviderAccount") == ["INVALID_INPUT"]
    assert await brand.owner.refused("setProviderAccount", pain001=BANK, wechatPay=wechat) == ["INVALID_INPUT"]
    assert await brand.owner.refused("setProviderAccount", pain001={**BANK, "bic": "x"}) == ["PROVIDER_ACCOUNT_REFUSED"]
    assert (await world.cedar.finance.ask("{ providerAccounts { provider } }"))["providerAccounts"] == []
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert await brand.owner.refused("setProviderAccount", pain001=BANK) == ["LOGIN_NOT_FRESH"]
