"""Asking for what is somebody else's: every root field, once for things that are nowhere and once for things that are.

Whoever may not know of a thing must get the same answer for both: the same words from a query, the same refusal, at the
same place, from a mutation. And the server must do the same for both, statement for statement: a difference in time has
to come from somewhere.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from saas.base.ids import PLATFORM
from saas.events.hub import Hub
from tenants import access_table, registry
from tenants.access import Scope
from tenants.actors import Actor, Role
from tests.api.client import SEEN, Api
from tests.api.generated import Root, roots, selection
from tests.api.rows import told
from tests.api.values import Names
from tests.conftest import HEARD

TAKES_ALL = {"closePeriod", "createPayoutBatch", "sweepPayouts"}
"""Changes of the caller's own that leave nothing for a second one, whatever they name: both targets come after one that
takes it.
"""
ENDS_SESSIONS = {"logOut", "changePassword", "revokeSessions"}
ENDED = "STREAM_BROKEN"
"""How the server ends what is followed, when it stops."""
DENIED = {"FORBIDDEN", "UNAUTHENTICATED"}
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PASSING = re.compile(r'"(lastSeenAt|lastUsedAt)":"[^"]*"')
"""Moments that differ between two calls."""


def actor(role: str) -> Actor | None:
    """Somebody of a role, a key with all scopes, or nobody, as the access table sees it."""
    if role == "anonymous":
        return None
    named = Role.API_KEY if role == "key" else Role(role)
    scopes = frozenset(scope.value for scope in Scope) if role == "key" else frozenset[str]()
    return Actor(tenant_id=PLATFORM, role=named, id=None, label=role, scopes=scopes)


def request(root: Root, role: str, names: Names, chosen: frozenset[str] = frozenset()) -> tuple[str, dict[str, Any]]:
    """An operation that asks for all the role may read."""
    variables = root.variables(names, chosen)
    wanted = selection(root.field, partial(access_table.allowed, actor(role)), "(first: 1)")
    return root.document(variables, wanted), variables


@dataclass
class Attack:
    """Somebody who asks in turn for things of both targets; ``secrets`` must stay out of every answer.

    What is followed is followed to where the ``hub`` ends it.
    """

    caller: Api
    role: str
    targets: tuple[Names, Names]
    secrets: Set[str] = frozenset()
    without: Set[str] = frozenset()
    log_in_as: str = ""
    door: str = ""
    hub: Hub | None = None
    asked: int = field(default=0)

    async def everything(self, operation: str) -> None:
        """Every root field of a kind of operation but those left out."""
        await self._log_in()
        for root in roots(operation):
            for chosen in root.variants() if root.coordinate not in self.without else ():
                await self.both(root, chosen)

    async def both(self, root: Root, chosen: frozenset[str]) -> None:
        """One call for nothing and one for something; a single one where nothing is named."""
        got, ran = [], []
        asked = [request(root, self.role, names, chosen) for names in self.targets]
        sent = [variables for _, variables in asked]
        differ = sent[0] != sent[1]
        if root.name in TAKES_ALL:
            first = replace(self.targets[0], key=f"first-{uuid4().hex}")
            await self._ask(root, *request(root, self.role, first, chosen))
        for names, (text, variables) in list(zip(self.targets, asked, strict=True))[: 1 + differ]:
            answer, statements = await self._ask(root, text, variables)
            leaked = told(self.secrets - names.spelled().keys(), answer)
            assert not leaked, f"{self.role} {root.coordinate} {variables}: {leaked} in {answer}"
            assert "INTERNAL" not in answer, f"{self.role} {root.coordinate} {variables}: {answer}"
            may = access_table.allowed(actor(self.role), root.coordinate)
            assert may is (stopped_with(answer) is None), f"{self.role} {root.coordinate} {variables}: {answer}"
            assert may or stopped_with(answer) in DENIED, f"{self.role} {root.coordinate} {variables}: {answer}"
            got.append(unnamed(names, answer))
            ran.append(statements)
            self.asked += 1
        if differ:
            answers = [shape(json.loads(answer)) for answer in got] if root.operation == "mutation" else got
            assert answers[0] == answers[1], f"{self.role} {root.coordinate} {sent}: {got}"
            assert ran[0] == ran[1], f"{self.role} {root.coordinate} {sent}: {ran[0] - ran[1]} and {ran[1] - ran[0]}"

    async def _ask(self, root: Root, text: str, variables: Mapping[str, Any]) -> tuple[str, Counter[str]]:
        """The answer, and how often each statement was run for it: some are run at once, in any order."""
        registry.forget()  # what is remembered for seconds only would make a difference of its own
        statements: list[str] = []
        token = HEARD.set(statements)
        try:
            following = root.operation == "subscription"
            response = await (self._followed(text, variables) if following else self.caller.send(text, variables))
        finally:
            HEARD.reset(token)
        assert response.status_code == 200, f"{self.role} {root.coordinate}: {response.text}"
        if root.name in ENDS_SESSIONS:
            await self._log_in()
        return response.text, Counter(ID.sub("", sql) for sql in statements if not any(seen in sql for seen in SEEN))

    async def _followed(self, text: str, variables: Mapping[str, Any]) -> httpx.Response:
        """What a subscription is told until the server ends it."""
        assert self.hub is not None
        asked = {"query": text, "variables": dict(variables)}
        following = asyncio.create_task(self.caller.http("POST", {"accept": "text/event-stream"}, json=asked))
        while not following.done() and not self.hub.count:  # noqa: ASYNC110  # the hub tells nobody
            await asyncio.sleep(0.001)
        self.hub.end_all()
        return await following

    async def _log_in(self) -> None:
        if self.caller.token is not None and self.role != "key":
            visitor = replace(self.caller, token=None, host=self.door or self.caller.host)
            self.caller = (await visitor.log_in(self.log_in_as or self.role)).at(self.caller.host)


def stopped_with(answer: str) -> str | None:
    """The code of what refused an operation before anything of it ran; none of one that ran."""
    for line in answer.splitlines():
        found = line.removeprefix("data: ")
        if found.startswith("{"):
            errors = json.loads(found).get("errors") or ()
            codes = [str(one["extensions"]["code"]) for one in errors if "path" not in one]
            return next((code for code in codes if code != ENDED), None)
    raise AssertionError(f"no answer: {answer}")


def unnamed(names: Names, text: str) -> str:
    """An answer in which names are replaced by what they are."""
    meanings = names.spelled()
    for spelling in sorted(meanings, key=len, reverse=True):
        text = text.replace(spelling, meanings[spelling])
    return PASSING.sub("", text)


def shape(data: Any) -> Any:
    """What is there and what is not, with the codes and fields of refusals."""
    if isinstance(data, Mapping):
        kept = ("code", "field") if "code" in data and "message" in data else ()
        return {key: value if key in kept else shape(value) for key, value in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [shape(one) for one in data]
    return None if data is None else "something"
