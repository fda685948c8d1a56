"""Refuse visitors at once where there was no room a moment ago: a refusal must be cheap.

Sealing a session to learn that there is no room for it costs some ms. A stranger who repeats a
request that was refused would make the server work for nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from server.core.addresses import network_of
from server.core.errors import VisitorsFull
from server.core.session import Device

LONGEST_SECONDS: Final = 1.0
"""How long the store is not asked again. Others at the same address wait for as long, too."""
MOST_NETWORKS: Final = 4096


class VisitorRoom:
    """Remembers which networks had no room, for a moment.

    Args:
        monotonic: seconds on a clock that is never set back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._full_until: dict[str, float] = {}

    @contextmanager
    def of(self, device: Device) -> Iterator[None]:
        """Let a visitor write, and take note if there is no room.

        Args:
            device: that the session was begun with.

        Raises:
            VisitorsFull: there is no room, or there was none a moment ago.
        """
        network, now = network_of(device.ip), self._monotonic()
        if (until := self._full_until.get(network, 0.0)) > now:
            raise VisitorsFull(timedelta(seconds=until - now))
        self._full_until.pop(network, None)
        try:
            yield
        except VisitorsFull as full:
            self._note(network, now + min(full.wait.total_seconds(), LONGEST_SECONDS))
            raise

    def _note(self, network: str, until: float) -> None:
        if len(self._full_until) >= MOST_NETWORKS:
            del self._full_until[next(iter(self._full_until))]
        self._full_until[network] = until
