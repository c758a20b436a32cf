"""``wechat_pay``: transfers to a WeChat user's balance (商家转账), API version 3 of WeChat Pay.

Both sides sign: the merchant each request, the platform each answer and each notice; what is not signed is not
believed. A request's signature holds for five minutes from the moment written into it, and that moment is written down
before the request leaves. So a payout that the platform does not know half an hour later can never arrive any more.
Names travel encrypted for the platform; notices come encrypted with the merchant's APIv3 key.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from secrets import token_hex
from typing import Any, cast
from uuid import UUID

import httpx
import orjson
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from saas.base import clock
from saas.base.ids import PayoutId
from saas.base.settings import get_settings
from saas.payouts.providers.parts import Account, Answer, Item, Notice, NoticeForged, Word
from saas.payouts.rules import DestinationKind

SCHEME = "WECHATPAY2-SHA256-RSA2048"
TRANSFERS = "/v3/fund-app/mch-transfer/transfer-bills"
SCENE = "1005"
"""The platform's scene of transfers that pay commission (佣金报酬), which asks for the two notes of ``send``."""

FRESH = timedelta(minutes=5)
"""How far the moment of a signature may be from now, on either side."""

NAME_PADDING = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303 - the platform takes no other
PATIENCE = timedelta(seconds=10)
REASON_LONGEST = 200
WORDS = {
    "ACCEPTED": Word.TAKEN,
    "PROCESSING": Word.TAKEN,
    "WAIT_USER_CONFIRM": Word.TAKEN,
    "TRANSFERING": Word.TAKEN,
    "CANCELING": Word.TAKEN,
    "SUCCESS": Word.PAID,
    "FAIL": Word.FAILED,
    "CANCELLED": Word.FAILED,
}
"""The platform's states of a transfer."""


class WeChatPay:
    """Transfers one by one; the payout's id is the merchant's number of the transfer."""

    kinds = frozenset({DestinationKind.WECHAT})

    async def send(self, item: Item, account: Account, *, at: datetime, notify_url: str) -> Answer:
        """Ask for a transfer. A refusal is only believed after asking for it again (``ask``)."""
        content = {
            "appid": account["app_id"],
            "out_bill_no": item.payout_id.hex,
            "transfer_scene_id": SCENE,
            "openid": item.to.account,
            "user_name": _sealed_for_platform(item.to.holder, account),
            "transfer_amount": item.net_minor,
            "transfer_remark": account["remark"],
            "notify_url": notify_url,
            "transfer_scene_report_infos": [
                {"info_type": "岗位类型", "info_content": account["position"]},
                {"info_type": "报酬说明", "info_content": account["remark"]},
            ],
        }
        answer = await _call("POST", TRANSFERS, account, orjson.dumps(content), at)
        if answer is None:
            return Answer(word=Word.LOST)
        status, told = answer
        if status == httpx.codes.OK:
            return _word(told, item.payout_id)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
            return Answer(word=Word.LOST)
        return Answer(word=Word.REFUSED, reason=_reason(told))

    async def ask(self, payout_id: PayoutId, account: Account) -> Answer:
        """What became of a transfer."""
        answer = await _call("GET", f"{TRANSFERS}/out-bill-no/{payout_id.hex}", account, b"", clock.now())
        if answer is None:
            return Answer(word=Word.LOST)
        status, told = answer
        if status == httpx.codes.OK:
            return _word(told, payout_id)
        if status == httpx.codes.NOT_FOUND and told.get("code") == "NOT_FOUND":
            return Answer(word=Word.NEVER_SEEN)
        return Answer(word=Word.LOST)

    def read_notice(self, headers: Mapping[str, str], body: bytes, account: Account) -> Notice:
        """Verify the platform's signature and its moment, then open the notice. Raises ``NoticeForged``."""
        if not _signed_by_platform(headers, body, account):
            raise NoticeForged("the signature is not the platform's")
        try:
            box = orjson.loads(body)["resource"]
            opened = AESGCM(account["api_v3_key"].encode()).decrypt(
                box["nonce"].encode(), b64decode(box["ciphertext"]), box.get("associated_data", "").encode()
            )
            told = orjson.loads(opened)
            if told["mch_id"] != account["mch_id"]:
                raise NoticeForged("it is for another merchant")
            payout_id = PayoutId(UUID(hex=told["out_bill_no"]))
            return Notice(payout_id=payout_id, net_minor=int(told["transfer_amount"]), answer=_word(told, payout_id))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidTag) as exc:
            raise NoticeForged("it cannot be opened") from exc


