"""What a service manager such as systemd is told of this server, as sd_notify(3) says.

Each message is one datagram to the socket that `NOTIFY_SOCKET` names. Without that variable nobody
is told anything. A message that does not arrive changes nothing here.
"""

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, Self

UNTIL_READY_SECONDS: Final = 0.1
"""The time between two looks at whether a worker serves already."""
FEEDS: Final = 3
"""Messages to the watchdog within its limit; systemd asks for two at least."""
_MICRO: Final = 1_000_000


class ServiceManager:
    """Tells one, or nobody.

    Args:
        address: of its socket; empty if there is none.
        watchdog: seconds without a message after which it ends this server; None for never.
        monotonic: a clock in seconds that is never set back.
    """

    def __init__(
        self,
        address: str = "",
        watchdog: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Tell nothing yet."""
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._feed_seconds = watchdog / FEEDS if watchdog and address else None
        self._monotonic = monotonic
        self._fed_at = float("-inf")
        self._is_ready = False
        self._status = ""

    @classmethod
    def of_environment(cls, variables: Mapping[str, str], pid: int) -> Self:
        """Return the one that has started this process.

        Args:
            variables: by name.
            pid: this process; what was meant for another one is not used.
        """
        address = variables.get("NOTIFY_SOCKET", "")
        limit = variables.get("WATCHDOG_USEC", "")
        is_ours = variables.get("WATCHDOG_PID", str(pid)) == str(pid)
        watchdog = int(limit) / _MICRO if limit.isdecimal() and is_ours else None
        return cls(address if address[:1] in {"/", "@"} else "", watchdog or None)

    @property
    def seconds_left(self) -> float | None:
        """The longest time until the next `look`; None if it need not look."""
        if not self._address:
            return None
        return self._feed_seconds if self._is_ready else UNTIL_READY_SECONDS

    def starting(self, seconds: float) -> None:
        """Tell that the start may take so long: it may wait for the store."""
        self._tell(
            "STATUS=Starting: the store must answer, and then the workers.",
            f"EXTEND_TIMEOUT_USEC={int(seconds * _MICRO)}",
        )

    def look(self, *, serving: int, workers: int, alive: bool, reloading: bool = False) -> None:
        """Tell what has changed since the last look, and feed the watchdog if it is due.

        Args:
            serving: how many workers serve.
            workers: how many there should be.
            alive: whether the server can be expected to mend itself. If not, the watchdog is not
                fed, and so the service manager starts it anew.
            reloading: whether a reload is under way.
        """
        if serving and not self._is_ready and not reloading:
            self._is_ready = True
            self._tell("READY=1")
        status = f"Workers that serve: {serving} of {workers}."
        if self._is_ready and status != self._status:
            self._status = status
            self._tell(f"STATUS={status}")
        if alive:
            self._feed()

    def reloading(self) -> None:
        """Tell that a reload begins. The next `look` without one tells that it is done."""
        self._is_ready = False
        self._status = ""
        # What Type=notify-reload asks for: the clock says which of several reloads it is.
        now = int(self._monotonic() * _MICRO)
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now}", "STATUS=Reloading.")

    def stopping(self, seconds: float) -> None:
        """Tell that the server stops, and how long this may take at most."""
        self._is_ready = True
        self._status = ""
        self._tell(
            "STOPPING=1",
            "STATUS=Stopping: clients go to other servers, and requests get their answers.",
            f"EXTEND_TIMEOUT_USEC={int(seconds * _MICRO)}",
        )

    def feed_while_stopping(self) -> None:
        """Feed the watchdog if it is due."""
        self._feed()

    def _feed(self) -> None:
        now = self._monotonic()
        # Each look is a chance, and the next one may come a whole second later.
        if self._feed_seconds is not None and now - self._fed_at >= self._feed_seconds / 2:
            self._fed_at = now
            self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # Neither a manager that is gone nor one that does not read may hinder the server.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(lines).encode(), self._address)
