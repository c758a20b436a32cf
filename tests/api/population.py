"""A brand with something of every kind in it, made through the API, and everybody who may ask for it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from orjson import dumps

from saas.base import clock
from saas.base.db import transaction
from saas.base.ids import DistributorId, TenantId, new_id
from saas.base.scope import tenant_scope
from saas.duties import FOLLOWERS
from saas.events.publishing import publish
from saas.imports.files import HANDLERS as IMPORTS
from saas.jobs.worker import run_due
from saas.notifications.delivering import deliver
from saas.simulation.commands import KIND, run_simulation
from schema.ids import PREFIXES, to_global
from tenants import registry
from tenants.access import Scope
from tenants.program import as_data
from tenants.program.presets import preset
from tests.api.client import PASSWORD, Api
from tests.api.conftest import LONG_AGO as BEGAN
from tests.api.conftest import Brand
from tests.api.values import Names, registered

NUMBERS = {"lotus": 500, "cedar": 918_273}
"""The number of a draft that no other brand has."""


def long_ago() -> datetime:
    """When the first orders were: so long ago that every hold and every period since then is over.

    Near the end of a month, whatever the day is today: so the hold ends in the same month in which the rebate comes.
    """
    now = datetime.now(UTC)
    months = now.year * 12 + now.month - 1 - 4
    return datetime(months // 12, months % 12 + 1, 28, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Populated:
    """A brand, its things by name, its tree by code, and its people by role."""

    brand: Brand
    tenant_id: TenantId
    names: Names
    tree: Mapping[str, str]
    orders: Mapping[str, str]
    callers: Mapping[str, Api]


def nothing() -> Names:
    """Names of the same kinds that nothing has."""
    return Names(
        ids={kind: f"{PREFIXES[kind]}_{uuid4().hex}" for kind in PREFIXES},
        slug="nowhere",
        login="nobody-at-all",
        code="NOWHERE-DEALER-B",
        sku="nowhere-sku",
        number=918_274,
        key="nowhere-key",
    )


async def populate(brand: Brand, slug: str) -> Populated:
    """Distributors, products, orders, price cases, members, keys, settlement and payouts."""
    key, code = f"{slug}-key", f"{slug.upper()}-DEALER"
    await _program(brand, slug)
    tree: dict[str, str] = {}
    above = None
    for mark in "ABC":
        first = {"idempotencyKey": key} if mark == "A" else {}
        tree[mark] = await brand.enrol(f"{code}-{mark}", above, phone=f"1381234{ord(mark):04}", **first)
        above = f"{code}-{mark}"
    tree["X"] = await brand.enrol(f"{code}-X", f"{code}-A")
    tree["Z"] = await brand.enrol(f"{code}-Z")
    await brand.put_products(f"{slug}-sku", "CEDAR-GREEN")
    orders = await _orders(brand, tree, f"{slug}-sku", key)
    people = await _people(brand, tree, slug)
    ids = {
        "Distributor": tree["B"],
        "Order": orders["delivered"],
        **people,
        "Listing": await _listing(brand, tree["B"], f"{slug}-sku"),
        **await _others(brand),
        **await _money(brand, tree, key),
        **await _period(brand, key),
        "ExitCase": await _exit(brand, tree["Z"], key),
    }
    tenant_id = (await registry.by_slug(slug)).id
    ids["Adjustment"] = await _adjustment(brand, tree["B"], key)
    ids |= await _return(brand, tenant_id, tree, f"{slug}-sku", key)
    await _draft(brand, tenant_id, slug)
    ids |= await _simulation(brand, NUMBERS[slug])
    ids |= await _import(brand, tenant_id, slug, key)
    app = [{"name": f"Me of {slug}", "text": registered(slug)}]
    await brand.owner.do("registerDocuments", "documents { hash }", app=f"{slug}-app", documents=app)
    ids |= await _webhook(brand, tenant_id, slug)
    callers = {
        "owner": brand.owner,
        "finance": brand.finance,
        "operations": brand.operations,
        "auditor": brand.auditor,
        "distributor": await brand.anonymous.log_in("distributor"),
        "key": await key_with(brand, list(Scope)),
        "anonymous": brand.anonymous,
    }
    names = Names(
        ids=ids, slug=slug, login=f"{slug}-person", code=f"{code}-B", sku=f"{slug}-sku", number=NUMBERS[slug], key=key
    )
    return Populated(brand=brand, tenant_id=tenant_id, names=names, tree=tree, orders=orders, callers=callers)


async def key_with(brand: Brand, scopes: list[Scope]) -> Api:
    """A shop system with these scopes."""
    made = await brand.owner.do("createApiKey", "token", name="shop system", scopes=[scope.name for scope in scopes])
    return Api(brand.anonymous.app, brand.anonymous.host, made["token"])


async def _orders(brand: Brand, tree: Mapping[str, str], sku: str, key: str) -> dict[str, str]:
    then = long_ago()
    made = {}
    for status, seller, amount, times in (
        ("delivered", "C", 1_234_567, ("paidAt", "shippedAt", "deliveredAt")),
        ("paid", "C", 2_345_678, ("paidAt",)),
        ("placed", "B", 3_456_789, ()),
        ("foreign", "X", 4_567_891, ("paidAt",)),
    ):
        payload = await brand.operations.do(
            "placeOrder",
            "order { id }",
            sellerId=tree[seller],
            idempotencyKey=key if status == "delivered" else f"{key}-{status}",
            lines=[{"sku": sku, "quantity": 1, "amountMinor": amount}],
            customer=f"customer of {sku}",
            placedAt=then.isoformat(),
            **dict.fromkeys(times, then.isoformat()),
        )
        made[status] = payload["order"]["id"]
    return made


async def _listing(brand: Brand, seller: str, sku: str) -> str:
    made = await brand.operations.do(
        "openListing",
        "listing { id }",
        distributorId=seller,
        sku=sku,
        channel=f"channel of {sku}",
        priceMinor=5_678_912,
    )
    return str(made["listing"]["id"])


async def _people(brand: Brand, tree: Mapping[str, str], slug: str) -> dict[str, str]:
    await brand.log_in_as(tree["B"], "distributor")
    made = await brand.owner.do(
        "createMember",
        "member { id }",
        login=f"{slug}-person",
        password=PASSWORD,
        name=f"Person of {slug}",
        role="AUDITOR",
        locale="en",
    )
    shop = await brand.owner.do("createApiKey", "apiKey { id }", name=f"shop of {slug}", scopes=["ORDERS_READ"])
    logged_in = await brand.anonymous.log_in("owner")
    session = (await logged_in.ask("{ mySessions { id } }"))["mySessions"][0]
    return {"Member": made["member"]["id"], "ApiKey": shop["apiKey"]["id"], "Session": session["id"]}


async def _others(brand: Brand) -> dict[str, str]:
    barred = await brand.operations.do("barNumber", "id", kind="PHONE", number="13800001111", reason="broke the rules")
    cases = {}
    if brand.anonymous.host.startswith("cedar"):  # the other brand refuses prices outside its band
        distributor = await brand.operations.ask('{ distributor(code: "CEDAR-DEALER-B") { id } }')
        await brand.operations.do(
            "placeOrder",
            "order { id }",
            sellerId=distributor["distributor"]["id"],
            idempotencyKey="case",
            lines=[{"sku": "CEDAR-GREEN", "quantity": 1, "amountMinor": 999_999}],
        )
        found = await brand.operations.ask("{ priceCases { nodes { id } } }")
        cases["PriceCase"] = found["priceCases"]["nodes"][0]["id"]
    return {"OrangeEntry": barred["id"], **cases}


async def _program(brand: Brand, slug: str) -> None:
    """The brand's program with a monthly rebate and tiers that are reviewed, in force before anything was sold."""
    data = as_data(preset(slug))
    bands = [{"from_minor": 0, "rate_bps": 100}]
    data["commission"]["components"].append({"kind": "tiered_rebate", "key": "populated", "bands": bands})
    data["tiers"][-1]["promotion"] = {"kind": "own_sales", "at_least_minor": 10**9}
    data["tier_rules"] = {"period": "month"}
    saved = await brand.owner.do("saveProgramDraft", "program { number }", document=dumps(data).decode())
    with clock.at(clock.now() - BEGAN + timedelta(hours=1)):
        await brand.owner.do("activateProgram", "program { status }", number=saved["program"]["number"])


