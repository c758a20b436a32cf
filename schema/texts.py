"""The text of an operation that came by its SHA-256: automatic persisted queries, and trusted documents.

The protocol is Apollo's: ``extensions.persistedQuery`` with ``version`` 1 and ``sha256Hash``. A hash that nobody knows
here is answered ``PersistedQueryNotFound``; the caller sends it again with the text, which is kept for its tenant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cross_web import HTTPException
from graphql import GraphQLError
from strawberry.http import GraphQLRequestData

from saas.base.ids import TenantId
from saas.base.scope import current_tenant
from schema.bounded import Bounded
from tenants import trusted

KEPT_MOST = 2_000
"""Texts one process keeps; each process of an installation keeps its own, which costs callers one more request."""
TEXT_MOST = 2_000_000
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)

Kept = Bounded[tuple[TenantId, str], str]


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be run, or none, and whether the brand has registered it."""

    text: str | None
    is_trusted: bool = False


def new_store() -> Kept:
    """An empty store of texts."""
    return Bounded(most=KEPT_MOST, text_most=TEXT_MOST)


def not_found() -> GraphQLError:
    """What Apollo's clients wait for, word by word."""
    return GraphQLError("PersistedQueryNotFound", extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})


async def text_for(asked: GraphQLRequestData, kept: Kept, *, trusted_only: bool) -> Text:
    """The text of what was asked for, in the active tenant; one without a text is to be told ``not_found``.

    Raises ``HTTPException`` for a hash that is none, or that is another text's.
    """
    given = _hash_in(asked.extensions or {})
    if given is None and not trusted_only:
        return Text(asked.query)
    if asked.query is None:
        return await _by_hash(given, kept, trusted_only=trusted_only)
    own = trusted.hash_of(_encodable(asked.query))
    if given not in {None, own}:
        raise HTTPException(400, "The sha256Hash is not that of the query.")
    if trusted_only:
        return Text(asked.query, is_trusted=await trusted.text_of(own) is not None)
    kept.put((current_tenant(), own), asked.query, len(asked.query))
    return Text(asked.query)


async def _by_hash(given: str | None, kept: Kept, *, trusted_only: bool) -> Text:
    if given is None:
        return Text(None)
    known = None if trusted_only else kept.get((current_tenant(), given))
    if known is not None:
        return Text(known)
    text = await trusted.text_of(given)
    return Text(text, is_trusted=text is not None)


def _hash_in(extensions: Mapping[str, Any]) -> str | None:
    """The hash that came along. Raises ``HTTPException`` for another protocol's."""
    asked = extensions.get("persistedQuery")
    if asked is None:
        return None
    given = asked.get("sha256Hash") if isinstance(asked, dict) and asked.get("version") == 1 else None
    if not isinstance(given, str) or not _HASH.fullmatch(given):
        raise HTTPException(400, "A persistedQuery has the version 1 and a sha256Hash of 64 small hex digits.")
    return given


def _encodable(text: str) -> str:
    """The text, without half characters, which have no UTF-8."""
    if any("\ud800" <= mark <= "\udfff" for mark in text):
        raise HTTPException(400, "The query holds half a character.")
    return text