async def _call(
    method: str, path: str, account: Account, body: bytes, at: datetime
) -> tuple[int, Mapping[str, Any]] | None:
    """Status and content of the platform's answer; None for none, or for one that the platform did not sign."""
    headers = {
        "authorization": _authorization(method, path, account, body, at),
        "accept": "application/json",
        "content-type": "application/json",
        "wechatpay-serial": account["platform_serial"],
    }
    try:
        async with httpx.AsyncClient(
            base_url=get_settings().wechat_pay_url, timeout=PATIENCE.total_seconds()
        ) as client:
            answer = await client.request(method, path, content=body, headers=headers)
        told = orjson.loads(answer.content)
    except (httpx.HTTPError, orjson.JSONDecodeError):
        return None
    if not _signed_by_platform(answer.headers, answer.content, account) or not isinstance(told, dict):
        return None
    return answer.status_code, told


def _word(told: Mapping[str, Any], payout_id: PayoutId) -> Answer:
    """What a transfer's state means; of another transfer's, or of a state nobody has heard of, nothing is known."""
    word = WORDS.get(str(told.get("state")))
    if word is None or told.get("out_bill_no") != payout_id.hex:
        return Answer(word=Word.LOST)
    reference = told.get("transfer_bill_no")
    reason = str(told.get("fail_reason") or told["state"])[:REASON_LONGEST] if word is Word.FAILED else None
    return Answer(word=word, reference=str(reference)[:REASON_LONGEST] if reference else None, reason=reason)


def _reason(told: Mapping[str, Any]) -> str:
    return f"{told.get('code')}: {told.get('message')}"[:REASON_LONGEST]


def _authorization(method: str, path: str, account: Account, body: bytes, at: datetime) -> str:
    nonce, moment = token_hex(16), str(int(at.timestamp()))
    signed = b"\n".join([method.encode(), path.encode(), moment.encode(), nonce.encode(), body, b""])
    signature = b64encode(_private_key(account["private_key"]).sign(signed, PKCS1v15(), SHA256())).decode()
    parts = {
        "mchid": account["mch_id"],
        "nonce_str": nonce,
        "signature": signature,
        "timestamp": moment,
        "serial_no": account["serial"],
    }
    return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in parts.items())


def _signed_by_platform(headers: Mapping[str, str], body: bytes, account: Account) -> bool:
    moment, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
    if headers.get("wechatpay-serial") != account["platform_serial"] or not (moment.isascii() and moment.isdigit()):
        return False
    if abs(clock.now().timestamp() - int(moment[:12])) > FRESH.total_seconds():
        return False
    signed = b"\n".join([moment.encode(), nonce.encode(), body, b""])
    try:
        signature = b64decode(headers.get("wechatpay-signature", ""), validate=True)
        _public_key(account["platform_key"]).verify(signature, signed, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def _sealed_for_platform(text: str, account: Account) -> str:
    """Encrypted as the platform asks for."""
    return b64encode(_public_key(account["platform_key"]).encrypt(text.encode(), NAME_PADDING)).decode()


@lru_cache(maxsize=64)
def _private_key(pem: str) -> RSAPrivateKey:
    return cast(RSAPrivateKey, load_pem_private_key(pem.encode(), password=None))


@lru_cache(maxsize=64)
def _public_key(pem: str) -> RSAPublicKey:
    return cast(RSAPublicKey, load_pem_public_key(pem.encode()))
