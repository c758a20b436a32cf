"""Operations by their hash: kept for whoever sent the text, registered by a brand, and nobody else's business."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from saas.base.db import open_database
from saas.base.errors import InvalidInput
from saas.base.ids import PLATFORM
from saas.base.scope import tenant_scope
from schema.trusting import documents_in
from tenants.accounts import CreateMember
from tenants.actors import Role, system
from tenants.registry import CreateTenant, create_tenant
from tests.api.client import PASSWORD, Api
from tests.api.conftest import Brand, World
from tests.test_main import command, refused

ME = "query Me { me { login } }"
BRAND = "query Brand { tenant { slug } }"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is decided before any database is asked is the same on both."""


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


async def by_hash(api: Api, hash_: object, text: str | None = None, **more: Any) -> httpx.Response:
    """As Apollo's clients do it."""
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_}}
    return await api.http("POST", json={"extensions": extensions, **({"query": text} if text else {}), **more})


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json().get("errors", ())]


async def register(brand: Brand, *texts: str) -> list[str]:
    given = [{"name": text.split()[1], "text": text} for text in texts]
    done = await brand.owner.do("registerDocuments", "documents { hash name app }", app="web 1.0", documents=given)
    return [one["hash"] for one in done["documents"]]


# -- automatic persisted queries --------------------------------------------------------------------------------------


@ON_SQLITE
async def test_a_text_is_sent_once_and_its_hash_from_then_on(world: World) -> None:
    owner = world.lotus.owner
    unknown = await by_hash(owner, hash_of(ME))
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert codes(unknown) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert (await by_hash(owner, hash_of(ME), ME)).json()["data"] == {"me": {"login": "owner"}}
    assert (await by_hash(owner, hash_of(ME))).json()["data"] == {"me": {"login": "owner"}}
    assert (await by_hash(world.lotus.finance, hash_of(ME))).json()["data"] == {"me": {"login": "finance"}}
    await by_get(world, owner)


async def by_get(world: World, owner: Api) -> None:
    """A hash by GET is a read that may be kept."""
    extensions = orjson.dumps({"persistedQuery": {"version": 1, "sha256Hash": hash_of(ME)}}).decode()
    await by_hash(owner, hash_of(ME), ME)
    answer = await owner.http("GET", {"accept": "*/*"}, params={"extensions": extensions})
    assert answer.json()["data"] == {"me": {"login": "owner"}}
    assert answer.headers["cache-control"] == "private, no-cache"
    change = "mutation Change { logOut(input: {}) { done } }"
    await by_hash(world.lotus.finance, hash_of(change), change)
    extensions = extensions.replace(hash_of(ME), hash_of(change))
    assert (await owner.http("GET", params={"extensions": extensions})).status_code == 400
    assert await owner.ask(ME) == {"me": {"login": "owner"}}


async def test_what_one_brand_sent_another_does_not_know(world: World) -> None:
    """Both are answered by one process."""
    cedar = Api(world.lotus.owner.app, world.cedar.owner.host, world.cedar.owner.token)
    await by_hash(world.lotus.owner, hash_of(ME), ME)
    assert codes(await by_hash(cedar, hash_of(ME))) == ["PERSISTED_QUERY_NOT_FOUND"]
    await register(world.lotus, BRAND)
    assert (await by_hash(world.lotus.owner, hash_of(BRAND))).json()["data"] == {"tenant": {"slug": "lotus"}}
    assert codes(await by_hash(cedar, hash_of(BRAND))) == ["PERSISTED_QUERY_NOT_FOUND"]


@ON_SQLITE
async def test_a_hash_that_is_none_or_another_texts_is_refused_and_kept_nowhere(world: World) -> None:
    owner = world.lotus.owner
    wrong: list[object] = ["", "x", "0" * 63, "0" * 65, "A" * 64, 7, None, ["0" * 64], "０" * 64]
    for hash_ in wrong:
        for text in (None, ME):
            answer = await by_hash(owner, hash_, text)
            assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
    answer = await by_hash(owner, hash_of(ME), BRAND)
    assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
    assert codes(await by_hash(owner, hash_of(ME))) == ["PERSISTED_QUERY_NOT_FOUND"]
    others: list[Any] = [7, [], "x", {}, {"version": 2, "sha256Hash": hash_of(ME)}]
    for extension in others:
        answer = await owner.http("POST", json={"query": ME, "extensions": {"persistedQuery": extension}})
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
    halves = b'{"query": "\\ud800", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "%s"}}}'
    content = halves % hash_of(ME).encode()
    answer = await owner.http("POST", {"content-type": "application/json"}, content=content)
    assert answer.status_code == 400


