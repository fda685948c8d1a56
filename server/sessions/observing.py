"""Who wants to know of the sessions that this node begins, and of their new tokens."""

from typing import Protocol

from server.core.session import Session


class SessionObserver(Protocol):
    """Is told of sessions. Nothing that it does may fail the request."""

    async def about_to_begin(self, session: Session) -> None:
        """Note a session that is about to be written.

        Raises:
            StoreUnavailable: it is not noted, so the session must not begin.
        """

    async def not_begun(self, session: Session) -> None:
        """Forget a session that was noted and not written."""

    def begun(self, session: Session) -> None:
        """Take note of a session that was written."""

    def rotated(self, session: Session) -> None:
        """Take note of a session's new token."""
