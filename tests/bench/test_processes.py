"""What a benchmark starts does not outlive it."""

import asyncio
import sys

from bench.processes import end

SLEEPS = "import time; print('here', flush=True); time.sleep(60)"
RUNS_ANOTHER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPS!r}])"


async def test_a_program_that_runs_another_is_stopped_with_it() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUNS_ANOTHER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"here\n"
    await asyncio.wait_for(end(process), 20)  # the end of its output is waited for, and the other one holds that open
