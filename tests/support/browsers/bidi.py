"""WebDriver BiDi, the W3C's protocol to drive browsers, as far as the tests need it.

Firefox speaks it by itself, without a driver program: https://w3c.github.io/webdriver-bidi/.
"""

import itertools
import json
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

ANSWER_SECONDS = 30.0


class CommandFailed(Exception):
    """The browser could not do it."""


class Bidi:
    """One session with a browser.

    Attributes:
        events: what the browser told without being asked, of the kinds that were subscribed to.
    """

    def __init__(self, url: str) -> None:
        """Nothing is sent yet.

        Args:
            url: the WebSocket that the browser listens on.
        """
        self.events: list[dict[str, Any]] = []
        self._opening = connect(f"{url}/session", max_size=None)
        self._numbers = itertools.count(1)

    def command(self, method: str, **params: Any) -> Any:
        """Send a command and wait for its result.

        Raises:
            CommandFailed: the browser refused.
        """
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := self._receive()).get("id") != number:
            self.events.append(answer)
        if answer["type"] == "error":
            raise CommandFailed(f"{method}: {answer['error']}: {answer['message']}")
        return answer["result"]

    def __enter__(self) -> Self:
        """Connect, and begin a session."""
        self._socket: ClientConnection = self._opening.__enter__()
        self.command("session.new", capabilities={})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the browser."""
        self.command("browser.close")
        self._opening.__exit__(kind, error, traceback)

    def _receive(self) -> dict[str, Any]:
        received: dict[str, Any] = json.loads(self._socket.recv(timeout=ANSWER_SECONDS))
        return received
