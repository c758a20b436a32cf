"""Processes to measure: started as operators start them, their memory read from the kernel."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import perf_counter
from typing import IO

from bench.client import DOMAIN, HOST, Client
from bench.databases import as_server

ROOT = Path(__file__).parent.parent
PRODUCT = ("main.py", "serve")
HANDWRITTEN = ("-m", "bench.handwritten")
_OFTEN = "1000000/second"
SETTINGS = {
    "ENVIRONMENT": "production",
    "BASE_DOMAIN": DOMAIN,
    "SECRET_KEY": "a-key-of-a-benchmark-that-guards-nothing",
    "SECURE_COOKIES": "true",
    "SQLITE_IN_PRODUCTION": "true",
    "PAGE_MAX": "1000",
    "RATE_PER_USER": _OFTEN,
    "RATE_PER_TENANT": _OFTEN,
}
"""As production is run, with large pages, and as many requests of one account as the machine can answer."""
_EVERY_SECONDS = 0.02
_PATIENCE_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that has answered its first request."""

    process: Process
    port: int
    first_answer_seconds: float

    @property
    def memory_mb(self) -> float:
        """What it holds in memory now."""
        return _memory_mb(self.process.pid, "VmRSS")


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended well; ``peak_mb`` is its memory with that of the processes it had started."""

    seconds: float
    peak_mb: float
    output: str


async def run(*command: str, database_url: str) -> Finished:
    """Run a Python command to its end. Raises ``RuntimeError`` when it fails."""
    began = perf_counter()
    process = await _start((sys.executable, *command), {"DATABASE_URL": database_url}, PIPE)
    reading = asyncio.create_task(process.communicate())
    peak_mb = 0.0
    while not reading.done():
        # Not wait4: it would count what this process held when it forked.
        peak_mb = max(peak_mb, sum(_memory_mb(one, "VmHWM") for one in _family(process.pid)))
        await asyncio.wait({reading}, timeout=_EVERY_SECONDS)
    seconds = perf_counter() - began
    output, errors = reading.result()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {output.decode()}{errors.decode()}")
    return Finished(seconds, peak_mb, output.decode())


@asynccontextmanager
async def serving(
    command: tuple[str, ...],
    database_url: str,
    path: str,
    token: str,
    body: bytes,
    host: str = HOST,
    *,
    program: str = sys.executable,
    jobs: bool = False,
    settings: Mapping[str, str] = SETTINGS,
) -> AsyncIterator[Server]:
    """A server, from its start to the end of the block; it has answered ``body`` once.

    The product's does ``jobs`` only when asked to: a busy brand has a worker for those, and here it would seal what was
    seeded.
    """
    port = _free_port()
    with TemporaryFile() as log:
        began = perf_counter()
        address = as_server(database_url)
        own = {"DATABASE_URL": address, "PORT": str(port), "WORKER_IN_SERVER": str(jobs)}
        process = await _start((program, *command), {**settings, **own}, log)
        try:
            client = await _connected(process, port, path, token, host)
            await client.ask(body)
            seconds = perf_counter() - began
            await client.close()
            yield Server(process, port, seconds)
        except RuntimeError as exc:
            log.seek(0)
            exc.add_note(log.read().decode()[-4000:])
            raise
        finally:
            await end(process)


async def end(process: Process) -> None:
    """Stop a process and those it has started: what is called by one name may be a program that runs another."""
    for one in _family(process.pid) if process.returncode is None else []:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGTERM)
    await process.wait()


async def _connected(process: Process, port: int, path: str, token: str, host: str) -> Client:
    deadline = perf_counter() + _PATIENCE_SECONDS
    while perf_counter() < deadline and process.returncode is None:
        try:
            return await Client.connect(port, path, token, host)
        except OSError:
            await asyncio.sleep(_EVERY_SECONDS)
    raise RuntimeError("the server did not come up")


async def _start(command: tuple[str, ...], settings: Mapping[str, str], output: "int | IO[bytes]") -> Process:
    environment = {**os.environ, **settings}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installation keeps its bytecode from the first start on
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdin=DEVNULL, stdout=output, stderr=output
    )


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


def _family(pid: int) -> list[int]:
    """A process and those it has started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _memory_mb(pid: int, field: str) -> float:
    """A line of the process's status; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = next((line for line in status.splitlines() if line.startswith(f"{field}:")), "0 0")
    return int(found.split()[1]) / 1024
