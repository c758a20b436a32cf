"""Distributors by SQL, on PostgreSQL: trees of a hundred and one, as many as are wanted, in seconds a million."""

from typing import Any
from uuid import UUID

import asyncpg

TREE = 101
"""One on top, ten below, nine below each."""
_PART = TREE * 500
_SEGMENT = """
CREATE OR REPLACE FUNCTION pg_temp.seg(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT string_agg(substr('0123456789abcdefghijklmnopqrstuv', ((n >> shift) & 31)::int + 1, 1), '' ORDER BY shift DESC)
FROM unnest(ARRAY[25, 20, 15, 10, 5, 0]) AS shift $$
"""
_PLANT = """
INSERT INTO distributor (tenant_id, id, no, code, name, kind, status, tier, sponsor_id, path, depth,
applied_at, joined_at, changed_at)
SELECT $1, (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n + 1, 'S' || n,
'Name of ' || n, 'person', 'active', '', CASE WHEN at = 0 THEN NULL
ELSE (lpad(to_hex(above), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(above), 12, '0'))::uuid END,
CASE WHEN at > 0 THEN pg_temp.seg(n - at + 1) ELSE '' END || CASE WHEN at > 10 THEN pg_temp.seg(above + 1) ELSE '' END
|| pg_temp.seg(n + 1), CASE WHEN at = 0 THEN 0 WHEN at <= 10 THEN 1 ELSE 2 END, now(), now(), now()
FROM (SELECT n, n % 101 AS at, CASE WHEN n % 101 > 10 THEN n - n % 101 + 1 + (n % 101 - 11) / 9 ELSE n - n % 101 END
AS above FROM generate_series($2::bigint, $3::bigint) AS n) AS numbered
"""


async def plant(connection: "asyncpg.Connection[Any]", tenant_id: int, first: int, until: int) -> None:
    """The distributors numbered ``[first, until)`` of a brand that has none of them; ``first`` is on top of a tree."""
    await connection.execute(_SEGMENT)
    for start in range(first, until, _PART):
        await connection.execute(_PLANT, tenant_id, start, min(start + _PART, until) - 1)


def planted(n: int) -> UUID:
    """The id of the distributor with that number."""
    return UUID(f"{n:08x}-0000-7000-8000-{n:012x}")
