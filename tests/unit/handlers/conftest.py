"""The application of unit tests, on a node's real services, and a person who is signed in."""

from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from tornado.routing import URLSpec

from handlers.front.server import FrontServer
from handlers.http.additions import NOTHING, Additions
from handlers.http.application import Curfew
from handlers.http.session import SessionHandler
from handlers.pages.not_found import NotFoundHandler
from handlers.pages.start import StartPage
from handlers.pages.static_files import StaticFiles
from handlers.routes import ROUTES
from server.accounts.requester import Requester
from server.core.session import Device
from server.services import Services
from server.sessions.verdicts import LiveSession
from settings import Settings
from tests.support.clients.client import COOKIE, PASSWORD, Client
from tests.support.clients.requests import request


@pytest.fixture
def routes() -> Sequence[URLSpec]:
    """The routes of the application; tests may add some of their own."""
    return ROUTES


@pytest.fixture
def additions() -> Additions:
    """What an application adds; tests may add something."""
    return NOTHING


@pytest.fixture
async def app(
    services: Services,
    configuration: Settings,
    routes: Sequence[URLSpec],
    additions: Additions,
) -> Curfew:
    """The application, which nobody serves yet."""
    return Curfew(
        services,
        configuration,
        routes,
        start_page=StartPage,
        not_found=NotFoundHandler,
        static_files=StaticFiles,
        additions=additions,
    )


@pytest.fixture
async def http_server(app: Curfew, configuration: Settings) -> AsyncIterator[FrontServer]:
    """Serves the application."""
    http_server = FrontServer(app)
    http_server.listen(configuration.port, "127.0.0.1")
    yield http_server
    http_server.stop()
    await http_server.close_all_connections()


@pytest.fixture
async def client(http_server: FrontServer, configuration: Settings) -> AsyncIterator[Client]:  # noqa: ARG001 - it must listen
    """A browser without a session."""
    async with Client(f"http://127.0.0.1:{configuration.port}") as client:
        yield client


@pytest.fixture
def handler_of(app: Curfew) -> Callable[..., SessionHandler]:
    """Makes the handler of a request with the given headers."""

    def make(*headers: tuple[str, str], address: str = "/", host: str = "") -> SessionHandler:
        own = f"localhost:{app.configuration.port}"
        return SessionHandler(app, request(*headers, address=address, host=host or own))

    return make


@pytest.fixture
async def live(services: Services) -> LiveSession:
    """A session that Ada has just begun by her password."""
    await services.accounts.create("ada", PASSWORD)
    requester = Requester(Device("Test/1", "192.0.2.1"))
    found = await services.sign_in.by_password("ada", PASSWORD, requester)
    assert isinstance(found, LiveSession)
    return found


@pytest.fixture
def cookie(app: Curfew, live: LiveSession) -> tuple[str, str]:
    """The header by which a browser shows that session's token."""
    return "Cookie", f"{COOKIE}={app.cookie.encode(str(live.token))}"