# -- registered operations --------------------------------------------------------------------------------------------


async def test_a_brand_takes_registered_operations_only_and_can_always_go_back(world: World) -> None:
    lotus, owner = world.lotus, world.lotus.owner
    assert await owner.refused("setApiPolicy", trustedOnly=True) == ["NOTHING_TRUSTED"]
    (me,) = await register(lotus, ME)
    await owner.do("setApiPolicy", "policy { trustedOnly }", trustedOnly=True)
    for caller in (lotus.finance, lotus.anonymous):
        for text in (BRAND, "{ nothing }", f"{ME} "):
            answer = await caller.send(text)
            assert codes(answer) == ["DOCUMENT_NOT_TRUSTED"], text
            assert answer.json()["data"] is None
        await by_hash(caller, hash_of(BRAND), BRAND)
        assert codes(await by_hash(caller, hash_of(BRAND))) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert (await by_hash(lotus.finance, me)).json()["data"] == {"me": {"login": "finance"}}
    assert await lotus.finance.ask(ME) == {"me": {"login": "finance"}}, "the text itself is registered too"
    assert await world.cedar.finance.ask(BRAND) == {"tenant": {"slug": "cedar"}}
    await nothing_hides_behind_a_door(owner)
    again = await lotus.anonymous.log_in("owner")
    assert await again.errors(BRAND) == ["DOCUMENT_NOT_TRUSTED"]
    opened = "mutation { setApiPolicy(input: {}) { policy { trustedOnly } } }"
    assert set(await lotus.finance.errors(opened)) == {"FORBIDDEN"}
    await again.do("setApiPolicy", "policy { trustedOnly }", trustedOnly=False)
    assert await lotus.finance.ask(BRAND) == {"tenant": {"slug": "lotus"}}


async def nothing_hides_behind_a_door(owner: Api) -> None:
    """What stays open is one thing at a time, not whatever comes along with it."""
    for text in (
        "query { apiPolicy { trustedOnly } tenant { slug } }",
        "query { apiPolicy { trustedOnly } ...F } fragment F on Query { tenant { slug } }",
        "mutation { setApiPolicy(input: { trustedOnly: false }) { userErrors { code } } logOut(input: {}) { done } }",
        "query { __schema { types { name } } tenant { slug } }",
    ):
        assert await owner.errors(text) == ["DOCUMENT_NOT_TRUSTED"]
    assert (await owner.ask("{ apiPolicy { trustedOnly } }"))["apiPolicy"] == {"trustedOnly": True}


async def test_registered_operations_are_listed_ended_and_written_down(world: World) -> None:
    lotus = world.lotus
    me, brand = await register(lotus, ME, BRAND)
    assert sorted(await register(lotus, ME, BRAND, ME)) == sorted([me, brand])
    query = (
        '{ trustedDocuments(app: "web 1.0", first: 1) { nodes { hash text name } pageInfo { endCursor hasNextPage } } }'
    )
    first = (await lotus.auditor.ask(query))["trustedDocuments"]
    assert first["pageInfo"]["hasNextPage"]
    rest = await lotus.auditor.ask(
        "query($after: String) { trustedDocuments(after: $after) { nodes { hash text name } } }",
        after=first["pageInfo"]["endCursor"],
    )
    listed = first["nodes"] + rest["trustedDocuments"]["nodes"]
    assert {one["hash"]: one["text"] for one in listed} == {me: ME, brand: BRAND}
    assert (await lotus.auditor.ask('{ trustedDocuments(app: "other") { nodes { hash } } }'))["trustedDocuments"][
        "nodes"
    ] == []
    assert (await world.cedar.auditor.ask("{ trustedDocuments { nodes { hash } } }"))["trustedDocuments"]["nodes"] == []
    ended = await world.cedar.owner.do("endDocuments", "ended", hashes=[me])
    assert ended["ended"] == []
    assert (await by_hash(lotus.finance, me)).json()["data"]
    for expected in ([me], []):
        assert (await lotus.owner.do("endDocuments", "ended", hashes=[me, "0" * 64]))["ended"] == expected
    assert codes(await by_hash(lotus.finance, me)) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert await register(lotus, ME) == [me]
    assert (await by_hash(lotus.finance, me)).json()["data"]
    told = await lotus.auditor.ask('{ auditLog(action: "document.") { nodes { action subject } } }')
    assert [one["action"] for one in told["auditLog"]["nodes"]] == [
        "document.register", "document.end", "document.register", "document.register"
    ]  # fmt: skip


