"""Commands of those who run an installation: its first people, copies of the database, the audit log for auditors."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from saas.base import clock
from saas.base.db import transaction
from saas.base.db.backup import back_up
from saas.base.ids import PLATFORM, MemberId
from saas.base.scope import tenant_scope
from saas.running import console, given_settings, run_on_database, told
from tenants import audit, links, registry, second_factor, sessions
from tenants.accounts import CreateMember
from tenants.actors import Role, system
from tenants.audit import Sought
from tenants.audit_export import AuditForm, parts

Moment = typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"])
auditing = typer.Typer(no_args_is_help=True, help="The audit log of a brand.")
Language = typer.Option(help="en or zh-CN.")


def operator(
    login: Annotated[str, typer.Argument(help="What the operator logs in with.")],
    name: Annotated[str, typer.Option(help="What people call the operator.")],
    language: Annotated[str, Language] = "en",
) -> None:
    """Make an operator of the platform, who makes brands, and print a token with which `followLink` sets a password.

    The first one comes into being here; each can invite others.
    """

    async def invite() -> links.Link:
        with tenant_scope(PLATFORM):
            # What stands for the password is not used: nobody knows the one an invitation begins with.
            command = CreateMember(login=login, password="", name=name, role=Role.OPERATOR, locale=language)
            return await links.invite(command, system(PLATFORM, "main.py operator"))

    _tell(run_on_database(invite))


def link(
    tenant: Annotated[str, typer.Option(help="The brand's slug, or platform.")],
    login: Annotated[str, typer.Option(help="The member's log-in.")],
    without_second_factor: Annotated[
        bool, typer.Option("--without-second-factor", help="Take the second factor away, too.")
    ] = False,
) -> None:
    """Print a token with which `followLink` sets a password, for a member whom nobody else can help.

    The present password holds until then. The brand's audit log keeps a line of it.
    """

    async def make() -> links.Link:
        found = await sessions.named_actor(tenant, login, "main.py link")
        # Whoever is at the machine is there now, which is what a log-in of the last minutes is to show.
        by = replace(system(found.tenant_id, "main.py link"), signed_in_at=clock.now())
        member_id = cast(MemberId, found.id)
        with tenant_scope(found.tenant_id):
            async with transaction():
                if without_second_factor:
                    await second_factor.remove(member_id, by)
                return await links.link_again(member_id, by)

    _tell(run_on_database(make))


def _tell(made: links.Link) -> None:
    """The token alone on standard output, for scripts; what it is for beside it."""
    typer.echo(f"For {made.member.login}, once, until {made.expires_at.isoformat(timespec='minutes')}:", err=True)
    typer.echo(made.token)


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
