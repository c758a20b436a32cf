"""Where a webhook may lead, how messages are signed, how long one waits: rules without a network."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from saas.base.ids import new_id
from saas.events.rules import EventKind
from saas.webhooks.errors import WebhookUrlRefused
from saas.webhooks.rules import (
    address_refused,
    checked_url,
    hold_off_after,
    secret_of,
    signed_headers,
    wait_after,
    wants,
)

PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8", "168.63.129.16",  # noqa: S104  # refused
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.18.0.1", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001::1", "2001:db8::1", "100::1",
    "localhost", "", "1.2.3", "0177.0.0.1", "2130706433",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2001:4860:4860::8888", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_is_sent_inside(address: str) -> None:
    assert address_refused(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_servers_are_reached(address: str) -> None:
    assert not address_refused(address)


def test_loopback_is_reached_in_development_and_nothing_else_is() -> None:
    reached = [address for address in PRIVATE if not address_refused(address, loopback=True)]
    assert reached == ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_an_address_in_disguise_is_judged_as_what_it_is(number: int) -> None:
    plain = IPv4Address(number)
    mapped = f"::ffff:{plain}"
    translated = str(IPv6Address(int(ip_network("64:ff9b::/96").network_address) + number))
    assert {address_refused(mapped), address_refused(translated)} == {address_refused(str(plain))}


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "https://user:secret@hooks.example.com/",
        "https://hooks.example.com/#there",
        "https://localhost/",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/latest",
        "https://169.254.169.254/latest/meta-data",
        "https://",
        "hooks.example.com",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\x00",
        "https://hooks.例子.com/",
        "https://hooks.example.com/" + "x" * 500,
        "https://[::1/",
    ],
)
def test_an_address_that_is_not_public_https_is_refused(url: str) -> None:
    with pytest.raises(WebhookUrlRefused):
        checked_url(url, "input.url")


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/a?b=c", "https://hooks.example.com:8443", "https://93.184.216.34/"]
)
def test_public_https_is_taken(url: str) -> None:
    assert checked_url(url, "input.url") == url


def test_plain_http_is_for_this_machine_in_development() -> None:
    for url in ("http://localhost:9/", "http://127.0.0.1:9/", "http://[::1]:9/"):
        assert checked_url(url, "input.url", loopback=True) == url
    with pytest.raises(WebhookUrlRefused):
        checked_url("http://hooks.example.com/", "input.url", loopback=True)


@given(st.binary(min_size=24, max_size=64), st.text(), st.integers(min_value=0, max_value=3))
def test_a_receiver_that_follows_the_standard_verifies_what_is_signed(random: bytes, text: str, old: int) -> None:
    body = text.encode("utf-8", "replace")
    secrets = [secret_of(random + bytes([n])) for n in range(old + 1)]
    headers = dict(signed_headers(secrets, "evt_1", datetime.now(UTC), body))
    for secret in secrets:
        Webhook(secret).verify(body, headers, json_parse=False)
    for wrong in ({"webhook-id": "evt_2"}, {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(secrets[0]).verify(body, {**headers, **wrong}, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(body + b"x", headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(random + b"\xff")).verify(body, headers, json_parse=False)


@given(st.integers(min_value=1, max_value=200), st.integers(min_value=0, max_value=5_000))
def test_waits_grow_and_have_an_end(tries: int, jitter_bps: int) -> None:
    assert timedelta(seconds=5) <= wait_after(tries) <= wait_after(tries + 1) <= timedelta(hours=6)
    assert wait_after(tries) <= wait_after(tries, jitter_bps) <= wait_after(tries) * 3 / 2
    assert hold_off_after(tries) <= hold_off_after(tries + 1) <= timedelta(minutes=5)


def test_a_webhook_is_told_what_it_wants_and_its_own_tests() -> None:
    mine, another = new_id(), new_id()
    assert wants([], mine, EventKind.ORDER_PAID, another)
    assert wants([EventKind.ORDER_PAID], mine, EventKind.ORDER_PAID, another)
    assert not wants([EventKind.ORDER_CLOSED], mine, EventKind.ORDER_PAID, another)
    assert wants([EventKind.ORDER_CLOSED], mine, EventKind.WEBHOOK_TEST, mine)
    assert not wants([], mine, EventKind.WEBHOOK_TEST, another)