@ON_SQLITE
async def test_an_operation_that_the_schema_does_not_know_is_not_registered_nor_its_neighbours(world: World) -> None:
    wrong = [
        "{ nothing }",
        "{",
        "",
        "fragment F on Query { me { id } }",
        f"{{ me {{ {'id ' * 400} }} }}",
        "{ me { id } }" + " #" * 9,
    ]
    documents = [{"name": "right", "text": ME}, *({"name": f"wrong {n}", "text": text} for n, text in enumerate(wrong))]
    owner = world.lotus.owner
    payload = await owner.attempt("registerDocuments", "documents { hash }", app="web", documents=documents)
    fields = [error["field"] for error in payload["userErrors"]]
    assert fields == [f"input.documents[{number}].text" for number in range(1, 6)]
    assert await owner.refused("registerDocuments", app=" ", documents=documents[:1]) == ["INVALID_INPUT"]
    assert await owner.refused("registerDocuments", app="web", documents=documents[:1] * 1001) == ["INVALID_INPUT"]
    assert (await owner.ask("{ trustedDocuments { nodes { hash } } }"))["trustedDocuments"]["nodes"] == []


@ON_SQLITE
async def test_the_build_of_an_app_registers_with_a_key_of_its_own(world: World) -> None:
    made = await world.lotus.owner.do("createApiKey", "token", name="build", scopes=["DOCUMENTS_WRITE"])
    build = Api(world.lotus.owner.app, world.lotus.owner.host, made["token"])
    done = await build.do("registerDocuments", "documents { hash }", app="web", documents=[{"name": "Me", "text": ME}])
    assert done["documents"] == [{"hash": hash_of(ME)}]
    assert set(await build.errors("{ trustedDocuments { nodes { hash } } }")) == {"FORBIDDEN"}


# -- by file ----------------------------------------------------------------------------------------------------------


def written(path: Path, content: object) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


def test_files_of_builds_are_read_whoever_wrote_them(tmp_path: Path) -> None:
    texts = {f"sha256:{hash_of(ME)}": ME, hash_of("{ me { id } }"): "{ me { id } }"}
    operations = [{"id": hash_of(BRAND), "name": "Brand", "type": "query", "body": BRAND}]
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    plain = documents_in(written(tmp_path / "a.json", texts))
    assert [(one.name, one.text) for one in plain] == [("Me", ME), (hash_of("{ me { id } }")[:12], "{ me { id } }")]
    assert [(one.name, one.hash) for one in documents_in(written(tmp_path / "b.json", manifest))] == [
        ("Brand", hash_of(BRAND))
    ]
    assert [(one.name, one.text) for one in documents_in(written(tmp_path / "c.graphql", ME.encode()))] == [("c", ME)]


@pytest.mark.parametrize(
    "content", [b"{", [], 7, {"x": ME}, {hash_of(ME): 7}, {"operations": [7]}, {"operations": [{"id": 1}]}]
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(InvalidInput):
        documents_in(written(tmp_path / "x.json", content))


async def test_a_command_registers_what_a_build_wrote(sqlite_url: str, tmp_path: Path) -> None:
    async with open_database(sqlite_url):
        with tenant_scope(PLATFORM):
            owner = CreateMember(login="owner", password=PASSWORD, name="Owner", role=Role.OWNER)
            await create_tenant(CreateTenant(slug="lotus", name="Lotus", owner=owner), system(PLATFORM, "tests"))
    file = written(tmp_path / "manifest.json", {hash_of(ME): ME})
    for _ in range(2):
        told = command(sqlite_url, "trust", file, "--tenant", "lotus", "--app", "web", "--login", "owner")
        assert (told.returncode, told.stdout.split()) == (0, [hash_of(ME), "Me"])
    refused(command(sqlite_url, "trust", file, "--tenant", "lotus", "--app", "web", "--login", "nobody"), "NOT_FOUND")
    wrong = written(tmp_path / "wrong.graphql", b"{ nothing }")
    refused(
        command(sqlite_url, "trust", wrong, "--tenant", "lotus", "--app", "web", "--login", "owner"), "INVALID_INPUT"
    )
