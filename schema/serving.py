"""Running the server: how it listens, and how it stops without leaving anything half done."""

import asyncio
import signal
from types import FrameType

import uvicorn

from saas.base.settings import SERVER, Settings
from schema.health import stopping

STARTUP_FAILURE = 3
"""The exit code of a server that never came up, as uvicorn has it."""


class _Server(uvicorn.Server):
    """Told to stop, it first says that it is not ready, so that nobody sends it more, and then accepts no more."""

    def __init__(self, config: uvicorn.Config, drain_seconds: int) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        first, stopping.begun = not stopping.begun, True
        if first and self._drain_seconds and sig == signal.SIGTERM:
            asyncio.get_running_loop().call_later(self._drain_seconds, super().handle_exit, sig, frame)
        else:
            super().handle_exit(sig, frame)


def config_of(settings: Settings, app: str, *, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves ``app``."""
    return uvicorn.Config(
        app,
        factory=True,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        **SERVER,
    )


def serve(settings: Settings, app: str, *, host: str, port: int) -> None:
    """Serve ``app``, a factory, until told to stop; then finish what is under way within SHUTDOWN_SECONDS.

    What takes longer is cancelled, which rolls its transaction back; jobs are put back for the next worker.
    """
    server = _Server(config_of(settings, app, host=host, port=port), settings.drain_seconds)
    server.run()
    if not server.started:
        raise SystemExit(STARTUP_FAILURE)
