"""``python -m bench [NAME …] [--json PATH]``: measure, print the table, and perhaps write it for a machine."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench import databases, rows
from bench.closing import close_month
from bench.engine import engine
from bench.figures import FULL, TINY, Figure, Size
from bench.guards import guarded
from bench.leaving import leave_team
from bench.paying import pay_batch
from bench.scale import scale
from bench.simulation import simulate_history
from bench.subscriptions import subscriptions
from bench.tree import order_cost

KINDS = ("postgresql", "sqlite")
GROUPS = [
    *("engine", "import", "api", "guards", "tree", "scale", "simulation", "exits", "closing", "payouts"),
    "subscriptions",
]
console = Console(width=None if sys.stdout.isatty() else 110)


def main(
    only: Annotated[
        list[str] | None,
        typer.Argument(help=f"{', '.join(GROUPS)}; all by default."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the rows to this file.")] = None,
    tiny: Annotated[bool, typer.Option("--tiny", help="Only see that every row runs.")] = False,
) -> None:
    """Measure the product beside its ceilings. A quiet machine gives the truest figures."""
    figures = asyncio.run(measure(only or GROUPS, TINY if tiny else FULL))
    console.print(_table(figures))
    if json is not None:
        json.write_bytes(orjson.dumps([figure.as_data() for figure in figures], option=orjson.OPT_INDENT_2))


async def measure(groups: list[str], size: Size) -> list[Figure]:
    """All rows of the groups, on both databases."""
    figures: list[Figure] = []
    if "engine" in groups:
        console.print("engine …", style="dim")
        figures += engine(size)
    async with databases.opened() as opened:
        for kind in KINDS:
            if "import" in groups:
                console.print(f"import on {kind} …", style="dim")
                figures += await rows.import_orders(opened, kind, size)
            if "api" in groups:
                console.print(f"API on {kind} …", style="dim")
                figures += await rows.api(opened, kind, size, partial(console.print, style="dim"))
            if "guards" in groups:
                console.print(f"guards on {kind} …", style="dim")
                figures.append(await guarded(opened, kind, size))
            if "scale" in groups and kind == "postgresql":
                console.print("scale …", style="dim")
                figures += await scale(opened, size)
            if "tree" in groups:
                console.print(f"tree on {kind} …", style="dim")
                figures.append(await order_cost(opened, kind, size))
            if "simulation" in groups:
                console.print(f"simulation on {kind} …", style="dim")
                figures.append(await simulate_history(opened, kind, size))
            if "exits" in groups:
                console.print(f"exits on {kind} …", style="dim")
                figures.append(await leave_team(opened, kind, size))
            if "closing" in groups:
                console.print(f"closing on {kind} …", style="dim")
                figures += await close_month(opened, kind, size)
            if "payouts" in groups:
                console.print(f"payouts on {kind} …", style="dim")
                figures.append(await pay_batch(opened, kind, size))
            if "subscriptions" in groups:
                console.print(f"subscriptions on {kind} …", style="dim")
                figures.append(await subscriptions(opened, kind, size))
    return figures


def _table(figures: list[Figure]) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    for name in ("row", "ours", "ceiling", "ratio", "unit", "p50 ms", "p95 ms", "MB"):
        table.add_column(name, justify="left" if name in {"row", "unit"} else "right", no_wrap=True)
    for figure in figures:
        optional = (figure.p50_ms, figure.p95_ms, figure.memory_mb)
        table.add_row(
            figure.name,
            f"{figure.ours:,.2f}",
            f"{figure.ceiling:,.2f}",
            f"{figure.ratio:.2f}",
            figure.unit,
            *("" if value is None else f"{value:,.1f}" for value in optional),
        )
    return table


if __name__ == "__main__":
    typer.run(main)
