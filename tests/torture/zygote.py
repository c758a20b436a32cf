"""Real servers that start at once: a process that has everything imported and becomes a server by a fork.

Each line on its standard input asks for one; its process number is the answer. It is run as
``python -m tests.torture.zygote`` with the environment of ``main.py serve``.
"""

import os
import signal
import sys
from contextlib import suppress

import uvicorn

import main
from saas.base.settings import get_settings
from schema.http import make_app  # noqa: F401  # imported here once, not by each server


def become_server() -> None:
    """Serve until killed, and never come back."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    uvicorn.run(main.app(), host="127.0.0.1", port=get_settings().port, access_log=False, log_level="error")
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    child = 0
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            become_server()
        print(child, flush=True)  # the answer
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
