"""One brand and another: whatever anybody asks for, with whatever ids, nothing is told and nothing is changed.

Everybody of Lotus, and everybody who is of no brand, attacks Cedar; afterwards Cedar's rows are what they were.
"""

from dataclasses import replace

import pytest

from saas.base.ids import PLATFORM
from saas.duties import FOLLOWERS
from saas.events.hub import open_hub
from tenants.program import dump
from tenants.program.presets import PRESETS, preset
from tests.api.attack import Attack, request
from tests.api.client import make_api
from tests.api.conftest import World
from tests.api.generated import roots, without_value
from tests.api.population import Populated, nothing, populate
from tests.api.rows import changes, rows_of, secrets_of, told

OPERATORS_OWN = {
    "Mutation.createTenant",
    "Mutation.setTenantStatus",
    "Mutation.addTenantDomain",
    "Mutation.overrideFinding",
    "Mutation.lookUpPerson",
    "Mutation.resetSandbox",
    "Query.complianceOverrides",
    "Query.tenants",
}
"""Operators do these to brands, and to nobody's people or money; see test_roles."""
DOORSTEP = ["login_throttle"]
KNOCKED = "session.log_in_failed"
"""Anybody may knock at a brand's door, is counted, and told of to that brand."""
PUBLIC = "".join(dump(preset(name), kind) for name in PRESETS for kind in ("yaml", "json"))
"""Programs that come with the product are nobody's secret."""


@pytest.fixture
async def brands(world: World) -> tuple[Populated, Populated]:
    """Lotus, which attacks, and Cedar, which must not notice."""
    return await populate(world.lotus, "lotus"), await populate(world.cedar, "cedar")


def test_every_argument_of_the_schema_has_a_value_here() -> None:
    assert without_value() == []


async def test_nothing_of_another_brand_is_told_or_changed(brands: tuple[Populated, Populated], world: World) -> None:
    lotus, cedar = brands
    before = await rows_of(cedar.tenant_id, without=DOORSTEP)
    secrets = secrets_of(before) - secrets_of(await rows_of(lotus.tenant_id)) - secrets_of(await rows_of(PLATFORM))
    secrets -= set(told(secrets, PUBLIC))
    assert len(secrets) > 100
    guess = {"LogInInput.password": "not the password"}
    targets = (replace(nothing(), fixed=guess), replace(cedar.names, fixed=guess))
    callers = list(lotus.callers.items())
    callers += [("owner", lotus.callers["owner"].at("localhost")), ("operator", world.operator)]
    async with open_hub(FOLLOWERS) as hub:
        attacks = []
        for role, caller in callers:
            without = OPERATORS_OWN if role == "operator" else set[str]()
            log_in_as = "root" if role == "operator" else role
            door = "localhost" if role == "operator" else "lotus.localhost"
            attacks.append(Attack(caller, role, targets, secrets, without, log_in_as, door, hub))
        for operation in ("query", "subscription", "mutation"):
            for attack in attacks:
                await attack.everything(operation)
    assert sum(attack.asked for attack in attacks) > len(callers) * len(roots())
    moved = changes(before, await rows_of(cedar.tenant_id, without=DOORSTEP))
    assert {line["action"] for line in moved.pop("audit_log")} == {KNOCKED}
    assert moved == {}


async def test_guessing_from_outside_is_told_nothing(brands: tuple[Populated, Populated]) -> None:
    """At the brand's own site and at the platform's: a person of Cedar and one who is nowhere fail alike."""
    _, cedar = brands
    for host in ("cedar.localhost", "localhost"):
        answers = []
        for names in (nothing(), cedar.names):
            given = {"login": names.login, "tenant": names.slug, "password": "not the password"}
            api = make_api(host)
            answer = await api.send(
                "mutation($input: LogInInput!) { logIn(input: $input) { token userErrors { code field message } } }",
                {"input": given},
            )
            answers.append(answer.json()["data"])
        assert answers[0] == answers[1], host
        assert answers[0]["logIn"]["userErrors"][0]["code"] == "LOGIN_FAILED"


async def test_a_token_at_another_brands_site_is_nobodys(brands: tuple[Populated, Populated]) -> None:
    lotus, cedar = brands
    unknown = replace(lotus.callers["owner"], token=f"{lotus.callers['owner'].token}x").at("cedar.localhost")
    refused = (await unknown.send("{ me { id } }")).text
    before = await rows_of(cedar.tenant_id)
    for role, caller in lotus.callers.items():
        for root in roots() if role != "anonymous" else ():
            answer = await caller.at("cedar.localhost").send(*request(root, role, cedar.names))
            assert (answer.status_code, answer.text) == (401, refused), f"{role} {root.coordinate}"
    assert changes(before, await rows_of(cedar.tenant_id)) == {}
