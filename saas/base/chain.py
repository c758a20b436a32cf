"""Hash chains over rows that are written once: one changed or removed after it was sealed is found (docs/rules.md §5).

Each sealed row has a link, numbered without gaps in the order of sealing: ``hash = SHA-256(hash before, content)``.
Rows are sealed soon after they are committed, not by those who write them: a link made in the business transaction
would have all orders of a brand wait for one another (docs/adr/0016-hash-chains.md).
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.checks import SHOWN_MOST, Violation
from saas.base.db import Row, Tx, reading, transaction

BATCH = 1_000
"""Rows sealed in one transaction: on SQLite, writers wait for it."""

STRAGGLERS = timedelta(hours=1)
"""How much older than the last sealed row one may be that is committed later, to be found without looking at all."""

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Log:
    """What is chained: the table of the rows ``r``, what is joined to each, and the columns that make its content."""

    name: str
    table: str
    columns: str
    joined: str = ""
    order: str = "r.id"


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain as it was verified. ``head`` is the last hash; who keeps it elsewhere can tell if all was made anew."""

    log: str
    sealed: int
    head: str
    unsealed: int
    violations: Sequence[Violation]

    def __str__(self) -> str:
        return f"{self.log}: {self.sealed} sealed, {self.unsealed} not yet, end {self.head}"


async def seal(log: Log, *, everything: bool = False) -> int:
    """Seal what was committed since, oldest first, and answer how many rows.

    Looks at rows up to ``STRAGGLERS`` older than the last one sealed, or with ``everything`` at all of them.
    """
    sealed = 0
    while True:
        async with transaction() as tx:
            found = await _seal_some(tx, log, everything=everything)
        sealed += found
        if found < BATCH:
            return sealed


async def _seal_some(tx: Tx, log: Log, *, everything: bool) -> int:
    """Under the lock of the chain's end: find what has no link, and link it."""
    await tx.insert_many(
        "chain_head",
        ("log", "seq", "hash", "through", "sealed_at"),
        [(log.name, 0, _start(tx, log), _NOBODY, clock.now())],
        or_ignore=True,
    )
    head = await _head(tx, log, tx.for_update)
    if head is None:
        raise RuntimeError("the end of a chain that was written just now is not there")
    pending = await tx.rows(
        f"SELECT r.id FROM {log.table} r WHERE r.tenant_id = $1 AND r.id > $2 AND {_UNSEALED} "
        f"ORDER BY r.id LIMIT {BATCH}",
        tx.tenant_id,
        _NOBODY if everything else _earlier(head["through"]),
        log.name,
    )
    if not pending:
        return 0
    rows = await tx.rows(
        f"SELECT r.id AS row_id, {log.columns} FROM {log.table} r {log.joined} "
        f"WHERE r.tenant_id = $1 AND r.id {tx.within(2, 'uuid')} ORDER BY r.id, {log.order}",
        tx.tenant_id,
        [row["id"] for row in pending],
    )
    seq, last, links = head["seq"], head["hash"], []
    for row_id, parts in groupby((list(row.values()) for row in rows), key=itemgetter(0)):
        seq, last = seq + 1, _hash(last, parts)
        links.append((log.name, seq, row_id, last))
    await tx.insert_many("chain_link", ("log", "seq", "row_id", "hash"), links)
    await tx.execute(
        "UPDATE chain_head SET seq = $3, hash = $4, through = $5, sealed_at = $6 WHERE tenant_id = $1 AND log = $2",
        tx.tenant_id,
        log.name,
        seq,
        last,
        max(head["through"], pending[-1]["id"]),
        clock.now(),
    )
    return len(links)


_UNSEALED = "NOT EXISTS (SELECT 1 FROM chain_link k WHERE k.tenant_id = r.tenant_id AND k.log = $3 AND k.row_id = r.id)"


async def verify(log: Log) -> Chain:
    """Go through all links, and find every row that is not what was sealed; holds one batch in memory at a time."""
    async with reading() as tx:
        found: list[Violation] = []
        head = await _head(tx, log)
        seq, last = 0, _start(tx, log)
        try:
            async with aclosing(_links(tx, log)) as links:
                async for number, row_id, kept, parts in links:
                    whole = number == seq + 1 and parts[0][0] is not None and _hash(last, parts) == kept
                    if not whole and len(found) < SHOWN_MOST:
                        found.append(Violation(f"chain_{log.name}", f"{number} {row_id}", 1, 0))
                    seq, last = number, kept
        except ValueError as unreadable:  # SQLite keeps any text, also what is no moment and no identifier
            found.append(Violation(f"chain_{log.name}", f"{seq + 1} {unreadable}", 1, 0))
        else:
            if head is not None and (head["seq"], head["hash"]) != (seq, last):
                found.append(Violation(f"chain_{log.name}", "end", head["seq"], seq))
            elif head is None and seq:
                found.append(Violation(f"chain_{log.name}", "end", 0, seq))
        unsealed = await tx.value(
            f"SELECT count(*) FROM {log.table} r WHERE r.tenant_id = $1 AND r.id <> $2 AND {_UNSEALED}",
            tx.tenant_id,
            _NOBODY,
            log.name,
        )
    return Chain(log.name, seq, last, unsealed, found)


async def _links(tx: Tx, log: Log) -> AsyncGenerator[tuple[int, UUID, str, list[Sequence[Any]]], None]:
    """Each link, with what stands now in the rows it seals."""
    sql = (
        f"SELECT k.seq, k.row_id, k.hash, r.id, {log.columns} FROM chain_link k "
        f"LEFT JOIN {log.table} r ON r.tenant_id = k.tenant_id AND r.id = k.row_id {log.joined} "
        f"WHERE k.tenant_id = $1 AND k.log = $2 ORDER BY k.seq, {log.order}"
    )
    open_link: tuple[int, UUID, str] | None = None
    parts: list[Sequence[Any]] = []
    async with aclosing(tx.batches(sql, tx.tenant_id, log.name)) as batches:
        async for batch in batches:
            for seq, row_id, kept, *part in batch:
                if open_link is not None and open_link[0] != seq:
                    yield (*open_link, parts)
                    parts = []
                open_link = (seq, row_id, kept)
                parts.append(part)
    if open_link is not None:
        yield (*open_link, parts)


async def _head(tx: Tx, log: Log, locked: str = "") -> Row | None:
    return await tx.row(
        f"SELECT seq, hash, through FROM chain_head WHERE tenant_id = $1 AND log = $2{locked}", tx.tenant_id, log.name
    )


def _start(tx: Tx, log: Log) -> str:
    """What stands before the first link: no chain can be passed off as another's."""
    return sha256(f"{log.name} of tenant {tx.tenant_id}".encode()).hexdigest()


def _hash(before: str, parts: Iterable[Sequence[Any]]) -> str:
    return sha256(before.encode() + orjson.dumps([list(part) for part in parts], default=str)).hexdigest()


def _earlier(through: UUID) -> UUID:
    """The first identifier of a moment before: the first 48 bits of one are the milliseconds of its making."""
    made = through.int >> 80
    return UUID(int=max(made - int(STRAGGLERS.total_seconds() * 1000), 0) << 80)
