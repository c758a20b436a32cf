"""A keep-alive HTTP/1.1 client that costs next to nothing: the client must not be what is measured."""

import asyncio
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Self

from bench.figures import Load

DOMAIN = "banyan.example"
HOST = f"bench.{DOMAIN}"


class Client:
    """One connection to a server on this machine."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = head

    @classmethod
    async def connect(cls, port: int, path: str, token: str, host: str = HOST) -> Self:
        """Open a connection. Raises ``OSError`` when nobody listens."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n"
            f"accept: application/json\r\ncontent-type: application/json\r\ncontent-length: "
        )
        return cls(reader, writer, head)

    async def ask(self, body: bytes) -> bytes:
        """Send a request and answer the body. Raises ``RuntimeError`` for anything that was not done."""
        self._writer.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        answer = await self._reader.readexactly(length)
        if not head.startswith(b"http/1.1 200") or b'"errors":' in answer or b'"userErrors":[{' in answer:
            raise RuntimeError(f"the request failed: {head.decode()}{answer.decode()}")
        return answer

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


async def load(port: int, path: str, token: str, bodies: Sequence[bytes], concurrency: int, host: str = HOST) -> Load:
    """Send all requests over as many connections, each as soon as one is free."""
    clients = [await Client.connect(port, path, token, host) for _ in range(concurrency)]
    waiting = iter(bodies)
    latencies: list[float] = []
    began = perf_counter()
    await asyncio.gather(*(_send(client, waiting, latencies) for client in clients))
    seconds = perf_counter() - began
    for client in clients:
        await client.close()
    return Load(seconds, latencies)


async def _send(client: Client, waiting: Iterator[bytes], latencies: list[float]) -> None:
    for body in waiting:
        sent = perf_counter()
        await client.ask(body)
        latencies.append(perf_counter() - sent)
