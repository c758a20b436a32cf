"""What is done to one person or one order reads its own rows on SQLite, however many others the brand has.

SQLite keeps no figures of the tables here and takes a brand for ten rows, so that an order of rows, or an OR, can lead
it through all of them. Its plans are the same for any number of rows, so a small brand shows them.
"""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing

from saas.base import clock
from saas.base.db import open_database
from saas.base.db.sqlite import sqlite_path
from saas.base.ids import DistributorId
from saas.base.scope import tenant_scope
from saas.network.commands import enrol_many
from saas.notifications.delivering import deliver
from saas.orders.commands import cancel, place_order
from saas.payouts import commands as payouts
from saas.payouts.rules import Outcome
from saas.reconciliation.trail import _OWNERS
from tenants.accounts import create_member
from tenants.actors import Role
from tests.factories import new_brand
from tests.network.world import request, staff
from tests.orders.world import order, step
from tests.tenants.people import command
from tests.torture.test_clocks import brand
from tests.torture.test_races import APRIL, JUNE, coming_back, delivered, give_card, key, received, settled

WHOLE_BRAND = re.compile(
    r"^SEARCH (?!(?:program_version|price_case|outbox_event) |payout_batch USING COVERING INDEX \w+_2 )"
    r"\w+ USING .*\(tenant_id=\?\)$"
)
"""A step of a plan that goes through a brand, but for versions, the latest of which comes first, what waits, and the
numbers of batches, of which there are few.
"""


async def test_one_of_many_is_found_by_itself(sqlite_url: str) -> None:
    heard: list[str] = []
    async with open_database(sqlite_url) as database:
        with tenant_scope(await new_brand()):
            ids = await brand("A", "B", "C", "D")
            await create_member(command("dora", Role.DISTRIBUTOR, distributor_id=ids["D"]), staff())
            with clock.at(APRIL):
                await delivered(ids["D"], amount_minor=200_000)
                await give_card(ids["D"])
            with clock.at(JUNE):
                await settled()
                database.observer = heard.append
                await enrol_many([request("E", "D")], staff())
                await cancel(step(await place_order(order(ids["D"], paid_at=clock.now()), staff())), staff())
                await received(await coming_back(await delivered(ids["D"])))
                await paid(ids["D"])
                assert await deliver()
    assert len(set(heard)) > 50
    assert through_the_brand(sqlite_url, heard) == {}


async def paid(owner: DistributorId) -> None:
    """A payout from its request to its result, in a batch of its own."""
    asked = await payouts.request_payout(payouts.RequestPayout(distributor_id=owner, idempotency_key=key()), staff())
    batch = await payouts.create_batch(payouts.CreateBatch(idempotency_key=key()), staff())
    await payouts.approve_batch(batch.id, staff())
    await payouts.submit_batch(batch.id, staff())
    result = payouts.RecordResult(payout_id=asked.id, outcome=Outcome.PAID, idempotency_key=key())
    await payouts.record_result(result, staff())


def test_whose_money_a_thing_is_about_is_told_by_its_own_rows(sqlite_url: str) -> None:
    assert through_the_brand(sqlite_url, _OWNERS.values()) == {}


def through_the_brand(url: str, statements: Iterable[str]) -> dict[str, list[str]]:
    """The statements that go through a whole brand, each with the steps that do."""
    found = {}
    with closing(sqlite3.connect(sqlite_path(url))) as connection:
        for sql in set(statements):
            if sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                given = dict.fromkeys(re.findall(r"\$(\d+)", sql))
                plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", given)]
                if steps := [line for line in plan if WHOLE_BRAND.match(line)]:
                    found[" ".join(sql.split())] = steps
    return found
