"""What a webhook may be, where it may lead, how a message is signed, and when it is tried again. Pure."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from saas.base.errors import Said
from saas.base.money import BPS_WHOLE
from saas.events.rules import EventKind
from saas.webhooks.errors import WebhookUrlRefused

WEBHOOKS_MOST = 20
"""Webhooks of one brand."""
TRIES_MOST = 10
"""How often one delivery is tried, unless somebody has it begun anew."""
PAUSE_AFTER = 20
"""Failures of a webhook one after the other, whatever it was given, after which it waits for somebody to look."""
GONE = 410
"""The answer by which a receiver says that it wants nothing more."""
OVERLAP_MOST = timedelta(days=30)
"""How long the old secret of a rotation may sign beside the new one."""
SECRET_BYTES = 32

_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(hours=6)
_LONGEST_HOLD_OFF = timedelta(minutes=5)
_PREFIX = "whsec_"
_URL_LONGEST = 500


class WebhookStatus(StrEnum):
    """Whether events are told to a webhook; while it is paused they wait."""

    ACTIVE = "active"
    PAUSED = "paused"
    REMOVED = "removed"


class DeliveryStatus(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


def wait_after(tries: int, jitter_bps: int = 0) -> timedelta:
    """How long to wait after that many tries of one delivery: 5 s, then four times as long each time, with jitter."""
    wait = min(_FIRST_WAIT * (1 << 2 * min(max(tries - 1, 0), 10)), _LONGEST_WAIT)
    return wait + wait * jitter_bps // BPS_WHOLE


def hold_off_after(failures: int) -> timedelta:
    """How long a webhook is left alone after so many failures in a row, whatever else waits for it."""
    return min(_FIRST_WAIT * (1 << min(max(failures - 1, 0), 10)), _LONGEST_HOLD_OFF)


def wants(kinds: Collection[EventKind], webhook_id: UUID, kind: EventKind, subject_id: UUID) -> bool:
    """Whether an event is told to a webhook; a test only to the one it is about. No kinds mean all."""
    if kind is EventKind.WEBHOOK_TEST:
        return subject_id == webhook_id
    return not kinds or kind in kinds


# -- where it may lead ------------------------------------------------------------------------------------------------

_NEVER = [
    ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "fec0::/10",
    )
]  # fmt: skip
"""Refused whatever Python's registry of a version says: among them what clouds answer metadata at."""
_NAT64 = ip_network("64:ff9b::/96")


def address_refused(text: str, *, loopback: bool = False) -> bool:
    """Whether nothing may be sent to an address: private, link-local, reserved, metadata, or one of these in disguise.

    With ``loopback`` this machine itself may be reached, which is for development.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return True
    inner = _embedded(address)
    if inner is not None:
        return address_refused(str(inner), loopback=loopback)
    if address.is_loopback:
        return not loopback
    if any(address in network for network in _NEVER if network.version == address.version):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def checked_url(url: str, field: str, *, loopback: bool = False) -> str:
    """An address that a webhook may have, as it is kept. Raises ``WebhookUrlRefused``.

    What its name leads to is looked up, and checked, whenever something is sent.
    """
    parts = _split(url, field)
    host = parts.hostname or ""
    local = loopback and (host == "localhost" or _is_loopback(host))
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise WebhookUrlRefused(field, why=Said("it must begin with https://", "须以 https:// 开头"))
    if parts.username is not None or parts.password is not None:
        raise WebhookUrlRefused(field, why=Said("it must hold no password", "不得包含用户名或密码"))
    if parts.fragment:
        raise WebhookUrlRefused(field, why=Said("it must hold no #", "不得包含 #"))
    if not local and (_is_address(host) and address_refused(host)):
        raise WebhookUrlRefused(field, why=Said("it leads into a private network", "指向内部网络"))
    if not local and not _is_address(host) and "." not in host.strip("."):
        raise WebhookUrlRefused(field, why=Said("it needs the full name of a public host", "须为公网主机的完整域名"))
    return url


def _split(url: str, field: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > _URL_LONGEST or not url.isascii() or " " in url or not url.isprintable():
        most = f"{_URL_LONGEST}"
        why = Said(f"it must be an address of up to {most} characters", f"须为不超过 {most} 个字符的网址")
        raise WebhookUrlRefused(field, why=why)
    return parts


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return _is_address(host) and ip_address(host).is_loopback


# -- signatures (Standard Webhooks) -----------------------------------------------------------------------------------


def secret_of(random: bytes) -> str:
    """A secret as its holder is told it."""
    return _PREFIX + b64encode(random).decode()


def signed_headers(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The headers of a message: its id, the moment, and one signature for each secret, the present one first."""
    timestamp = str(int(at.timestamp()))
    signatures = [f"v1,{_signature(secret, message_id, timestamp, body)}" for secret in secrets]
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    key = b64decode(secret.removeprefix(_PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    return b64encode(hmac.new(key, content, sha256).digest()).decode()
