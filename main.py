"""The composition root and the command line: wires things together, decides nothing."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from starlette.applications import Starlette

from saas import demo as demo_brands
from saas.base.chain import Chain
from saas.base.checks import Violation
from saas.base.collector import settle
from saas.base.db import open_database
from saas.base.db.migrate import LATEST, migrate
from saas.base.db.mistakes import require_bound
from saas.base.db.scale_out import scale_out
from saas.base.scope import tenant_scope
from saas.base.settings import get_settings
from saas.imports.by_command import run_file
from saas.imports.columns import ImportKind, template
from saas.operating import auditing, backup, link, operator
from saas.proof.commands import prove_books
from saas.running import T, console, fail, given_settings, observed, run_on_database, show_findings, told
from saas.simulation.recompute import prove_brands
from schema.by_command import add_commands
from tenants import access_table, registry, sessions
from tenants.actors import Actor, Role
from tenants.errors import Forbidden
from tenants.program import Program, parse, validate, versions
from tenants.program.text import Format
from tenants.resealing import reseal_brands

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Banyan: distribution programs for many brands.")
importing = typer.Typer(no_args_is_help=True, help="Bring data in.")
cli.add_typer(importing, name="import")
programs = typer.Typer(no_args_is_help=True, help="Programs of brands, by file.")
cli.add_typer(programs, name="program")
cli.add_typer(auditing, name="audit")
for command in (operator, link, backup):
    cli.command()(command)
NUMBER_MOST = 2**31 - 1
NUMBERED = partial(typer.Option, min=1, max=NUMBER_MOST)


def app() -> Starlette:
    """The ASGI application, for uvicorn and the tests of the server. Raises ``UnsafeSettings``."""
    from schema.http import make_app
    from schema.working import at_work

    settings = get_settings()
    settings.require_safe()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with open_database(settings.database_url, pool_size=settings.database_pool_size) as database:
            await require_bound(database)
            async with at_work(jobs=settings.worker_in_server):
                settle()
                yield

    return make_app(settings, lifespan)


@cli.command("serve")
def serve_command(port: int | None = None, host: str | None = None) -> None:
    """Serve the API (and GraphiQL in development)."""
    from schema.serving import serve

    settings = given_settings()
    with observed(settings):
        run_on_database(lambda: asyncio.sleep(0), serving=True)  # only to learn that the database can be opened
        serve(settings, "main:app", host=host or settings.host, port=port or settings.port)


@cli.command("migrate")
def migrate_command(
    target: Annotated[str, typer.Argument(help="A migration's name; the newest by default.")] = LATEST,
) -> None:
    """Bring the database to a version."""
    with told():
        asyncio.run(migrate(given_settings().owner_url, target, progress=console.print))


@cli.command("scale-out")
def scale_out_command(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell.")] = False) -> None:
    """Spread the tables of a PostgreSQL database with Citus over its nodes (docs/scaling.md)."""
    with told():
        asyncio.run(scale_out(given_settings().owner_url, dry_run=dry_run))


@cli.command()
def demo() -> None:
    """Make the demo brands, unless they are there, and print their log-ins."""
    settings = given_settings()
    with Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True) as bar:
        logins = run_on_database(lambda: demo_brands.make(lambda step, done, of: _show(bar, step, done, of)))
    sites: dict[str, list[str]] = {}
    for login in logins:
        host = settings.base_domain if login.slug == "platform" else f"{login.slug}.{settings.base_domain}"
        sites.setdefault(f"http://{host}:{settings.port}", []).append(f"{login.login} ({login.role})")
    table = Table("site", "log-ins", title=f"The demo. Every password is {demo_brands.PASSWORD}")
    for site, names in sites.items():
        table.add_row(site, "\n".join(names))
    console.print(table)


TenantName = Annotated[str, typer.Option(help="The brand's slug.")]
File = Annotated[Path, typer.Argument(help="CSV or XLSX; see import template.", exists=True, dir_okay=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Report what would happen and write nothing.")]
Historical = Annotated[bool, typer.Option(help="Take orders of before the last change of program or tree.")]


@importing.command("orders")
def import_orders(
    file: File,
    tenant: Annotated[str, typer.Option(help="The brand; made for a purchase log when it is not there.")] = "cdnow",
    dry_run: DryRun = False,
    historical: Historical = False,
) -> None:
    """Read orders, or a log of purchases, as a brand's orders. Run again, it changes nothing."""
    _import(ImportKind.ORDERS, file, tenant, dry_run=dry_run, historical=historical)


