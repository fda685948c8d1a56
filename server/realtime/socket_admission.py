"""Decides whether one more socket may open here: how many a user may have, and how often."""

from collections.abc import Callable
from typing import Final

from server.core.limits import Limits
from server.core.session import Session
from server.realtime.hub import Hub

TOO_MANY: Final = "too_many_sockets"
TOO_OFTEN: Final = "too_many_openings"
TIDY_FROM: Final = 1_000
"""Entries; a smaller table is not tidied."""


class SocketAdmission:
    """Counts the sockets of this process. Each process counts its own.

    Args:
        hub: the sockets on this node.
        monotonic: seconds on a clock that is never set back.
    """

    def __init__(self, hub: Hub, monotonic: Callable[[], float]) -> None:
        self._hub = hub
        self._monotonic = monotonic
        self._full_at: dict[str, float] = {}
        self._tidy_at = TIDY_FROM

    def refusal(self, session: Session, limits: Limits) -> str | None:
        """Return why the session may not open one more socket, in one word; None if it may.

        A refused try counts as an opening, too.
        """
        if not self._count_opening(session.user or session.sid, limits):
            return TOO_OFTEN
        if self._hub.sockets_of_session(session.sid) >= limits.sockets_per_session:
            return TOO_MANY
        if session.user and self._hub.sockets_of_user(session.user) >= limits.sockets_per_user:
            return TOO_MANY
        return None

    def _count_opening(self, who: str, limits: Limits) -> bool:
        now = self._monotonic()
        full_at = limits.openings.take(self._full_at.get(who, 0.0), now)
        if full_at is None:
            return False
        self._full_at[who] = full_at
        if len(self._full_at) > self._tidy_at:
            self._tidy(now)
        return True

    def _tidy(self, now: float) -> None:
        """Remove full buckets, so that memory is limited by who opened a socket recently."""
        self._full_at = {who: at for who, at in self._full_at.items() if at > now}
        self._tidy_at = max(TIDY_FROM, 2 * len(self._full_at))
