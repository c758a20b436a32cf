"""Commands of those who run an installation: copies of the database, and the audit log for auditors."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from saas.base.db import transaction
from saas.base.db.backup import back_up
from saas.base.scope import tenant_scope
from saas.running import console, given_settings, run_on_database, told
from tenants import audit, registry
from tenants.actors import system
from tenants.audit import Sought
from tenants.audit_export import AuditForm, parts

Moment = typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"])
auditing = typer.Typer(no_args_is_help=True, help="The audit log of a brand.")


def backup(to: Annotated[Path, typer.Argument(help="The file to make.", dir_okay=False)]) -> None:
    """Copy a SQLite database while it is in use, and check the copy."""
    with told():
        size = asyncio.run(back_up(given_settings().database_url, to))
        console.print(f"{to}: {size} bytes")


@auditing.command("export")
def export_audit(
    tenant: Annotated[str, typer.Option(help="The brand's slug, or platform.")],
    form: Annotated[AuditForm, typer.Option(help="How it is written.")] = AuditForm.JSON_LINES,
    action: Annotated[str | None, typer.Option(help="Only this action, or all of order. with the dot.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only by this log-in or name.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only what was done to this.")] = None,
    since: Annotated[datetime | None, Moment] = None,
    until: Annotated[datetime | None, Moment] = None,
) -> None:
    """Print the lines, the oldest first, each with its link of the hash chain; the log keeps a line of that."""
    sought = Sought(action=action, actor=actor, subject=subject, since=since, until=until)

    async def export() -> None:
        brand = await registry.by_slug(tenant)
        with tenant_scope(brand.id):
            async with transaction():
                await audit.record(system(brand.id, "main.py audit export"), "audit.export")
            async for part in parts(form, sought):
                typer.echo(part, nl=False)

    run_on_database(export)
