"""The row of payouts: everybody asked for, gathered, approved and written into the file for the bank.

The ceiling is the bare SQL of it: the same payouts and movements by a handful of statements, without a file, and with
nobody's standing, destination or balance looked at.
"""

from time import perf_counter

import orjson

from bench.bare_closing import run_by_hand
from bench.databases import Databases
from bench.figures import Figure, Size
from bench.history import FROM, make_brand, plant_tree
from saas.base import clock
from saas.base.db import open_database, transaction
from saas.base.ids import DistributorId, TenantId, new_id
from saas.base.scope import tenant_scope
from saas.base.vault import seal
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting
from saas.payouts.commands import CreateBatch, SweepPayouts, approve_batch, create_batch, submit_batch, sweep_payouts
from tenants.actors import Actor, Role

_SUFFIX = {"postgresql": "", "sqlite": "_sqlite"}
_SETTLED_MINOR = 12_345


async def pay_batch(databases: Databases, kind: str, size: Size) -> Figure:
    """A batch from the sweep to its file, beside the bare SQL. Raises ``RuntimeError`` where somebody is left out."""
    url = await databases.fresh(kind)
    tenant_id = await _make_people(url, size.payouts)
    bare = await databases.copy(url)
    await databases.settle(url)
    maker, checker = (
        Actor(tenant_id=tenant_id, role=role, id=new_id(), label="bench") for role in (Role.FINANCE, Role.OWNER)
    )
    async with open_database(url):
        with tenant_scope(tenant_id):
            began = perf_counter()
            swept = await sweep_payouts(SweepPayouts(idempotency_key="bench"), maker)
            batch = await create_batch(CreateBatch(idempotency_key="bench"), maker)
            await approve_batch(batch.id, checker)
            sent = await submit_batch(batch.id, maker)
            seconds = perf_counter() - began
    if swept.payouts != size.payouts or sent is None or sent.content.count("\n") <= size.payouts:
        raise RuntimeError(f"{swept.payouts} of {size.payouts} were paid")
    await databases.settle(bare)
    by_hand = await run_by_hand(bare, tenant_id, {"pay": _statements(int(tenant_id), kind)})
    return Figure(
        name=f"pay_{size.payouts}{_SUFFIX[kind]}", ours=seconds, ceiling=by_hand["pay"], unit="s", less_is_better=True
    )


async def _make_people(url: str, people: int) -> TenantId:
    """A brand in which everybody has settled money and a verified bank card."""
    async with open_database(url):
        tenant_id = await make_brand("paying")
        with tenant_scope(tenant_id), clock.at(FROM):
            sellers = (await plant_tree(people, 1))[:people]
            now, giver, checker = clock.now(), new_id(), new_id()
            rows = [(new_id(), owner) for owner in sellers]
            card = orjson.dumps({"kind": "bank_card", "holder": "Ann", "bank": "ICBC", "account": "6222021234567890"})
            async with transaction() as tx:
                await tx.insert_many(
                    "payout_destination",
                    (
                        "id", "distributor_id", "kind", "sealed", "masked", "has_invoice", "status", "created_by",
                        "created_at", "verified_at", "verified_by",
                    ),
                    [
                        (id_, owner, "bank_card", seal(card.decode(), id_), "ICBC ****7890", True, "verified", giver,
                         now, now, checker)
                        for id_, owner in rows
                    ],
                )  # fmt: skip
            await post([_given(sellers)])
    return tenant_id


def _given(owners: list[DistributorId]) -> Posting:
    entries = [Entry(Account.SETTLED, owner, _SETTLED_MINOR, "CNY") for owner in owners]
    key = new_id()
    return Posting(
        kind=Kind.SETTLEMENT,
        reference_kind="settlement",
        reference_id=key,
        idempotency_key=str(key),
        effective_at=clock.now(),
        entries=(*entries, Entry(Account.COMMISSION_EXPENSE, None, -_SETTLED_MINOR * len(owners), "CNY")),
    )


def _statements(tenant: int, kind: str) -> list[str]:
    mine, at = f"tenant_id = {tenant}", "2026-02-02 00:00:00+00:00"
    uuid = "new_id()" if kind == "sqlite" else "gen_random_uuid()"
    batch, person, other = (f"00000000-0000-7000-8000-00000000000{n}" for n in range(1, 4))
    return [
        f"INSERT INTO payout (tenant_id, id, distributor_id, destination_id, currency, requested_minor, fee_minor, "
        f"withheld_minor, net_minor, status, requested_at) SELECT {tenant}, {uuid}, b.owner_id, d.id, 'CNY', "
        f"b.amount_minor, 0, 0, b.amount_minor, 'requested', '{at}' FROM balance b JOIN payout_destination d "
        f"ON d.tenant_id = {tenant} AND d.distributor_id = b.owner_id WHERE b.{mine} AND b.account = 'settled'",
        f"INSERT INTO ledger_transaction SELECT {tenant}, id, 'payout_request', 'payout', id, 'payout_request:' || id, "
        f"'bench', requested_at, requested_at FROM payout WHERE {mine}",
        *(
            f"INSERT INTO ledger_entry SELECT {tenant}, id, {no}, '{account}', distributor_id, currency, "
            f"{sign}requested_minor, requested_at FROM payout WHERE {mine}"
            for no, account, sign in ((1, "settled", "-"), (2, "payout", ""))
        ),
        f"INSERT INTO balance SELECT {tenant}, distributor_id, 'payout', currency, requested_minor FROM payout "
        f"WHERE {mine}",
        f"UPDATE balance SET amount_minor = 0 WHERE {mine} AND account = 'settled'",
        f"INSERT INTO payout_batch (tenant_id, id, number, provider, currency, status, created_by, created_at, "
        f"approved_by, approved_at) VALUES ({tenant}, '{batch}', 'P1', 'manual', 'CNY', 'approved', '{person}', "
        f"'{at}', '{other}', '{at}')",
        f"UPDATE payout SET status = 'batched', batch_id = '{batch}' WHERE {mine}",
        f"UPDATE payout SET status = 'sent' WHERE {mine}",
    ]
