"""A browser tab of somebody signed in to a service that is served over real HTTP."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, Page, expect

from deploy.local.embedded import free_port
from shared import tokens

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")
TABS_MAX = 80
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

expect.set_options(timeout=20_000)  # Five seconds are not many on a busy machine.

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Tab:
    """The page, and everything it complained of or fetched from elsewhere."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        answer = await self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == 200, await self.page.inner_text("body")

    async def text(self, selector: str = "main") -> str:
        return " ".join((await self.page.inner_text(selector)).split())

    async def press(self, name: str, *, exact: bool = True) -> None:
        """Reach a button by its name with the keyboard alone, see that it has the focus, and press it."""
        button = self.page.get_by_role("button", name=name, exact=exact).first
        for _ in range(TABS_MAX):
            if await button.evaluate("e => e === document.activeElement"):
                break
            await self.page.keyboard.press("Tab")
        assert await button.evaluate("e => e === document.activeElement && getComputedStyle(e).outlineStyle") == "solid"
        async with self.page.expect_navigation():
            await self.page.keyboard.press("Enter")

    async def overflow(self) -> int:
        """How far the page is wider than the window."""
        return await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    async def accessibility_faults(self) -> list[str]:
        """What axe-core (https://www.deque.com/axe) finds against WCAG 2.2 A and AA: contrast, names, labels."""
        await self.page.evaluate(_axe())
        found = await self.page.evaluate(f"axe.run(document, {{runOnly: {AXE_RULES}, resultTypes: ['violations']}})")
        return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


@asynccontextmanager
async def serving(app: FastAPI, port: int | None = None) -> AsyncIterator[str]:
    """The app over HTTP on a free port; its resources are the caller's, so its lifespan does not run."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server._serve())
    async with asyncio.timeout(60):
        while not server.started:
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@asynccontextmanager
async def window(browser: Browser, url: str, width: int = 1280) -> AsyncIterator[Tab]:
    """A window of somebody's own, with no cookies and one empty tab."""
    context = await browser.new_context(viewport={"width": width, "height": 900})
    tab = Tab(await context.new_page(), url)
    tab.page.on("console", lambda said: tab.complaints.append(said.text) if said.type == "error" else None)
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.page.on("request", lambda r: None if r.url.startswith((url, "data:")) else tab.complaints.append(r.url))
    yield tab
    await context.close()


@asynccontextmanager
async def signed_in(
    browser: Browser, url: str, keys_folder: Path, subject: str, scopes: str = "all", width: int = 1280
) -> AsyncIterator[Tab]:
    """A window of somebody who signed in with a one-time link."""
    async with window(browser, url, width) as tab:
        await tab.page.goto(tokens.make_link(keys_folder, url, subject, scopes, name=f"{subject.title()} L."))
        yield tab
