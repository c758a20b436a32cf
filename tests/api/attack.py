"""Asking for what is somebody else's: every root field, once for things that are nowhere and once for things that are.

Whoever may not know of a thing must get the same answer for both: the same words from a query, the same refusal, at the
same place, from a mutation.
"""

import json
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from saas.base.ids import PLATFORM
from tenants import access_table
from tenants.access import Scope
from tenants.actors import Actor, Role
from tests.api.client import Api
from tests.api.generated import Root, roots, selection
from tests.api.rows import told
from tests.api.values import Names

TAKES_ALL = {"createPayoutBatch"}
"""Changes of the caller's own that leave nothing for a second one, whatever they name."""
ENDS_SESSIONS = {"logOut", "changePassword", "revokeSessions"}
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
    page = "(first: 1)" if root.operation == "query" else ""
    wanted = selection(root.field, partial(access_table.allowed, actor(role)), page)
    return root.document(variables, wanted), variables


@dataclass
class Attack:
    """Somebody who asks in turn for things of both targets; ``secrets`` must stay out of every answer."""

    caller: Api
    role: str
    targets: tuple[Names, Names]
    secrets: Set[str] = frozenset()
    without: Set[str] = frozenset()
    log_in_as: str = ""
    door: str = ""
    asked: int = field(default=0)

    async def everything(self, operation: str) -> None:
        """Every root field of ``query`` or ``mutation`` but those left out."""
        await self._log_in()
        for root in roots(operation):
            for chosen in root.variants() if root.coordinate not in self.without else ():
                await self.both(root, chosen)

    async def both(self, root: Root, chosen: frozenset[str]) -> None:
        """One call for nothing and for something."""
        sent, got = [], []
        for names in self.targets:
            text, variables = request(root, self.role, names, chosen)
            response = await self.caller.send(text, variables)
            assert response.status_code == 200, f"{self.role} {root.coordinate}: {response.text}"
            if root.name in ENDS_SESSIONS:
                await self._log_in()
            answer = response.text
            leaked = told(self.secrets - names.spelled().keys(), answer)
            assert not leaked, f"{self.role} {root.coordinate} {variables}: {leaked} in {answer}"
            assert root.operation != "query" or "COST_EXCEEDED" not in answer, (
                f"{self.role} {root.coordinate}: nothing was asked"
            )
            assert "INTERNAL" not in answer, f"{self.role} {root.coordinate} {variables}: {answer}"
            sent.append(variables)
            got.append(unnamed(names, answer))
            self.asked += 1
        if sent[0] != sent[1] and root.name not in TAKES_ALL:
            answers = got if root.operation == "query" else [shape(json.loads(answer)) for answer in got]
            assert answers[0] == answers[1], f"{self.role} {root.coordinate} {sent}: {got}"

    async def _log_in(self) -> None:
        if self.caller.token is not None and self.role != "key":
            visitor = replace(self.caller, token=None, host=self.door or self.caller.host)
            self.caller = (await visitor.log_in(self.log_in_as or self.role)).at(self.caller.host)


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