async def _period(brand: Brand, key: str) -> dict[str, str]:
    """The month of the first sales, closed, and every settlement that is over: one pays its rebate."""
    day = long_ago().date().isoformat()
    closed = await brand.finance.do("closePeriod", "periodClose { id }", length="MONTH", day=day, idempotencyKey=key)
    while await brand.finance.refused("closeSettlement", idempotencyKey=f"settled-{uuid4().hex}") == []:
        pass
    return {"PeriodClose": closed["periodClose"]["id"]}


async def _money(brand: Brand, tree: Mapping[str, str], key: str) -> dict[str, str]:
    """A closed period with statements; A's payout in a batch that waits for approval, B's one that was asked for."""
    closed = await brand.finance.do("closeSettlement", "settlement { id statementCount }", idempotencyKey=key)
    ids = {"Settlement": closed["settlement"]["id"]}
    for mark in "AB":
        card = await brand.finance.do(
            "setPayoutDestination",
            "destination { id }",
            distributorId=tree[mark],
            holder=f"Holder {mark} {key}",
            bank=f"Bank of {key}",
            account="6222020200012340000",
            idempotencyKey=key if mark == "B" else f"{key}-{mark}",
        )
        await brand.owner.do("verifyPayoutDestination", "destination { id }", id=card["destination"]["id"])
        asked = await brand.finance.do(
            "requestPayout",
            "payout { id }",
            distributorId=tree[mark],
            amountMinor=10_000,
            idempotencyKey=key if mark == "B" else f"{key}-{mark}",
        )
        if mark == "A":
            batch = await brand.finance.do("createPayoutBatch", "batch { id }", idempotencyKey=key)
        ids |= {"PayoutDestination": card["destination"]["id"], "Payout": asked["payout"]["id"]}
    found = await brand.finance.ask("query($of: ID) { statements(of: $of) { nodes { id } } }", of=tree["B"])
    return {**ids, "PayoutBatch": batch["batch"]["id"], "Statement": found["statements"]["nodes"][0]["id"]}


