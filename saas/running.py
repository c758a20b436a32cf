"""How a command runs: on its settings and the open database, with refusals told in one line."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, TypeVar, cast

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from saas.base import logs, metrics, tracing
from saas.base.db import open_database
from saas.base.db.migrate import MigrationUnknown
from saas.base.db.mistakes import DatabaseUnusable, require_bound, require_tables
from saas.base.errors import DomainError
from saas.base.metrics import PortUnusable
from saas.base.settings import Settings, UnsafeSettings, get_settings
from tenants.errors import ProgramHasErrors, ProgramUnreadable
from tenants.program import Finding, errors_in

T = TypeVar("T")
console = Console()


@contextmanager
def told() -> Iterator[None]:
    """An expected refusal or a mistake of the installation is one red line and exit code 1, not a traceback."""
    try:
        yield
    except DomainError as refused:
        if isinstance(refused, ProgramUnreadable | ProgramHasErrors):
            show_findings(cast(Sequence[Finding], refused.params["findings"]))
        line = f"{refused.code}: {refused.message()}"
    except (DatabaseUnusable, MigrationUnknown, UnsafeSettings, PortUnusable) as mistake:
        line = str(mistake)
    else:
        return
    fail(line)


def fail(line: str) -> NoReturn:
    """End with one red line and exit code 1."""
    console.print(f"[red]{escape(' '.join(line.split()))}[/]", soft_wrap=True)
    raise typer.Exit(1)


def given_settings() -> Settings:
    """The settings; of wrong ones, the variables at fault are named."""
    try:
        return get_settings()
    except ValidationError as wrong:
        line = "; ".join(f"{str(error['loc'][0]).upper()}: {error['msg']}" for error in wrong.errors())
    fail(line)


@contextmanager
def observed(settings: Settings) -> Iterator[None]:
    """Around what stays until it is stopped: its lines, its figures, its spans; not with unsafe settings."""
    with told():
        settings.require_safe()
        logs.configure(settings.environment)
        with tracing.traced(settings), metrics.served(settings):
            yield


def run_on_database(work: Callable[[], Awaitable[T]], *, serving: bool = False) -> T:
    """Run a command on the open database; ``serving`` asks that row-level security binds who logs in."""
    settings = given_settings()

    async def run() -> T:
        async with open_database(settings.database_url, pool_size=settings.database_pool_size) as database:
            await require_tables(database)
            if serving:
                await require_bound(database)
            return await work()

    with told():
        return asyncio.run(run())
    raise AssertionError("a refusal has left already")


def show_findings(findings: Sequence[Finding], language: str = "en") -> int:
    """Print findings, the place first; answers how many errors are among them."""
    for finding in findings:
        typer.echo(f"{finding.severity}: {finding.path or '.'}: {finding.message(language)} [{finding.code}]")
    return len(errors_in(findings))
