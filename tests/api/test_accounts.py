"""Accounts as their people meet them over HTTP: second factors that a brand asks for, links, single log-ins."""

from dataclasses import replace

import pyotp

from tests.api.client import PASSWORD, Api
from tests.api.conftest import World

CHOSEN = "a password of my own"


async def enrolled(api: Api) -> tuple[pyotp.TOTP, list[str]]:
    """Set up a second factor; its app and the recovery codes."""
    begun = await api.do("beginSecondFactor", "secret uri", currentPassword=PASSWORD)
    app = pyotp.TOTP(begun["secret"])
    assert app.secret in begun["uri"]
    confirmed = await api.do("confirmSecondFactor", "codes", oneTimeCode=app.now())
    return app, confirmed["codes"]


async def test_finance_does_nothing_before_it_has_the_second_factor_that_the_brand_asks_for(world: World) -> None:
    finance = world.lotus.finance
    await world.lotus.owner.do("setSecurityPolicy", "policy { secondFactorRoles }", secondFactorRoles=["FINANCE"])
    for query in ("{ settlements { nodes { id } } }", "{ me { id } settlements { nodes { id } } }"):
        assert await finance.errors(query) == ["SECOND_FACTOR_REQUIRED"]
    written = 'mutation { closeSettlement(input: {idempotencyKey: "k"}) { userErrors { code } } }'
    assert await finance.errors(written) == ["SECOND_FACTOR_REQUIRED"]
    assert (await finance.ask("{ me { secondFactorSince } }"))["me"] == {"secondFactorSince": None}
    assert await world.cedar.finance.ask("{ settlements { nodes { id } } }")
    _, codes = await enrolled(finance)
    assert await finance.ask("{ settlements { nodes { id } } }")
    given = {"login": "finance", "password": PASSWORD, "kind": "BEARER"}
    assert await world.lotus.anonymous.refused("logIn", **given) == ["SECOND_FACTOR_NEEDED"]
    assert await world.lotus.anonymous.refused("logIn", **given, oneTimeCode="000000") == ["SECOND_FACTOR_FAILED"]
    assert (await world.lotus.anonymous.do("logIn", "token", **given, oneTimeCode=codes[0]))["token"]


async def test_an_owner_helps_whoever_lost_the_device(world: World) -> None:
    await enrolled(world.lotus.finance)
    people = await world.lotus.owner.ask('{ members(search: "finance") { nodes { id secondFactorSince } } }')
    (finance,) = people["members"]["nodes"]
    assert finance["secondFactorSince"]
    assert await world.cedar.owner.refused("removeSecondFactor", memberId=finance["id"]) == ["NOT_FOUND"]
    await world.lotus.owner.do("removeSecondFactor", "done", memberId=finance["id"])
    await world.lotus.anonymous.log_in("finance")


async def test_an_invited_member_chooses_its_password(world: World) -> None:
    invited = await world.lotus.owner.do(
        "inviteMember", "token expiresAt member { id login }", login="grace", name="Grace", role="AUDITOR"
    )
    elsewhere = world.cedar.anonymous
    assert await elsewhere.refused("followLink", token=invited["token"], password=CHOSEN) == ["LINK_NOT_VALID"]
    await world.lotus.anonymous.do("followLink", "done", token=invited["token"], password=CHOSEN)
    assert (await (await world.lotus.anonymous.log_in("grace", CHOSEN)).ask("{ me { role } }"))["me"][
        "role"
    ] == "AUDITOR"
    refused = await world.lotus.finance.errors(
        "mutation($id: ID!) { createPasswordLink(input: {memberId: $id}) { token } }", id=invited["member"]["id"]
    )
    assert set(refused) == {"FORBIDDEN"}
    again = await world.lotus.owner.do("createPasswordLink", "token", memberId=invited["member"]["id"])
    await world.lotus.anonymous.do("followLink", "done", token=again["token"], password=f"{CHOSEN} again")
    await world.lotus.anonymous.log_in("grace", f"{CHOSEN} again")


async def test_the_owner_of_a_new_brand_is_invited_unless_a_password_is_given(world: World) -> None:
    given = {"slug": "maple", "name": "Maple", "ownerLogin": "mia", "ownerName": "Mia", "preset": "lotus"}
    link = "tenant { slug } ownerLink { token expiresAt }"
    made = await world.operator.do("createTenant", link, **given)
    token, site = made["ownerLink"]["token"], world.operator.at("maple.localhost")
    assert await world.lotus.anonymous.refused("followLink", token=token, password=CHOSEN) == ["LINK_NOT_VALID"]
    assert await world.operator.refused("createTenant", **given) == ["SLUG_TAKEN"]
    nobody = replace(site, token=None)
    for guess in ("", "mia", PASSWORD):
        attempt = await nobody.refused("logIn", login="mia", password=guess, kind="BEARER")
        assert attempt == ["LOGIN_FAILED"]
    await nobody.do("followLink", "done", token=token, password=CHOSEN)
    mia = await nobody.log_in("mia", CHOSEN)
    assert (await mia.ask("{ me { role } program { number } }"))["program"] == {"number": 1}
    told = (await mia.ask("{ auditLog(first: 20) { nodes { action actor } } }"))["auditLog"]["nodes"]
    assert {"action": "member.invitation_link", "actor": "root"} in told
    refused = await world.lotus.owner.errors(
        "mutation($input: CreateTenantInput!) { createTenant(input: $input) { ownerLink { token } } }",
        input={**given, "slug": "pine"},
    )
    assert set(refused) == {"FORBIDDEN"}
    plain = await world.operator.do("createTenant", link, **{**given, "slug": "pine", "ownerPassword": PASSWORD})
    assert plain["ownerLink"] is None
    assert await world.operator.refused("createTenant", **{**given, "slug": "fir", "ownerPassword": ""}) == [
        "PASSWORD_REFUSED"
    ]


async def test_one_log_in_of_several_is_ended(world: World) -> None:
    other = await world.lotus.anonymous.log_in("auditor")
    sessions = (await world.lotus.auditor.ask("{ mySessions { id } }"))["mySessions"]
    latest = sessions[0]["id"]
    assert await world.lotus.owner.refused("revokeSession", id=latest) == ["NOT_FOUND"]
    assert await world.cedar.auditor.refused("revokeSession", id=latest) == ["NOT_FOUND"]
    assert await other.ask("{ me { login } }")
    await world.lotus.auditor.do("revokeSession", "done", id=latest)
    assert (await other.send("{ me { login } }")).status_code == 401
    assert await world.lotus.auditor.ask("{ me { login } }")


async def test_a_key_is_rotated(world: World) -> None:
    made = await world.lotus.owner.do("createApiKey", "token apiKey { id }", name="shop", scopes=["CATALOG_READ"])
    new = await world.lotus.owner.do(
        "rotateApiKey", "token apiKey { replaces name scopes }", id=made["apiKey"]["id"], overlapHours=0
    )
    assert new["apiKey"] == {"replaces": made["apiKey"]["id"], "name": "shop", "scopes": ["CATALOG_READ"]}
    anonymous = world.lotus.anonymous
    old_shop, shop = (Api(anonymous.app, anonymous.host, token) for token in (made["token"], new["token"]))
    assert (await old_shop.send("{ products { nodes { sku } } }")).status_code == 401
    assert await shop.ask("{ products { nodes { sku } } }")
