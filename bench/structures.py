"""``python -m bench.structures [--members N]``: three ways to keep a tree, on both databases, wide and deep (ADR 0026).

A materialised path, a closure table and a bare sponsor, each with the indexes it needs, the tenant in front of all.
Times are the median of several runs in milliseconds, on a connection of its own; the statements are what a product
would send.
"""

import asyncio
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
import typer

from bench import databases

SHAPES = {"wide": 100, "deep": 4}
"""How many stand directly under each: a million are three or ten generations."""
RUNS = 7
BOUND = "path || '~'"
DOWN = (
    "WITH RECURSIVE down(id) AS (SELECT id FROM node WHERE tenant_id = 1 AND id = $1 UNION ALL "
    "SELECT n.id FROM down JOIN node n ON n.tenant_id = 1 AND n.sponsor = down.id) "
)
UP = (
    "WITH RECURSIVE up(id, sponsor) AS (SELECT id, sponsor FROM node WHERE tenant_id = 1 AND id = $1 UNION ALL "
    "SELECT n.id, n.sponsor FROM up JOIN node n ON n.tenant_id = 1 AND n.id = up.sponsor) SELECT id FROM up"
)
UNDER = "FROM node t JOIN node n ON n.tenant_id = 1 AND n.path >= t.path AND n.path < t.path || '~' "
ABOVE = "FROM closure c JOIN node n ON n.tenant_id = 1 AND n.id = c.below WHERE c.tenant_id = 1 AND c.above = $1"
READS: Mapping[str, Mapping[str, str]] = {
    "path": {
        "page": f"SELECT n.id, n.path {UNDER} WHERE t.tenant_id = 1 AND t.id = $1 ORDER BY n.path LIMIT 100",
        "count": f"SELECT count(*) {UNDER} WHERE t.tenant_id = 1 AND t.id = $1",
        "chain": "SELECT path FROM node WHERE tenant_id = 1 AND id = $1",
    },
    "closure": {
        "page": f"SELECT n.id, c.distance {ABOVE} ORDER BY n.id LIMIT 100",
        "count": "SELECT count(*) FROM closure WHERE tenant_id = 1 AND above = $1",
        "chain": "SELECT above FROM closure WHERE tenant_id = 1 AND below = $1 ORDER BY distance",
    },
    "sponsor": {
        "page": f"{DOWN} SELECT id FROM down ORDER BY id LIMIT 100",
        "count": f"{DOWN} SELECT count(*) FROM down",
        "chain": UP,
    },
}
MOVES: Mapping[str, Sequence[str]] = {
    "path": [
        "UPDATE node SET path = (SELECT path FROM node WHERE tenant_id = 1 AND id = $2) || substr(path, "
        "(SELECT length(path) - 5 FROM node WHERE tenant_id = 1 AND id = $1)) WHERE tenant_id = 1 AND path >= "
        "(SELECT path FROM node WHERE tenant_id = 1 AND id = $1) AND path < "
        f"(SELECT {BOUND} FROM node WHERE tenant_id = 1 AND id = $1)"
    ],
    "closure": [
        "DELETE FROM closure WHERE tenant_id = 1 AND below IN (SELECT below FROM closure WHERE tenant_id = 1 AND "
        "above = $1) AND above IN (SELECT above FROM closure WHERE tenant_id = 1 AND below = $1 AND above <> $1)",
        "INSERT INTO closure SELECT 1, a.above, b.below, a.distance + b.distance + 1 FROM closure a JOIN closure b "
        "ON b.tenant_id = 1 AND b.above = $1 WHERE a.tenant_id = 1 AND a.below = $2",
    ],
    "sponsor": ["UPDATE node SET sponsor = $2 WHERE tenant_id = 1 AND id = $1"],
}


class Base(ABC):
    """A database with one connection."""

    series: str
    text = "text"
    """The type of paths, compared byte by byte."""

    def asked(self, sql: str) -> str:
        """A statement as this database likes it best."""
        return sql

    @abstractmethod
    async def run(self, sql: str, *args: object) -> Sequence[Any]:
        """Run a statement to its end."""

    async def timed(self, sql: str, *args: object) -> float:
        """Milliseconds of a statement, the median of several."""
        times = []
        for _ in range(RUNS):
            began = perf_counter()
            await self.run(sql, *args)
            times.append((perf_counter() - began) * 1000)
        return median(times)

    async def moved(self, structure: str, who: int, *places: int) -> float:
        """Milliseconds to put somebody with its team under others in turn."""
        times = []
        for place in places:
            began = perf_counter()
            await self.run("BEGIN")
            for sql in MOVES[structure]:
                await self.run(sql, *((who, place) if "$2" in sql else (who,)))
            await self.run("COMMIT")
            times.append((perf_counter() - began) * 1000)
        return median(times)


