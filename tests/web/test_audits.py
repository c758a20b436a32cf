"""GraphQL over HTTP, as its working group audits it: every audit of npm's ``graphql-http``, against a real server."""

import asyncio

import orjson

from tests.web.conftest import node

AUDITS = 61


async def test_every_audit_of_graphql_over_http_passes(endpoint: str) -> None:
    done = await asyncio.to_thread(node, "audits", "node", "run.mjs", endpoint)
    assert done.returncode == 0, done.stderr
    results = orjson.loads(done.stdout)
    assert len(results) == AUDITS
    assert [(one["id"], one["name"], one["reason"]) for one in results if one["status"] != "ok"] == []
