"""A context that counts nothing and records nothing, for engines under test."""

import os
import time
from collections.abc import Callable
from typing import Final

from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.counts import Counts


def _nothing(*_: object) -> None:
    """Count nothing."""


UNCOUNTED: Final = Counts(_nothing, _nothing, _nothing, _nothing, _nothing, _nothing, _nothing)


class Unaudited:
    """A `Record` that forgets everything."""

    def __call__(
        self,
        event: AuditEvent,
        *,
        user: str = "",
        sid: str = "",
        ip: str = "",
        device: str = "",
        **facts: str | float,
    ) -> None:
        """Forget the event."""


class Unreadable:
    """A `Record` that notes whose record did not open.

    Attributes:
        users: their names, in order.
    """

    def __init__(self) -> None:
        self.users: list[str] = []

    def __call__(
        self,
        event: AuditEvent,
        *,
        user: str = "",
        sid: str = "",
        ip: str = "",
        device: str = "",
        **facts: str | float,
    ) -> None:
        """Note the user."""
        del sid, ip, device, facts
        assert event is AuditEvent.DECRYPT_FAIL
        self.users.append(user)


def quiet_context(
    now: Callable[[], float] = time.time,
    *,
    node: str = "n1",
    monotonic: Callable[[], float] = time.monotonic,
    random: Callable[[int], bytes] = os.urandom,
) -> NodeContext:
    """Return the context of a node that counts nothing and records nothing.

    Args:
        now: the store's clock, in Unix seconds.
        node: id of the node.
        monotonic: seconds on a clock that is never set back.
        random: returns as many random bytes as asked for.
    """
    return NodeContext(node, now, monotonic, random, UNCOUNTED, Unaudited())
