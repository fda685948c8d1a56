"""All tours through the pages, and the states that they come to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.sync_api import Browser

from tests.support.browsers.chromium import Windows
from tests.support.pictures.tour import STATES as ACCOUNT_STATES
from tests.support.pictures.tour import Stop, tour
from tests.support.pictures.tour_admin import STATES as ADMIN_STATES
from tests.support.pictures.tour_admin import administration
from tests.support.pictures.tour_factors import STATES as FACTOR_STATES
from tests.support.pictures.tour_factors import two_steps
from tests.support.pictures.tour_limits import IDLE_SECONDS, limits
from tests.support.pictures.tour_limits import STATES as LIMIT_STATES
from tests.support.servers.server import CurfewServer


@dataclass(frozen=True, slots=True)
class Tour:
    """One tour.

    Attributes:
        walk: goes along it.
        states: the names of its stops, in order.
        settings: of its server.
        host: what the server is called in addresses.
    """

    walk: Callable[..., Iterator[Stop]]
    states: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    host: str = "127.0.0.1"

    def stops(self, browser: Browser, **options: Any) -> Iterator[Stop]:
        """Go along it, on a server of its own.

        Args:
            browser: a Chromium.
            options: of the windows that are shown, as of `new_context`.
        """
        met = []
        with CurfewServer(**self.settings) as server:
            windows = Windows(browser, server.url.replace("127.0.0.1", self.host))
            for name, page in self.walk(server, windows, **options):
                met.append(name)
                yield name, page
            windows.close()
        assert windows.faults == []
        assert tuple(met) == self.states


TOURS: Final = {
    # It notices an outage soon, and finds every password stale.
    "account": Tour(tour, ACCOUNT_STATES, {"node_lease": "1s", "reauthentication_window": "1ms"}),
    "two steps": Tour(
        two_steps, FACTOR_STATES, {"reauthentication_window": "1h"}, host="localhost"
    ),
    "administration": Tour(administration, ADMIN_STATES, {"reauthentication_window": "1h"}),
    "limits": Tour(limits, LIMIT_STATES, {"signup": "closed", "idle_timeout": f"{IDLE_SECONDS}s"}),
}
STATES: Final = tuple(name for each in TOURS.values() for name in each.states)
"""Every state that a page can be in."""
