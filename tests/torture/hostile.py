"""What strangers send: operations made from the schema with strings that break things, and heads of requests at random.

Hypothesis draws them; they are sent outside of it, in the loop that has the database.
"""

import base64
from collections.abc import Callable
from functools import cache, partial
from random import Random
from typing import Any, TypeVar

import schemathesis
from graphql import (
    GraphQLObjectType,
    GraphQLSchema,
    StringValueNode,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    print_ast,
    print_schema,
    visit,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.graphql import nodes

from schema.schema import sdl
from tenants import access_table
from tests.api.attack import actor

T = TypeVar("T")

STRINGS = (
    "",
    " ",
    "\x00",
    "\x7f\x1b[31m",
    "' OR '1'='1",
    "'; DROP TABLE member; --",
    '"}) { id } }',
    "$1",
    "%s%n%x",
    "{{7*7}}",
    "{0.__class__}",
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe",
    "\ufeff\u200b",
    "e\u0301" * 40,
    "👩‍👩‍👧‍👦" * 20,
    "１３８１２３４５６７８",
    "9" * 400,
    "-1",
    "1e309",
    "NaN",
    "0x10",
    "9223372036854775808",
    "a" * 20_000,
    "(a+)+$" * 50,
    "\r\nset-cookie: x=1",
    "dst_" + "0" * 32,
    "dst_" + "g" * 32,
    "ord_" + "f" * 31,
    "00000000-0000-0000-0000-000000000000",
    base64.b64encode(b'["2026-01-01T00:00:00+00:00", "x"]').decode(),
    base64.b64encode(b"[[[[[[[[").decode(),
)
MOMENTS = ("2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "now", "")
DAYS = ("2026-02-30", "0001-01-01", "9999-12-31", "2026-01-01", "0", "")
NUMBERS = (0, 1, -1, 2**31, 2**53, -(2**63), 2**63 - 1, 2**63, 10**30)
SHUTS_OUT = {
    *("logOut", "changePassword", "revokeSessions", "revokeSession", "resetPassword", "setMemberStatus"),
    *("setTenantStatus", "setSecurityPolicy", "changeRole", "createPasswordLink", "revokeApiKey", "rotateApiKey"),
    *("beginSecondFactor", "confirmSecondFactor", "removeSecondFactor"),
}
"""After these nobody comes in any more, and nothing else would be tried; each has tests of its own."""

TEXTS = {"DateTime": MOMENTS, "Date": DAYS, "Time": ("00:00:00", "24:00:00", "23:59:60", "")}
for name, values in TEXTS.items():
    schemathesis.graphql.scalar(name, st.sampled_from(values).map(nodes.String))
schemathesis.graphql.scalar("BigInt", st.sampled_from(NUMBERS).map(nodes.Int))


def drawn(strategy: SearchStrategy[T], count: int, random: Random) -> list[T]:
    """So many examples. Raises what drawing them raises."""
    found: list[T] = []

    @seed(random.getrandbits(64))
    @settings(max_examples=count, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def draw(one: T) -> None:
        found.append(one)

    draw()
    return found


@cache
def reachable(role: str) -> str:
    """The schema without what the role may not ask for, so that what is sent gets past the gate.

    Subscriptions are left out: this way they are not answered.
    """
    found = build_schema(sdl())
    if found.subscription_type is not None:
        del found.type_map[found.subscription_type.name]
        found.subscription_type = None
    may = partial(access_table.allowed, actor(role))
    while _shrink(found, may):
        pass
    return print_schema(found)


def _shrink(found: GraphQLSchema, may: Callable[[str], bool]) -> bool:
    """Take out what may not be asked for, or leads to nothing; answers whether anything was."""
    before = sum(len(kind.fields) for kind in _objects(found))
    for kind in _objects(found):
        for name, field in list(kind.fields.items()):
            below = get_named_type(field.type)
            empty = isinstance(below, GraphQLObjectType) and not below.fields
            root = kind in {found.query_type, found.mutation_type}
            if empty or not may(f"{kind.name}.{name}") or (root and name in SHUTS_OUT):
                del kind.fields[name]
    for kind in _objects(found):
        if not kind.fields:
            del found.type_map[kind.name]
    return sum(len(kind.fields) for kind in _objects(found)) < before


def _objects(found: GraphQLSchema) -> list[GraphQLObjectType]:
    kinds = list(found.type_map.values())
    return [kind for kind in kinds if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")]


def operations(role: str, count: int, random: Random) -> list[str]:
    """Operations the role may send, most of them well formed."""
    loaded = schemathesis.graphql.from_file(reachable(role))
    wrong = count // 5
    positive = drawn(loaded.as_strategy(GenerationMode.POSITIVE), count - wrong, random)
    negative = drawn(loaded.as_strategy(GenerationMode.NEGATIVE), wrong, random)
    return [str(case.body) for case in (*positive, *negative)]


class _Spoiler(Visitor):
    """Puts hostile strings, and ids of things that are there, in the place of some."""

    def __init__(self, random: Random, ids: list[str]) -> None:
        super().__init__()
        self.random, self.ids = random, ids

    def enter_string_value(self, node: StringValueNode, *_: Any) -> StringValueNode | None:
        match self.random.randrange(3):
            case 0:
                return StringValueNode(value=self.random.choice(STRINGS))
            case 1:
                return StringValueNode(value=self.random.choice(self.ids))
        return None


def spoiled(text: str, random: Random, ids: list[str]) -> str:
    """The operation with some of its strings replaced."""
    return print_ast(visit(parse(text), _Spoiler(random, ids)))


@st.composite
def heads(draw: st.DrawFn, tokens: tuple[str, ...]) -> tuple[str, str, list[tuple[bytes, bytes]], bytes]:
    """A method, a path, headers and a body, any of which may be as it should be."""
    anything = st.binary(max_size=60)
    token = st.sampled_from(tokens)
    bearer = st.one_of(
        st.builds(
            lambda scheme, text: scheme + b" " + text, st.sampled_from([b"Bearer", b"bearer", b"Basic"]), anything
        ),
        st.builds(_changed, token, st.integers(0, 60), st.characters(codec="ascii")),
        anything,
    )
    hosts = (b"localhost", b"lotus.localhost", b"127.0.0.1:8000", b"[::1]:1", b"[", b".localhost", b"lotus.localhost:x")
    known = {
        b"host": st.one_of(st.sampled_from(hosts), anything),
        b"authorization": bearer,
        b"cookie": st.one_of(anything, st.builds(lambda t: b"banyan_session=" + t.encode(), token), bearer),
        b"origin": st.one_of(st.sampled_from([b"null", b"http://lotus.localhost", b"http://[", b"//"]), anything),
        b"content-type": st.one_of(
            st.sampled_from([b"application/json", b"multipart/form-data; boundary=x", b"application/json; charset=x"]),
            anything,
        ),
        b"content-length": st.one_of(st.sampled_from([b"-1", b"99999999999999999999", b"x", b"0"]), anything),
        b"accept": anything,
        b"accept-language": st.one_of(st.sampled_from([b"zh-CN;q=x", b"en,,;", b"*"]), anything),
        b"content-encoding": anything,
        b"x-forwarded-for": anything,
        b"upgrade": st.sampled_from([b"websocket", b"h2c"]),
        b"traceparent": anything,
    }
    headers = [(name, draw(known[name])) for name in draw(st.lists(st.sampled_from(sorted(known)), max_size=8))]
    bodies = st.one_of(
        st.sampled_from([b'{"query": "{ me { id } }"}', b"", b"--x\r\n\r\n--x--"]), st.binary(max_size=80)
    )
    method = draw(st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "OPTIONS", "HEAD", "TRACE", "X"]))
    paths = [
        "/graphql",
        "/graphql",
        "/graphql/",
        "/callbacks/wechat_pay",
        "/callbacks/%00",
        "/livez",
        "/readyz",
        "/\x00",
    ]
    return method, draw(st.sampled_from(paths)), headers, draw(bodies)


def _changed(token: str, at: int, mark: str) -> bytes:
    """A token with one character changed, or left as it is beyond its end."""
    return b"Bearer " + (token[:at] + mark + token[at + 1 :]).encode()
