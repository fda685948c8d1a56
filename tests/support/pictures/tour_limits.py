"""A tour along the limits: of time, of tries and of who may sign up, in a real browser."""

from collections.abc import Iterator
from typing import Any, Final

from playwright.sync_api import expect

from tests.support.browsers.chromium import PATIENCE_MS, Windows, fill_in, sign_in
from tests.support.browsers.seen import is_live
from tests.support.clients.client import PASSWORD
from tests.support.pictures.tour import Stop
from tests.support.servers.server import CurfewServer

USERNAME: Final = "grete"
IDLE_SECONDS: Final = 60
"""Of which the last fifth is warned of: long enough to look at the warning."""
STATES: Final = ("signup-closed", "login-throttled", "expiring")


def limits(server: CurfewServer, windows: Windows, **options: Any) -> Iterator[Stop]:
    """Nobody may sign up, or try for ever; and a session whose person does nothing.

    Args:
        server: one with a short idle timeout.
        windows: where to open them.
        options: of the windows that are shown, as of `new_context`.
    """
    assert server.command("user", "add", USERNAME, given=f"{PASSWORD}\n").returncode == 0
    idle = windows.open(**options).new_page()
    sign_in(idle, USERNAME, PASSWORD)
    is_live(idle)
    stranger = windows.open(**options).new_page()
    stranger.goto("/signup")
    yield "signup-closed", stranger
    stranger.goto("/login")
    statuses: set[int] = set()
    stranger.on("response", lambda answer: statuses.add(answer.status))
    while 429 not in statuses:
        fill_in(stranger, "nobody", "not the right one, sorry")
        stranger.wait_for_load_state()
    yield "login-throttled", stranger
    warning = idle.get_by_role("dialog")
    expect(warning).to_be_visible(timeout=IDLE_SECONDS * 1_000 + PATIENCE_MS)
    yield "expiring", idle
    expect(warning).to_be_visible()  # it was there all the while