@importing.command("returns")
def import_returns(file: File, tenant: TenantName, dry_run: DryRun = False) -> None:
    """Read returns of a brand's orders. Run again, it changes nothing."""
    _import(ImportKind.RETURNS, file, tenant, dry_run=dry_run, historical=False)


@importing.command("template")
def import_template(kind: ImportKind, language: Annotated[str, typer.Option(help="en or zh-CN.")] = "en") -> None:
    """Print the file to fill in, as CSV."""
    typer.echo(template(kind, language), nl=False)


def _import(kind: ImportKind, file: Path, tenant: str, **way: bool) -> None:
    """Bring a file in; exit code 2 when anything was left out."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        report = run_on_database(lambda: run_file(kind, file, tenant, progress=partial(_show, bar), **way))
    for line in report.lines():
        typer.echo(line)
    if report.left_out:
        raise typer.Exit(2)


Document = Annotated[Path, typer.Argument(help="YAML, or JSON by its ending.", exists=True, dir_okay=False)]
OwnerLogin = Annotated[str, typer.Option(help="The log-in of an owner, who is written down as the one who did it.")]


@programs.command("check")
def check_program(file: Document, language: Annotated[str, typer.Option(help="en or zh-CN.")] = "en") -> None:
    """Tell every finding of a document; exit code 1 when an error is among them."""
    parsed = parse(file.read_bytes(), _format(file))
    if show_findings(validate(parsed) if isinstance(parsed, Program) else parsed, language):
        raise typer.Exit(1)


@programs.command("save")
def save_program(
    file: Document,
    tenant: TenantName,
    login: OwnerLogin,
    label: Annotated[str, typer.Option(help="What people shall call it; its own name by default.")] = "",
    number: Annotated[int | None, NUMBERED(help="The draft to replace; none makes a new one.")] = None,
) -> None:
    """Save a document as a draft."""
    command = versions.SaveDraft(document=file.read_bytes(), format=_format(file), label=label, number=number)
    saved = run_on_database(
        lambda: _as_owner(tenant, login, "saveProgramDraft", lambda who: versions.save_draft(command, who))
    )
    console.print(f"draft {saved.version.number} saved: {escape(saved.version.label)}")
    show_findings(saved.findings)


@programs.command("export")
def export_program(
    tenant: TenantName,
    number: Annotated[int | None, NUMBERED(help="The version; the one in force by default.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = "yaml",
) -> None:
    """Print a version as a document that can be saved again."""

    async def read() -> str:
        with tenant_scope((await registry.by_slug(tenant)).id):
            return await versions.export(number or (await versions.active_program()).number, form)

    typer.echo(run_on_database(read), nl=False)


@programs.command("activate")
def activate_program(
    number: Annotated[int, typer.Argument(help="The draft.", min=1, max=NUMBER_MOST)],
    tenant: TenantName,
    login: OwnerLogin,
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="A future moment; at once by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change and write nothing.")] = False,
) -> None:
    """Put a draft in force, at once or at a future moment."""

    async def put(who: Actor) -> list[str]:
        once, later = versions.activate, versions.schedule
        done = await (once(number, who, dry_run=dry_run) if at is None else later(number, at, who, dry_run=dry_run))
        told = await versions.compare(done.effect.replaces, number) if done.effect.replaces else None
        head = f"{'would be ' if dry_run else ''}in force from {done.effect.at.isoformat()}: version {number}"
        return [head, *(told.sentences("en") if told else [])]

    for line in run_on_database(lambda: _as_owner(tenant, login, "activateProgram", put)):
        typer.echo(line)


@programs.command("diff")
def diff_programs(
    before: Annotated[int, typer.Argument(help="The version before.", min=1, max=NUMBER_MOST)],
    after: Annotated[str, typer.Argument(help="The version after, or a file.")],
    tenant: TenantName,
    language: Annotated[str, typer.Option(help="en or zh-CN.")] = "en",
) -> None:
    """Tell what is different between two versions, or between a version and a file, a sentence for each."""
    file = None if after.isdecimal() and len(after) < len(str(NUMBER_MOST)) else Path(after)
    if file is not None and not file.is_file():
        fail(f"{after} is neither a number nor a file")
    document = file.read_bytes() if file is not None else b""

    async def read() -> list[str]:
        with tenant_scope((await registry.by_slug(tenant)).id):
            if file is None:
                return (await versions.compare(before, int(after))).sentences(language)
            return (await versions.compare_with(before, document, _format(file))).sentences(language)

    for line in run_on_database(read):
        typer.echo(line)


@cli.command()
def token(
    tenant: Annotated[str, typer.Option(help="The brand's slug.")],
    login: Annotated[str, typer.Option(help="The member's log-in.")],
) -> None:
    """Print a bearer token for scripts and front-end work. The brand's audit log keeps a line of it."""
    typer.echo(run_on_database(lambda: sessions.issue_token(tenant, login, "main.py token")).token)