class Postgres(Base):
    """asyncpg as it is."""

    series = "generate_series(1, $1::bigint) AS s(n)"
    text = 'text COLLATE "C"'

    def asked(self, sql: str) -> str:
        """A range between two columns goes down the index only behind OFFSET 0 (saas.network.selection)."""
        if UNDER not in sql:
            return sql
        inner = "SELECT * FROM node n WHERE n.tenant_id = 1 AND n.path >= t.path AND n.path < t.path || '~'"
        last = " ORDER BY n.path LIMIT 100" if "LIMIT" in sql else " OFFSET 0"
        return sql.replace(UNDER, f"FROM node t CROSS JOIN LATERAL ({inner}{last}) n ")

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection

    async def run(self, sql: str, *args: object) -> Sequence[Any]:
        return await self._connection.fetch(sql, *args)


class Sqlite(Base):
    """sqlite3 as it is."""

    series = "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ?1) SELECT n FROM s) AS s"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def run(self, sql: str, *args: object) -> Sequence[Any]:
        return self._connection.execute(sql.replace("$", "?"), args).fetchall()


async def plant(base: Base, width: int, members: int) -> None:
    """A tree in which number n stands under (n + width - 2) / width: rows, paths, pairs, indexes."""
    await base.run(
        f"CREATE TABLE node (tenant_id int, id bigint, sponsor bigint, path {base.text}, PRIMARY KEY (tenant_id, id))"
    )
    await base.run(
        f"INSERT INTO node SELECT 1, n, CASE WHEN n > 1 THEN (n + {width} - 2) / {width} END, "
        f"CASE WHEN n = 1 THEN '000001' END FROM {base.series}",
        members,
    )
    await base.run("CREATE INDEX node_sponsor ON node (tenant_id, sponsor)")
    digits = "substr('00000' || n.id, length('00000' || n.id) - 5)"
    low, high = 2, 1 + width
    while low <= members:
        await base.run(
            f"UPDATE node AS n SET path = p.path || {digits} FROM node p WHERE p.tenant_id = 1 AND p.id = n.sponsor "
            f"AND n.tenant_id = 1 AND n.id BETWEEN {low} AND {high}"
        )
        low, high = high + 1, high + (high - low + 1) * width
    await base.run("CREATE INDEX node_path ON node (tenant_id, path)")
    await base.run("CREATE TABLE closure (tenant_id int, above bigint, below bigint, distance int)")
    await base.run(
        "WITH RECURSIVE pairs(above, below, distance) AS (SELECT id, id, 0 FROM node UNION ALL SELECT n.sponsor, "
        "p.below, p.distance + 1 FROM pairs p JOIN node n ON n.tenant_id = 1 AND n.id = p.above "
        "WHERE n.sponsor IS NOT NULL) INSERT INTO closure SELECT 1, above, below, distance FROM pairs"
    )
    await base.run("CREATE UNIQUE INDEX closure_above ON closure (tenant_id, above, below)")
    await base.run("CREATE INDEX closure_below ON closure (tenant_id, below, distance)")
    await base.run("ANALYZE")


async def measure(base: Base, kind: str, shape: str, members: int, tell: Callable[[str], None]) -> None:
    """All figures of one shape on one database."""
    width = SHAPES[shape]
    await plant(base, width, members)
    pairs = (await base.run("SELECT count(*) FROM closure"))[0][0]
    tell(f"{kind} {shape}: {members} members, {pairs} pairs")
    for structure, statements in READS.items():
        figures = {f"{name} of the second": await base.timed(base.asked(sql), 2) for name, sql in statements.items()}
        figures["chain of the last"] = await base.timed(statements["chain"], members)
        figures["move of a team"] = await base.moved(structure, 2 + 2 * width, 3, 4, 3)
        tell(f"  {structure:8} {', '.join(f'{name} {ms:.2f}' for name, ms in figures.items())} ms")


async def everything(members: int, tell: Callable[[str], None]) -> None:
    """Both databases, both shapes."""
    async with databases.opened() as opened:
        for shape in SHAPES:
            url = await opened.fresh("postgresql")
            connection = await asyncpg.connect(url)
            await measure(Postgres(connection), "postgresql", shape, members, tell)
            await connection.close()
            with tempfile.TemporaryDirectory() as folder:
                file = sqlite3.connect(Path(folder) / "tree.db", isolation_level=None)
                await measure(Sqlite(file), "sqlite", shape, members, tell)
                file.close()


def main(members: int = 1_000_000) -> None:
    """Print the figures as they come."""
    asyncio.run(everything(members, typer.echo))


if __name__ == "__main__":
    typer.run(main)
