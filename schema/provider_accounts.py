"""A brand's accounts at providers of payouts: given once, and never told again."""

from dataclasses import asdict
from datetime import datetime

import strawberry

from saas.base.errors import InvalidInput, Said
from saas.payouts import commands, queries
from saas.payouts.commands import SetAccount
from saas.payouts.queries import AccountView
from schema.context import Info
from schema.errors import In, Payload, refusals
from schema.ids import to_global


@strawberry.type(description="An account at a provider of payouts; what is secret is never told.")
class ProviderAccount:
    """An account."""

    provider: str = strawberry.field(description="The provider.")
    masked: str = strawberry.field(description="The end of its number.")
    set_by: strawberry.ID = strawberry.field(description="Who gave it.")
    set_at: datetime = strawberry.field(description="When it was given.")


def account(view: AccountView) -> ProviderAccount:
    """An account for the API."""
    return ProviderAccount(
        provider=view.provider, masked=view.masked, set_by=to_global("Member", view.set_by), set_at=view.set_at
    )


@strawberry.input(description="The brand's account at its bank, for files of ISO 20022.")
class BankAccountInput:
    """Of ``pain001``."""

    name: str = strawberry.field(description="The brand's name as the bank knows it.")
    account: str = strawberry.field(description="The number of the account.")
    bic: str = strawberry.field(description="The bank's BIC.")


@strawberry.input(description="The brand's account at WeChat Pay, version 3 of its API.")
class WeChatPayInput:
    """Of ``wechat_pay``."""

    mch_id: str = strawberry.field(description="The merchant's number (商户号).")
    app_id: str = strawberry.field(description="The app to which the openids belong.")
    serial: str = strawberry.field(description="Serial number of the merchant's certificate.")
    private_key: str = strawberry.field(description="The merchant's private key, PEM.")
    platform_serial: str = strawberry.field(description="Id of WeChat Pay's public key, or its certificate's serial.")
    platform_key: str = strawberry.field(description="WeChat Pay's public key, PEM.")
    api_v3_key: str = strawberry.field(description="The APIv3 key, 32 characters.")
    position: str = strawberry.field(default="分销商", description="岗位类型, which the platform asks for.")
    remark: str = strawberry.field(default="佣金", description="What a payee reads beside the amount.")


@strawberry.input(description="An account at one provider; exactly one is given.")
class SetProviderAccountInput:
    """One of them."""

    pain001: BankAccountInput | None = strawberry.field(default=None, description="For `pain001`.")
    wechat_pay: WeChatPayInput | None = strawberry.field(default=None, description="For `wechat_pay`.")


@strawberry.type(description="An account as it is now.")
class ProviderAccountPayload(Payload):
    """Answer of the mutation."""

    account: ProviderAccount | None = strawberry.field(default=None, description="None when refused.")


@strawberry.type
class ProviderAccountQuery:
    """Reads of accounts."""

    @strawberry.field(description="The brand's accounts at providers of payouts.")
    async def provider_accounts(self) -> list[ProviderAccount]:
        """All of them; there are few."""
        return [account(view) for view in await queries.accounts()]


@strawberry.type
class ProviderAccountMutation:
    """Writes of accounts."""

    @strawberry.mutation(description="Put an account at a provider in place, at most 15 minutes after logging in.")
    @refusals(ProviderAccountPayload)
    async def set_provider_account(self, info: Info, input: In[SetProviderAccountInput]) -> ProviderAccountPayload:
        """Set it."""
        given = {name: part for name, part in vars(input).items() if part is not None}
        if len(given) != 1:
            remedy = Said("give the account of exactly one provider", "请填写且仅填写一个服务商的账户")
            raise InvalidInput("input", value=", ".join(given), remedy=remedy)
        ((provider, settings),) = given.items()
        command = SetAccount(provider=provider, settings=asdict(settings))
        return ProviderAccountPayload(account=account(await commands.set_account(command, info.context.who)))
