"""Who may open one more socket here: as many as one user may hold, and as often."""

from collections.abc import Callable
from typing import Final

from server.core.limits import Limits
from server.core.session import Session
from server.realtime.hub import Hub

TOO_MANY: Final = "too_many_sockets"
TOO_OFTEN: Final = "too_many_openings"
TIDY_FROM: Final = 1_000
"""Entries; below it nothing is tidied."""


class SocketAdmission:
    """Counts for one process: what other processes hold is their own affair.

    Args:
        hub: the sockets here.
        monotonic: seconds, never set back.
    """

    def __init__(self, hub: Hub, monotonic: Callable[[], float]) -> None:
        self._hub = hub
        self._monotonic = monotonic
        self._full_at: dict[str, float] = {}
        self._tidy_at = TIDY_FROM

    def refusal(self, session: Session, limits: Limits) -> str | None:
        """Why a session's next socket is not let in, in one word; None if it is.

        Whoever is refused has knocked all the same: that counts as an opening.
        """
        if not self._knock(session.user or session.sid, limits):
            return TOO_OFTEN
        if self._hub.sockets_of_session(session.sid) >= limits.sockets_per_session:
            return TOO_MANY
        if session.user and self._hub.sockets_of_user(session.user) >= limits.sockets_per_user:
            return TOO_MANY
        return None

    def _knock(self, who: str, limits: Limits) -> bool:
        now = self._monotonic()
        full_at = limits.openings.take(self._full_at.get(who, 0.0), now)
        if full_at is None:
            return False
        self._full_at[who] = full_at
        if len(self._full_at) > self._tidy_at:
            self._tidy(now)
        return True

    def _tidy(self, now: float) -> None:
        """Forget whose bucket is full, so that memory is bounded by who came lately."""
        self._full_at = {who: at for who, at in self._full_at.items() if at > now}
        self._tidy_at = max(TIDY_FROM, 2 * len(self._full_at))
