"""Receivers of webhooks as brands have them: on this machine, some of them slow, broken, or not what they say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Got:
    """A message that arrived."""

    line: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers every message the same way; ``port`` once it listens."""

    status: str = "200 OK"
    body: bytes = b"thank you"
    headers: str = ""
    wait: timedelta = timedelta()
    endless: bool = False
    port: int = 0
    got: list[Got] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one message."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
            self.got.append(Got(line, headers, await reader.readexactly(int(headers["content-length"]))))
            self.arrived.set()
            await asyncio.sleep(self.wait.total_seconds())
            length = "" if self.endless else f"content-length: {len(self.body)}\r\n"
            writer.write(f"HTTP/1.1 {self.status}\r\n{self.headers}{length}\r\n".encode() + self.body)
            while self.endless:
                writer.write(b"x" * 10_000)
                await writer.drain()
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return  # the sender has gone
        finally:
            writer.close()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook?a=b"


@asynccontextmanager
async def listening(receiver: Receiver, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Have it listen within the block."""
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Callable[[], ssl.SSLContext]]:
    """A server's context with a certificate for one name, and what makes a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    try:
        names: x509.GeneralName = x509.IPAddress(ip_address(name))
    except ValueError:
        names = x509.DNSName(name)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, private)
    return server, lambda: ssl.create_default_context(cafile=str(chain))
