"""A browser that is set to refuse all cookies."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect, sync_playwright

from tests.support.browsers.chromium import FLAGS, executable, fill_in
from tests.support.clients.client import PASSWORD
from tests.support.servers.server import CurfewServer

pytestmark = pytest.mark.browser

BLOCK = 2
"""Chromium's number for it (ContentSetting)."""


@pytest.fixture
def refusing(server: CurfewServer, tmp_path: Path) -> Iterator[BrowserContext]:
    """As somebody has set it up in the settings of their browser."""
    (tmp_path / "Default").mkdir()
    chosen = {"profile": {"default_content_setting_values": {"cookies": BLOCK}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(chosen), encoding="utf-8")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=executable(), args=list(FLAGS), base_url=server.url
        )
        yield context
        context.close()


def test_whoever_signs_in_without_cookies_is_told_what_to_do(
    refusing: BrowserContext, username: str
) -> None:
    page = refusing.new_page()
    for form in ("/signup", "/login"):
        page.goto(form)
        fill_in(page, username, PASSWORD)
        expect(page.locator("#no-cookie")).to_be_visible()
        expect(page.locator("#no-cookie code")).to_have_text("CURFEW_TLS_CERT=self make run")
    assert refusing.cookies() == []
