"""One message over a real connection: to the address that was checked, under the name that was given, not for long."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from saas.webhooks.sending import BODY_MOST, EXCERPT_MOST, READ_MOST, Sender
from tests.webhooks.receivers import Receiver, certificate, listening

HERE = Sender(loopback=True)
HEADERS = {"webhook-id": "evt_1"}


async def here(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def test_a_message_arrives_as_it_was_made() -> None:
    async with listening(Receiver()) as receiver:
        answer = await HERE.send(receiver.url, HEADERS, b'{"type":"order.paid"}')
        assert (answer.status_code, answer.error, answer.excerpt, answer.taken) == (200, None, "thank you", True)
        (got,) = receiver.got
        assert (got.line, got.body) == ("POST /hook?a=b HTTP/1.1", b'{"type":"order.paid"}')
        assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert got.headers["webhook-id"] == "evt_1"


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "500 No", "404 No"])
async def test_any_other_answer_is_a_failure_and_a_redirect_leads_nowhere(status: str) -> None:
    async with listening(Receiver()) as target:
        way = f"location: {target.url}\r\n"
        async with listening(Receiver(status=status, headers=way)) as receiver:
            answer = await HERE.send(receiver.url, HEADERS, b"{}")
            assert (answer.status_code, answer.taken) == (int(status[:3]), False)
            assert (len(receiver.got), target.got) == (1, [])


async def test_a_server_inside_is_reached_by_no_name() -> None:
    async with listening(Receiver()) as receiver:
        for resolve in (here, _both):
            sender = Sender(resolve=resolve)
            answer = await sender.send(f"http://hooks.example.com:{receiver.port}/", HEADERS, b"{}")
            assert answer.error is not None
            assert "no public address" in answer.error
        answer = await Sender().send(receiver.url, HEADERS, b"{}")
        assert answer.error is not None
        assert "no public address" in answer.error
        assert receiver.got == []


async def _both(_host: str, _port: int) -> Sequence[str]:
    return ["93.184.216.34", "127.0.0.1"]


async def test_a_name_is_looked_up_once() -> None:
    """Whoever answers a public address first and a private one later is not asked a second time."""
    asked: list[str] = []

    async def changing(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with listening(Receiver()) as receiver:
        sender = Sender(loopback=True, resolve=changing)
        answer = await sender.send(f"http://hooks.example.com:{receiver.port}/", HEADERS, b"{}")
        assert answer.taken
        assert asked == ["hooks.example.com"]
        assert receiver.got[0].headers["host"] == f"hooks.example.com:{receiver.port}"


async def test_the_certificate_is_verified_for_the_name(tmp_path: Path) -> None:
    tls, trust = certificate(tmp_path, "hooks.example.com")
    async with listening(Receiver(), tls) as receiver:
        sender = Sender(loopback=True, resolve=here, trust=trust)
        good = await sender.send(f"https://hooks.example.com:{receiver.port}/", HEADERS, b"{}")
        assert (good.status_code, good.error) == (200, None)
        other = await sender.send(f"https://other.example.com:{receiver.port}/", HEADERS, b"{}")
        assert other.error is not None
        assert "CERTIFICATE_VERIFY_FAILED" in other.error
        stranger = await Sender(loopback=True, resolve=here).send(
            f"https://hooks.example.com:{receiver.port}/", HEADERS, b"{}"
        )
        assert stranger.error is not None
        assert "CERTIFICATE_VERIFY_FAILED" in stranger.error
        assert len(receiver.got) == 1


async def test_a_slow_receiver_is_not_waited_for() -> None:
    async with listening(Receiver(wait=timedelta(seconds=30))) as receiver:
        sender = Sender(loopback=True, time_most=timedelta(milliseconds=300))
        answer = await sender.send(receiver.url, HEADERS, b"{}")
        assert answer.status_code is None
        assert answer.error == "no complete answer within 0.3 s"


async def test_of_an_endless_answer_the_beginning_is_read() -> None:
    async with listening(Receiver(endless=True, body=b"\x00\xff<secret>\n")) as receiver:
        answer = await HERE.send(receiver.url, HEADERS, b"{}")
        assert answer.status_code == 200
        assert answer.excerpt is not None
        assert len(answer.excerpt) == EXCERPT_MOST < READ_MOST
        assert answer.excerpt.isprintable()


async def test_what_cannot_be_sent_is_told() -> None:
    large = await HERE.send("http://127.0.0.1:9/", HEADERS, b"x" * (BODY_MOST + 1))
    assert large.error is not None
    assert "select less" in large.error
    async with listening(Receiver()) as receiver:
        closed = receiver.url
    nobody = await HERE.send(closed, HEADERS, b"{}")
    assert nobody.error is not None
    assert nobody.error.startswith("ConnectError")


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(Receiver()) as proxy, listening(Receiver()) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await HERE.send(receiver.url, HEADERS, b"{}")).taken
        assert proxy.got == []
