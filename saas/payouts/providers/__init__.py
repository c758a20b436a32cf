"""Who moves the money: files for a bank, and payment services that are asked over the network."""

from collections.abc import Mapping

from saas.payouts.providers.manual import Manual
from saas.payouts.providers.pain001 import Pain001
from saas.payouts.providers.parts import (
    Account,
    Answer,
    FileProvider,
    Gateway,
    Item,
    Notice,
    NoticeForged,
    Sheet,
    Submission,
    Word,
)
from saas.payouts.providers.wechat_pay import WeChatPay

FILES: Mapping[str, FileProvider] = {"manual": Manual(), "pain001": Pain001()}
"""Providers that pay by a file."""

GATEWAYS: Mapping[str, Gateway] = {"wechat_pay": WeChatPay()}
"""Providers that are asked over the network."""

PROVIDERS: Mapping[str, FileProvider | Gateway] = {**FILES, **GATEWAYS}
"""All providers by name."""

__all__ = [
    "FILES",
    "GATEWAYS",
    "PROVIDERS",
    "Account",
    "Answer",
    "FileProvider",
    "Gateway",
    "Item",
    "Notice",
    "NoticeForged",
    "Sheet",
    "Submission",
    "Word",
]
