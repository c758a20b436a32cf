"""Commands about the API: they are wired into the command line by ``main``, and load the schema only when called."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from tenants.actors import Actor

ROOT = Path(__file__).parent.parent
Run = Callable[[Callable[[], Awaitable[Sequence[str]]]], Sequence[str]]
"""Runs a command on the open database, and tells refusals."""
AsOwner = Callable[[str, str, str, Callable[[Actor], Awaitable[Sequence[str]]]], Awaitable[Sequence[str]]]
"""Does what a member of a brand may do over the API as that member: brand, log-in, mutation, work."""


def add_commands(cli: typer.Typer, run: Run, as_owner: AsOwner) -> None:
    """Add them to the command line."""

    @cli.command("trust")
    def trust(
        file: Annotated[Path, typer.Argument(help="GraphQL, JSON or a manifest.", exists=True, dir_okay=False)],
        tenant: Annotated[str, typer.Option(help="The brand's slug.")],
        login: Annotated[str, typer.Option(help="The log-in of an owner, who is written down as the one who did it.")],
        app: Annotated[str, typer.Option(help="The app that sends them.")],
    ) -> None:
        """Register an app's operations, so that it can send their hashes. Run again, it changes nothing."""
        from schema.trusting import register_file

        async def work(who: Actor) -> Sequence[str]:
            return [f"{one.hash} {one.name}" for one in await register_file(file, app, who)]

        for line in run(lambda: as_owner(tenant, login, "registerDocuments", work)):
            typer.echo(line)

    @cli.command("sandbox")
    def sandbox() -> None:
        """Make the sandbox brand, or make it anew with the data of its first day; prints its log-ins."""
        from saas.demo.sandbox import reset

        async def work() -> Sequence[str]:
            return [f"{one.login} ({one.role}), password {one.password}" for one in await reset()]

        for line in run(work):
            typer.echo(line)

    @cli.command("export-schema")
    def export_schema(
        path: Annotated[Path, typer.Option(help="Where to write the SDL.")] = ROOT / "schema" / "schema.graphql",
        release: Annotated[
            bool, typer.Option("--release", help="It is released: what follows is compared to it.")
        ] = False,
    ) -> None:
        """Write the SDL, and the pages made from the code: docs/errors.md and docs/schema-changes.md."""
        from schema import changes
        from schema.catalogue import catalogue
        from schema.schema import sdl

        text = sdl()
        path.write_text(text, encoding="utf-8")
        if release:
            changes.release(text)
        changes.write_page(text, ROOT / "docs" / "schema-changes.md")
        (ROOT / "docs" / "errors.md").write_text(catalogue(), encoding="utf-8")
