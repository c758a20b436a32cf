"""What an order reads of a brand's tree costs what its chain is, not what the brand is: by the plan of PostgreSQL."""

import asyncpg

from bench.planting import plant, planted
from saas.base.db import open_database
from saas.base.ids import DistributorId
from saas.network.queries import chains
from tests.factories import LOTUS, as_tenant, make_tenants

MEMBERS = 101 * 200


async def test_a_chain_is_read_by_its_own_rows(postgres_url: str) -> None:
    heard: list[str] = []
    async with open_database(postgres_url) as database:
        await make_tenants()
        connection = await asyncpg.connect(postgres_url)
        try:
            await plant(connection, LOTUS, 0, MEMBERS)
            await connection.execute(
                "INSERT INTO sponsorship (tenant_id, id, distributor_id, sponsor_id, valid_from, reason) "
                "SELECT tenant_id, id, id, sponsor_id, joined_at, 'planted' FROM distributor"
            )
            await connection.execute("ANALYZE")
            database.observer = heard.append
            seller = DistributorId(planted(100))
            with as_tenant(LOTUS):
                assert (await chains([seller]))[seller].members[0].id == seller
            await connection.execute(f"SET ROLE banyan_app; SET app.tenant = '{int(LOTUS)}'")
            (statement,) = [sql for sql in heard if "sponsorship" in sql]
            await connection.execute(f"PREPARE asked AS {statement}")
            explained = await connection.fetch(f"EXPLAIN EXECUTE asked ({int(LOTUS)}, ARRAY['{seller}']::uuid[])")
            plan = "\n".join(row[0] for row in explained)
        finally:
            await connection.close()
    assert "Seq Scan" not in plan, plan
