"""Sending one message to an address that a brand has given: nowhere but to a public server, and not for long.

The name is looked up here, every address it has is checked, and the connection goes to one that was checked: a second
look-up, which could answer something else, never happens. The certificate is still verified for the name. A redirect is
an answer like any other, proxies of the environment are not used, and of what comes back only the beginning is read.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from time import monotonic
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

import httpx

from saas.webhooks.rules import address_refused

TIME_MOST = timedelta(seconds=10)
"""From the look-up of the name to the end of what is read of the answer."""
BODY_MOST = 262_144
"""Bytes a message may have."""
READ_MOST = 4_096
"""Bytes that are read of an answer."""
EXCERPT_MOST = 500
"""Characters of it that are kept."""

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a message: the receiver's status and the beginning of what it said, or why there is none."""

    status_code: int | None = None
    error: str | None = None
    duration_ms: int = 0
    excerpt: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status_code is not None and 200 <= self.status_code < 300


class _Refused(Exception):
    """Why nothing is sent."""


async def looked_up(host: str, port: int) -> Sequence[str]:
    """The addresses that the system's resolver answers for a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@lru_cache(maxsize=1)
def _public() -> ssl.SSLContext:
    """Trusts what the system trusts; made once, since reading the certificates takes longer than most messages."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends messages; with ``loopback`` to this machine too."""

    loopback: bool = False
    resolve: Resolve = looked_up
    trust: Callable[[], ssl.SSLContext] = _public
    time_most: timedelta = TIME_MOST

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a message; whatever goes wrong is told in the answer."""
        began = monotonic()
        try:
            async with asyncio.timeout(self.time_most.total_seconds()):
                status, excerpt = await self._post(url, headers, body)
        except TimeoutError:
            error = f"no complete answer within {self.time_most.total_seconds():g} s"
        except _Refused as refused:
            error = str(refused)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as failed:
            error = _plain(f"{type(failed).__name__}: {failed}")
        else:
            return Answer(status_code=status, excerpt=excerpt, duration_ms=_ms(began))
        return Answer(error=error, duration_ms=_ms(began))

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        if len(body) > BODY_MOST:
            raise _Refused(f"the payload has more than {BODY_MOST} bytes; select less")
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = await self._address(host, port)
        spelled = f"[{address}]" if ":" in address else address
        to = urlunsplit((parts.scheme, f"{spelled}:{port}", parts.path or "/", parts.query, ""))
        transport = httpx.AsyncHTTPTransport(verify=self.trust(), trust_env=False)
        async with (
            httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, timeout=None) as client,  # noqa: S113  # the whole has a limit
            client.stream(
                "POST",
                to,
                content=body,
                headers={**headers, "host": parts.netloc, "accept-encoding": "identity", "connection": "close"},
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            read = b""
            async for part in answer.aiter_raw():
                read += part
                if len(read) >= READ_MOST:
                    break
            return answer.status_code, _plain(read[:READ_MOST].decode("utf-8", "replace"))

    async def _address(self, host: str, port: int) -> str:
        """An address of the host to connect to. One that is refused is enough to refuse the host."""
        found = await self.resolve(host, port)
        if not found:
            raise _Refused(f"{host} has no address")
        for address in found:
            if address_refused(address, loopback=self.loopback):
                raise _Refused(f"{host} leads to {address}, which is no public address")
        return found[0]


def _plain(text: str) -> str:
    """Text for the log: printable, and short."""
    return "".join(c if c.isprintable() else " " for c in text)[:EXCERPT_MOST]


def _ms(began: float) -> int:
    return int((monotonic() - began) * 1000)
