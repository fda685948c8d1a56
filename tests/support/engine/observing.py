"""Who is told of sessions, and notes it."""

from server.core.errors import StoreUnavailable
from server.core.session import Session


class Observing:
    """A `SessionObserver` that notes what it is told, and may have no store.

    Attributes:
        told: what, in order.
    """

    def __init__(self, *, fails: bool = False) -> None:
        self.told: list[tuple[str, str]] = []
        self._fails = fails

    async def about_to_begin(self, session: Session) -> None:
        """See `SessionObserver`."""
        if self._fails:
            raise StoreUnavailable("note", "TimeoutError")
        self.told.append(("about to begin", session.sid))

    async def not_begun(self, session: Session) -> None:
        """See `SessionObserver`."""
        self.told.append(("not begun", session.sid))

    def begun(self, session: Session) -> None:
        """See `SessionObserver`."""
        self.told.append(("begun", session.sid))

    def rotated(self, session: Session) -> None:
        """See `SessionObserver`."""
        self.told.append(("rotated", session.sid))
