"""Says that a trusted proxy does not name its clients, so that all of them are taken for one."""

import logging
from collections.abc import Callable

from server.core.forwarded import Unnamed, shape_of

log = logging.getLogger("curfew.http")


class UnnamedClients:
    """Counts requests whose client is not known, and logs the first one of each kind.

    Args:
        count: counts one.
    """

    def __init__(self, count: Callable[[Unnamed], None]) -> None:
        self._count = count
        self._told: set[Unnamed] = set()

    def met(self, proxy: str, why: Unnamed, entry: str) -> None:
        """Note a request.

        Args:
            proxy: the address of the trusted proxy.
            why: why the request's client is not known.
            entry: what the proxy says of it.
        """
        self._count(why)
        if why not in self._told:
            self._told.add(why)
            log.warning(
                "a trusted proxy's X-Forwarded-For names no client: all of its clients share the "
                "proxy's address, and one who guesses passwords slows down everybody's sign-in",
                extra={"proxy": proxy, "why": why.value, "shape": shape_of(entry)},
            )