async def _return(brand: Brand, tenant_id: TenantId, tree: Mapping[str, str], sku: str, key: str) -> dict[str, str]:
    """An order that came back, and a debt that waits to be written off."""
    then = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    times = dict.fromkeys(("placedAt", "paidAt", "shippedAt", "deliveredAt"), then)
    bought = [{"sku": sku, "quantity": 2, "amountMinor": 12_345}]
    sold = {"sellerId": tree["B"], "lines": bought, "idempotencyKey": f"{key}-return"}
    order = await brand.operations.do("placeOrder", "order { id lines { id } }", **sold, **times)
    line = order["order"]["lines"][0]["id"]
    asked = {"orderId": order["order"]["id"], "reason": f"too small for {key}", "idempotencyKey": key}
    lines = [{"lineId": line, "quantity": 1}]
    case = await brand.operations.do("requestReturn", "returnCase { id }", **asked, lines=lines)
    id_ = case["returnCase"]["id"]
    await brand.operations.do("approveReturn", "returnCase { id }", id=id_)
    await brand.operations.do("receiveReturn", "returnCase { id }", id=id_, sellable=True, idempotencyKey=key)
    owner, write_off, person = (DistributorId(UUID(tree["B"].partition("_")[2])), new_id(), new_id())
    columns = ("id", "distributor_id", "currency", "amount_minor", "reason", "status", "requested_by", "requested_at")
    with tenant_scope(tenant_id):
        async with transaction() as tx:
            row = (write_off, owner, "CNY", 1_234, f"small debt of {key}", "requested", person, clock.now())
            await tx.insert_many("write_off", columns, [row])
    return {"OrderLine": line, "ReturnCase": id_, "WriteOff": to_global("WriteOff", write_off)}


