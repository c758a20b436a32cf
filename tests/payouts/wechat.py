"""WeChat Pay as a merchant meets it, on a real port: it checks, signs and seals, and misbehaves on demand."""

import asyncio
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from re import findall
from socket import socket
from typing import Any

import orjson
import uvicorn
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from saas.payouts.providers.wechat_pay import NAME_PADDING

MERCHANT = "1900000001"
API_KEY = "an APIv3 key has 32 characters..".replace(" ", "_")
SERIAL = "PUB_KEY_ID_0116000000"


@cache
def key(of: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(of: str) -> str:
    return key(of).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(of: str) -> str:
    return key(of).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def settings() -> dict[str, str]:
    """What a brand's owner gives."""
    return {
        "mch_id": MERCHANT,
        "app_id": "wx0000000000000001",
        "serial": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
        "private_key": private_pem("merchant"),
        "platform_serial": SERIAL,
        "platform_key": public_pem("platform"),
        "api_v3_key": API_KEY,
        "position": "分销商",
        "remark": "佣金",
    }


@dataclass
class Platform:
    """The other side. ``manners`` tells how the next transfers are answered; the last one holds for all that follow."""

    moment: datetime
    manners: list[str] = field(default_factory=lambda: ["good"])
    first_state: str = "ACCEPTED"
    bills: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def finish(self, bill: str, state: str = "SUCCESS", reason: str | None = None) -> None:
        self.bills[bill] |= {"state": state, "fail_reason": reason}

    async def transfer(self, request: Request) -> Response:
        body = await request.body()
        wish = orjson.loads(body)
        bill = wish["out_bill_no"]
        self.sent[bill] += 1
        manner = self.manners.pop(0) if len(self.manners) > 1 else self.manners[0]
        if not self._signed_by_merchant(request, body):
            return self._answer(401, {"code": "SIGN_ERROR", "message": "the signature is wrong or too old"})
        if manner == "drop":
            await asyncio.sleep(5)
            return Response(status_code=502)
        if manner == "refuse":
            return self._answer(403, {"code": "NOT_ENOUGH", "message": "商户余额不足"})
        if manner == "broken":
            return Response("<html>upstream error</html>", 500)
        name = key("platform").decrypt(b64decode(wish["user_name"]), NAME_PADDING).decode()
        self.bills.setdefault(
            bill,
            {
                "mch_id": MERCHANT,
                "out_bill_no": bill,
                "transfer_bill_no": f"1330000{len(self.bills)}",
                "state": self.first_state,
                "transfer_amount": wish["transfer_amount"],
                "openid": wish["openid"],
                "name": name,
                "notify_url": wish["notify_url"],
            },
        )
        self.arrived.set()
        if manner == "late":
            await asyncio.sleep(5)
        if manner == "slow":
            await asyncio.sleep(0.1)
        if manner == "lie":
            return self._answer(403, {"code": "PARAM_ERROR", "message": "it is there all the same"})
        told = dict(self.bills[bill])
        if manner == "other bill":
            told["out_bill_no"] = "0" * 32
        if manner == "new state":
            told["state"] = "PONDERING"
        return self._answer(200, told, by="somebody" if manner == "forged" else "platform", unsigned=manner == "bare")

    async def bill(self, request: Request) -> Response:
        number = request.path_params["number"]
        self.asked[number] += 1
        if not self._signed_by_merchant(request, b""):
            return self._answer(401, {"code": "SIGN_ERROR", "message": "the signature is wrong or too old"})
        if number not in self.bills:
            return self._answer(404, {"code": "NOT_FOUND", "message": "记录不存在"})
        return self._answer(200, self.bills[number])

    def notice(
        self, bill: str, by: str = "platform", api_key: str = API_KEY, **changes: Any
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of what the platform posts when a transfer has ended."""
        told = {**self.bills[bill], **changes}
        sealed = AESGCM(api_key.encode()).encrypt(b"0123456789ab", orjson.dumps(told), b"mch_payment")
        resource = {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": b64encode(sealed).decode(),
            "nonce": "0123456789ab",
            "associated_data": "mch_payment",
        }
        body = orjson.dumps({"id": "1", "event_type": "MCHTRANSFER.BILL.FINISHED", "resource": resource})
        return self._signature(body, by), body

    def _answer(
        self, status: int, told: Mapping[str, Any], *, by: str = "platform", unsigned: bool = False
    ) -> Response:
        body = orjson.dumps(told)
        return Response(body, status, headers={} if unsigned else self._signature(body, by))

    def _signature(self, body: bytes, by: str) -> dict[str, str]:
        moment = str(int(self.moment.timestamp()))
        signed = b"\n".join([moment.encode(), b"a nonce", body, b""])
        return {
            "wechatpay-serial": SERIAL,
            "wechatpay-timestamp": moment,
            "wechatpay-nonce": "a nonce",
            "wechatpay-signature": b64encode(key(by).sign(signed, PKCS1v15(), SHA256())).decode(),
        }

    def _signed_by_merchant(self, request: Request, body: bytes) -> bool:
        given = request.headers["authorization"]
        parts = dict(findall(r'(\w+)="([^"]*)"', given))
        path = request.url.path
        signed = "\n".join([request.method, path, parts["timestamp"], parts["nonce_str"], body.decode(), ""])
        fresh = abs(self.moment.timestamp() - int(parts["timestamp"])) <= timedelta(minutes=5).total_seconds()
        try:
            key("merchant").public_key().verify(b64decode(parts["signature"]), signed.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return fresh and given.startswith("WECHATPAY2-SHA256-RSA2048 ") and parts["mchid"] == MERCHANT


@asynccontextmanager
async def serving(platform: Platform) -> AsyncIterator[Platform]:
    """The platform on a port of its own."""
    path = "/v3/fund-app/mch-transfer/transfer-bills"
    routes = [
        Route(path, platform.transfer, methods=["POST"]),
        Route(path + "/out-bill-no/{number}", platform.bill),
    ]
    with socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        platform.url = f"http://127.0.0.1:{door.getsockname()[1]}"
        config = uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[door]))
        try:
            yield platform
        finally:
            server.should_exit = server.force_exit = True
            await task
