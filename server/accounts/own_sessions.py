"""One's own sessions: list them, end one, end several, log out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.accounts.outcomes import Denial
from server.accounts.requester import Person
from server.core.audit import AuditEvent, Record
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.core.session import Session
from server.core.token import is_sid
from server.sessions.manager import SessionManager
from server.sessions.terminations import Terminations
from server.store.contract import ListedSession


class EndScope(StrEnum):
    """Which of one's own sessions end."""

    OTHERS = "others"
    """All but the one that asks."""
    ALL = "all"
    """The one that asks, too."""


@dataclass(frozen=True, slots=True)
class OwnSessionsEnded:
    """The truth about an end.

    Attributes:
        receipt: of the end.
        this_too: whether the session that asked is among them.
    """

    receipt: Receipt
    this_too: bool


class OwnSessions:
    """Lists and ends a person's own sessions.

    Args:
        sessions: lists them.
        terminations: ends them.
        record: keeps the audit trail.
    """

    def __init__(
        self, sessions: SessionManager, terminations: Terminations, record: Record
    ) -> None:
        self._sessions = sessions
        self._terminations = terminations
        self._record = record

    async def all_of(self, person: Person) -> Sequence[ListedSession]:
        """Return the person's live sessions, the most recently used first."""
        return await self._sessions.sessions_of(person.user)

    async def find(self, person: Person, sid: str) -> ListedSession | Denial:
        """Return one of the person's own sessions. Unknown and somebody else's are denied alike.

        A try with somebody else's is recorded; one with a session that has ended meanwhile is none.
        """
        for listed in await self.all_of(person):
            if listed.session.sid == sid:
                return listed
        current = await self._sessions.current(sid) if is_sid(sid) else NoSession()
        if isinstance(current, Session):
            if current.user == person.user:  # a replica had listed them; see `store.absence`
                return ListedSession(current, 0)
            self._record(
                AuditEvent.DIRECT_REFERENCE, **person.concerning(), target=sid, path=person.path
            )
        return Denial.SESSION_NOT_FOUND

    async def log_out(self, person: Person) -> Receipt:
        """End the session that asks, everywhere.

        Raises:
            StoreUnavailable: not known to have ended; asking again is safe. Likewise below.
        """
        return await self._terminations.one(person.live.session, Reason.LOGOUT)

    async def end_one(self, person: Person, sid: str) -> OwnSessionsEnded | Denial:
        """End one of the person's own sessions."""
        if sid == person.sid:
            return OwnSessionsEnded(await self.log_out(person), this_too=True)
        found = await self.find(person, sid)
        if isinstance(found, Denial):
            return found
        receipt = await self._terminations.one(found.session, Reason.TERMINATED)
        return OwnSessionsEnded(receipt, this_too=False)

    async def end_many(self, person: Person, scope: EndScope) -> OwnSessionsEnded:
        """End several of the person's own sessions."""
        this_too = scope is EndScope.ALL
        keep = None if this_too else person.sid
        receipt = await self._terminations.all_of(person.user, Reason.TERMINATED, keep=keep)
        return OwnSessionsEnded(receipt, this_too)
