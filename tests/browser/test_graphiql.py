"""GraphiQL in a real browser: from the server's own files, with a log-in that holds and errors in one's own words."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, Request, async_playwright

from saas.base.db import open_database
from saas.base.ids import PLATFORM
from saas.base.scope import tenant_scope
from tenants.accounts import CreateMember
from tenants.actors import Role, system
from tenants.registry import CreateTenant, create_tenant

ROOT = Path(__file__).parents[2]
PASSWORD = "a long enough password"


def chromium() -> str:
    """The browser's path; without one the test fails rather than being left out."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "install Chromium (Debian: apt-get install chromium), or name it in CHROMIUM"
    return found


@pytest.fixture
async def site(sqlite_url: str) -> AsyncIterator[str]:
    """A server of its own process with one brand, as ``main.py serve`` starts it."""
    async with open_database(sqlite_url):
        with tenant_scope(PLATFORM):
            owner = CreateMember(login="owner", password=PASSWORD, name="Owner", role=Role.OWNER)
            await create_tenant(CreateTenant(slug="lotus", name="莲花 Lotus", owner=owner), system(PLATFORM, "tests"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": sqlite_url, "PORT": str(port), "ENVIRONMENT": "development"}
    server = await asyncio.create_subprocess_exec(sys.executable, "main.py", "serve", cwd=ROOT, env=environment)
    try:
        await _answering(port)
        yield f"http://lotus.localhost:{port}"
    finally:
        server.terminate()
        await server.wait()


async def _answering(port: int) -> None:
    """Wait until the server answers."""
    transport = httpx.AsyncHTTPTransport(retries=8)  # each retry waits twice as long as the one before
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/readyz")).is_success


@pytest.fixture
async def page(site: str) -> AsyncIterator[Page]:
    """A browser window at the brand's site."""
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        browser = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
        try:
            yield await browser.new_page(base_url=site, locale="zh-CN")
        finally:
            await browser.close()


SET_EDITOR = "text => document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue(text)"
SETTLED_MS = 500
"""GraphiQL looks at what was typed after a short pause, to know which operations there are."""


def said(request: Request) -> str:
    """The operation that was posted; GraphiQL also asks for the schema by itself."""
    posted = request.post_data_json if request.method == "POST" else None
    return str(posted["query"]) if posted else ""


async def run(page: Page, operation: str) -> str:
    """Type an operation, run it, and read the answer."""
    await page.evaluate(SET_EDITOR, operation)
    await page.wait_for_timeout(SETTLED_MS)
    async with page.expect_response(lambda answer: operation in said(answer.request)) as answered:
        await page.click(".graphiql-execute-button")
    return await (await answered.value).text()


async def test_graphiql_works_without_any_other_server_and_keeps_the_log_in(page: Page, site: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto("/graphql")
    await page.wait_for_selector(".graphiql-execute-button")
    assert await page.locator(".graphiql-tab").count() == 5
    assert "莲花" in await run(page, "{ tenant { name } }")
    wrong = await run(page, mutation("wrong password here"))
    assert "LOGIN_FAILED" in wrong
    assert "登录名或密码错误" in wrong
    assert '"role":"OWNER"' in await run(page, mutation(PASSWORD))
    assert '"login":"owner"' in await run(page, "{ me { login } }")
    assert await page.evaluate("document.cookie") == "", "no script can read the session"
    await page.reload()
    await page.wait_for_selector(".graphiql-execute-button")
    assert '"login":"owner"' in await run(page, "{ me { login } }")
    assert [text for text in complaints if "Content Security Policy" in text] == []
    assert [url for url in asked if not url.startswith((site, "data:"))] == []


def mutation(password: str) -> str:
    """A log-in."""
    return (
        f'mutation {{ logIn(input: {{ login: "owner", password: "{password}" }}) '
        "{ member { login role } userErrors { code message } } }"
    )
