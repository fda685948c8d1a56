"""The application of pytest-tornado's fixtures: everything real, on the shared Valkey."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

import server.services
from handlers.http.application import Curfew
from handlers.pages.not_found import NotFoundHandler
from handlers.pages.start import StartPage
from handlers.pages.static_files import StaticFiles
from handlers.routes import ROUTES
from server.crypto.passwords import CHEAPEST, PasswordHasher
from server.services import Services
from settings import Settings, load_settings
from tests.support.clients.browser import Browser
from tests.support.running.processes import PATIENCE_SECONDS
from tests.support.secrets.leaks import SEARCH
from tests.support.secrets.store_secrets import KEEPERS, Keeper, note_derived, note_seeds
from tests.support.servers.opened import Opened


@pytest.fixture
def variables() -> dict[str, str]:
    """Settings of the test, without their prefix; tests parametrise this."""
    return {}


@pytest.fixture
def configuration(
    store_url: str, http_port: int, tmp_path: Path, variables: dict[str, str]
) -> Settings:
    """The settings of the application."""
    given = {
        "DATA_DIR": str(tmp_path),
        "STORE_URL": store_url,
        "PORT": str(http_port),
        "NODE_LEASE": "1m",  # a renewal also reads the store's clock, which `travel` sets
        **variables,
    }
    return load_settings({f"CURFEW_{name}": value for name, value in given.items()})


@pytest.fixture
def services(
    io_loop: IOLoop, configuration: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    """The session engine; only the cost of a password hash is that of tests."""
    monkeypatch.setattr(server.services, "PasswordHasher", partial(PasswordHasher, CHEAPEST))
    opened = Opened(configuration)
    keys = configuration.secret_keys
    note_derived(SEARCH, list(keys))
    keeper = KEEPERS[configuration.port] = Keeper(configuration.store_url or "", tuple(keys))
    yield io_loop.run_sync(opened.open, timeout=PATIENCE_SECONDS)
    note_seeds(SEARCH, keeper)
    io_loop.run_sync(opened.close, timeout=PATIENCE_SECONDS)


@pytest.fixture
def app(services: Services, configuration: Settings) -> Curfew:
    """The application that pytest-tornado's `http_server` serves."""
    return Curfew(
        services,
        configuration,
        ROUTES,
        start_page=StartPage,
        not_found=NotFoundHandler,
        static_files=StaticFiles,
    )


@pytest.fixture
def new_browser(
    app: Curfew,  # noqa: ARG001 - tests that need a browser may parametrise its `variables`
    http_client: AsyncHTTPClient,
    base_url: str,
) -> Callable[[], Browser]:
    """Opens browsers without a session."""
    return lambda: Browser(http_client, base_url)


@pytest.fixture
def browser(new_browser: Callable[[], Browser]) -> Browser:
    """A browser without a session."""
    return new_browser()


@pytest.fixture
def travel(services: Services) -> Callable[[float], None]:
    """Sets the clock forward by some seconds."""

    def forward(seconds: float) -> None:
        services.clock.learn(services.clock.now() + seconds, asked_at=time.monotonic())

    return forward