async def _adjustment(brand: Brand, owner: str, key: str) -> str:
    """An adjustment that waits for a second person."""
    line = {"distributorId": owner, "amountMinor": 6_543, "reason": f"a sale of {key} was missed", "reference": key}
    asked = await brand.finance.do("requestAdjustments", "adjustments { id }", adjustments=[line], idempotencyKey=key)
    return str(asked["adjustments"][0]["id"])


async def _exit(brand: Brand, leaver: str, key: str) -> str:
    asked = {"distributorId": leaver, "kind": "VOLUNTARY", "reason": f"moves away from {key}"}
    quoted = await brand.operations.do("quoteExit", "exit { id }", **asked, idempotencyKey=key)
    return str(quoted["exit"]["id"])


async def _simulation(brand: Brand, number: int) -> dict[str, str]:
    """A simulation that has ended, and its job."""
    today = datetime.now(UTC).date()
    asked = await brand.owner.do(
        "simulateProgram",
        "simulation { id job { id } }",
        number=number,
        since=(today - timedelta(days=200)).isoformat(),
        until=today.isoformat(),
    )
    await run_due({KIND: run_simulation})
    found = asked["simulation"]
    return {"Simulation": found["id"], "Job": found["job"]["id"]}


async def _import(brand: Brand, tenant_id: TenantId, slug: str, key: str) -> dict[str, str]:
    """A file of which one order was placed and one was left out."""
    rows = f"seller,sku,quantity,customer\n{slug.upper()}-DEALER-B,{slug}-sku,1,imported for {slug}\nNO-{slug},x,1,\n"
    content = b64encode(rows.encode()).decode()
    given = {"kind": "ORDERS", "name": f"orders of {slug}.csv", "content": content, "idempotencyKey": key}
    made = await brand.operations.do("importFile", "file { id }", **given)
    await run_due(IMPORTS)
    with tenant_scope(tenant_id):
        await deliver()
    told = await (await brand.anonymous.log_in("distributor")).ask("{ notifications { nodes { id } } }")
    return {"ImportFile": made["file"]["id"], "Notification": told["notifications"]["nodes"][0]["id"]}


async def _webhook(brand: Brand, tenant_id: TenantId, slug: str) -> dict[str, str]:
    """A webhook, and all that happened on its way there."""
    given = {"name": f"hook of {slug}", "url": f"https://{slug}.example.com/hook"}
    hook = (await brand.owner.do("createWebhook", "webhook { id }", **given))["webhook"]["id"]
    with tenant_scope(tenant_id):
        await publish(FOLLOWERS)
    text = "query($id: ID!) { webhookDeliveries(webhookId: $id, first: 1) { nodes { id event { id } } } }"
    (found,) = (await brand.owner.ask(text, id=hook))["webhookDeliveries"]["nodes"]
    return {"Webhook": hook, "WebhookDelivery": found["id"], "Event": found["event"]["id"]}


async def _draft(brand: Brand, tenant_id: TenantId, slug: str) -> None:
    """A draft with a number that no other brand has."""
    document = (await brand.owner.ask("{ program { document } }"))["program"]["document"]
    saved = await brand.owner.do("saveProgramDraft", "program { number }", document=document, label=f"plan of {slug}")
    with tenant_scope(tenant_id):
        async with transaction() as tx:
            await tx.execute(
                "UPDATE program_version SET number = $2 WHERE tenant_id = $1 AND number = $3",
                tenant_id,
                NUMBERS[slug],
                saved["program"]["number"],
            )
