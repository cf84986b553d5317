"""A real browser for the tests of the page; any script error in it fails the test."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.support.api import Api, running_api

expect.set_options(timeout=30_000)  # five seconds are not much for a busy machine


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--disable-dev-shm-usage", "--disable-component-update", "--no-first-run"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=flags)
        yield started
        started.close()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with running_api(tmp_path) as server:
        yield server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test on any script error, refused resource or foreign request."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",  # what moves for ever costs most of the time
    )
    context.set_default_timeout(30_000)
    opened = context.new_page()
    troubles: list[str] = []
    failed: list[tuple[str, str | None]] = []
    opened.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    opened.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))

    def heard(message) -> None:
        if "Content Security Policy" in message.text or "Uncaught" in message.text:
            troubles.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:")):
            troubles.append(request.url)

    asked_for, answered = Counter[str](), Counter[str]()
    opened.on("request", lambda request: asked_for.update([request.url]))
    opened.on("requestfinished", lambda request: answered.update([request.url]))
    opened.on("requestfailed", lambda request: failed.append((request.url, request.failure)))
    opened.on("console", heard)
    opened.on("request", asked)
    yield opened
    # What is shown where the test failed.
    sys.stderr.write(f"failed: {failed}, not answered: {sorted(asked_for - answered)}\n")
    context.close()
    assert troubles == []
