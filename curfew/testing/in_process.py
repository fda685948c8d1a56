"""An application in the test's own process and on its own loop, with a store of its own."""

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from curfew.application import Application
from curfew.testing.client import Client
from curfew.testing.control import end_session, move_clock
from curfew.testing.defaults import DEFAULTS
from curfew.testing.ports import free_port
from handlers.front.server import FrontServer
from handlers.http.application import Curfew
from handlers.http.node import Node
from handlers.serving.lifecycle import application_running
from handlers.serving.process import application_of
from server.core.reasons import Reason
from server.embedded.store import EmbeddedStore
from server.services import Services, open_services
from server.store.account_contract import OpenAccounts
from settings import Settings, load_settings


class OpenedServices:
    """The services of a node within a test's own process, without HTTP.

    One task opens and closes them, as their task group asks for.

    Args:
        settings: of the node.
        accounts: opens the accounts, where an application keeps them itself.
    """

    def __init__(self, settings: Settings, accounts: OpenAccounts | None = None) -> None:
        self._settings = settings
        self._accounts = accounts
        self._over = asyncio.Event()

    async def open(self) -> Services:
        """Open them."""
        opened: asyncio.Future[Services] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(opened))
        self._task.add_done_callback(lambda _: opened.cancel())
        try:
            return await opened
        except asyncio.CancelledError:
            await self._task
            raise

    async def close(self) -> None:
        """Close them."""
        self._over.set()
        await self._task

    async def _hold(self, opened: "asyncio.Future[Services]") -> None:
        async with open_services(self._settings, accounts=self._accounts) as services:
            opened.set_result(services)
            await self._over.wait()


class InProcess:
    """An application that serves on the test's own loop. Use it as an asynchronous context manager.

    Its handlers can be looked into, and breakpoints work. What needs several processes is for
    `Server`.

    Args:
        application: the application.
        port: where it listens; by default a free one.
        variables: its own settings, and Curfew's, as environment variables.

    Attributes:
        node: the process, as the application's handlers get it.
        tornado: the Tornado application: what a fixture `app` of pytest-tornado returns.
    """

    node: Node
    tornado: Curfew

    def __init__(
        self,
        application: Application,
        *,
        port: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._application = application
        self.port = port or free_port()
        self._variables = dict(variables or {})
        self._folder = tempfile.TemporaryDirectory(prefix="curfew-in-process-")

    @property
    def url(self) -> str:
        """Where it serves; also its own origin."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Client:
        """Return a browser without a session, as an asynchronous context manager."""
        return Client(self.url)

    def travel(self, forward: timedelta) -> None:
        """Move the clock forward."""
        self._forward(forward.total_seconds())

    async def end_session(self, sid: str, reason: Reason = Reason.ADMIN) -> bool:
        """End a session now; return whether there was one.

        Args:
            sid: the id of the session, such as a client's.
            reason: why it ends.
        """
        return await end_session(self.node, sid, reason)

    async def open(self, *, listens: bool = True) -> Self:
        """Start the store and the application.

        Args:
            listens: whether to serve. pytest-tornado's `http_server` serves `tornado` itself.
        """
        async with AsyncExitStack() as opened:
            opened.callback(self._folder.cleanup)
            settings = self._settings()
            if not settings.store_url:
                store = EmbeddedStore(settings.data_dir)
                await asyncio.to_thread(store.start)
                opened.push_async_callback(asyncio.to_thread, store.stop)
            additions = self._application.additions(self._variables)
            services = OpenedServices(settings, additions.accounts)
            self.node = Node(await services.open(), settings, additions.settings, serves=True)
            opened.push_async_callback(services.close)
            self._forward = move_clock(self.node)
            await opened.enter_async_context(
                application_running(additions, self.node, place=0, leave=_fail)
            )
            self.tornado = application_of(self.node.services, settings, additions, self.node)
            if listens:
                server = FrontServer(self.tornado)
                server.listen(self.port, "127.0.0.1")
                opened.push_async_callback(server.close_all_connections)
                opened.callback(server.stop)
            self._opened = opened.pop_all()  # until `close`; after a failure, it is closed here
        return self

    async def close(self) -> None:
        """Stop the application and the store."""
        await self._opened.aclose()

    def _settings(self) -> Settings:
        given = {
            **DEFAULTS,
            "CURFEW_DATA_DIR": str(Path(self._folder.name) / "data"),
            "CURFEW_PORT": str(self.port),
            "CURFEW_NODE_LEASE": "1m",  # the loop stands still at a breakpoint
            **self._variables,
        }
        data_dir = Path(given["CURFEW_DATA_DIR"])
        data_dir.mkdir(parents=True, exist_ok=True)
        return load_settings(given)

    async def __aenter__(self) -> Self:
        """Start."""
        return await self.open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.close()


def _fail(text: str) -> Any:
    raise AssertionError(text)