@cli.command()
def worker() -> None:
    """Do the brands' jobs until stopped; what is under way then is put back for the next worker."""

    from schema.working import at_work

    async def run() -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        async with at_work(jobs=True):
            await stopped.wait()

    with suppress(KeyboardInterrupt), observed(given_settings()):
        run_on_database(run, serving=True)


@cli.command()
def recompute(
    period: Annotated[str, typer.Option(help="A settled period: its label, such as 2026-03, or a day in it.")],
    tenant: Annotated[str | None, typer.Option(help="The brand's slug; every brand by default.")] = None,
) -> None:
    """Compute settled commission and awards again from stored versions and chains; exit code 1 if anything differs."""
    found, differences = run_on_database(lambda: prove_brands(period, tenant, typer.echo))
    if not found:
        fail(f"No brand settled a period {period}: give its label, such as 2026-03, or a day in it.")
    if differences:
        raise typer.Exit(1)


@cli.command()
def reseal() -> None:
    """Encrypt what is sealed under an older key with the first of SEALING_KEYS; the server may run meanwhile."""
    run_on_database(lambda: reseal_brands(typer.echo))


@cli.command()
def check() -> None:
    """Verify every brand's books, network and hash chains, and seal what was written since where all holds.

    Exit code 1 when anything is off. The printed ends of the chains, kept elsewhere, show that none was made anew.
    """

    def tell(slug: str, violations: Sequence[Violation], chains: Sequence[Chain]) -> None:
        console.print(f"{slug}: {'[green]holds[/]' if not violations else '[red]BROKEN[/]'}")
        for line in (*violations, *chains):
            typer.echo(f"  {line}")

    if run_on_database(lambda: prove_books(tell)):
        raise typer.Exit(1)


async def _as_owner(tenant: str, login: str, what: str, work: Callable[[Actor], Awaitable[T]]) -> T:
    """Do what a member may do over the API as that member; the audit log says that it was by command."""
    who = await sessions.named_actor(tenant, login, "main.py")
    if not access_table.allowed(who, f"Mutation.{what}"):
        raise Forbidden("login", role=who.role, needed=Role.OWNER)
    with tenant_scope(who.tenant_id):
        return await work(who)


def _format(file: Path) -> Format:
    return "json" if file.suffix == ".json" else "yaml"


add_commands(cli, run_on_database, _as_owner)


def _show(bar: Progress, step: str, done: int, of: int) -> None:
    for task in bar.tasks:
        if task.description == step:
            bar.update(task.id, completed=done, total=of)
            return
    bar.add_task(step, completed=done, total=of)


if __name__ == "__main__":
    cli()
