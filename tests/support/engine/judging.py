"""A node that judges one session of Ann's."""

from collections.abc import Callable
from dataclasses import replace

from server.core.events import Event
from server.core.policy import Accept, End, Verdict
from server.core.reasons import NoSession, Reason
from server.core.session import Session
from server.sessions.verdicts import LiveSession, TokenRefused, Verdicts
from server.store.contract import Loaded, Stored
from tests.support.engine.memory_node import RULES, MemoryNode


class Judging:
    """A node's verdicts, and a session of Ann's.

    Attributes:
        judged: the records that were judged, in order.
    """

    def __init__(self) -> None:
        self.node = MemoryNode()
        self.verdicts = Verdicts(self.node.store, RULES, self.node.context)
        self.judged: list[Session] = []

    async def arrive(self) -> LiveSession:
        """Sign in."""
        self.live = await self.node.sign_in()
        self.sid = self.live.session.sid
        self.node.recorded.events.clear()
        self.node.memory.control.trim()
        return self.live

    async def apply(
        self, judge: Callable[[Session], Verdict], known: Stored | None = None
    ) -> LiveSession | NoSession | TokenRefused:
        """Apply a verdict to the session."""

        def noting(session: Session) -> Verdict:
            self.judged.append(session)
            return judge(session)

        return await self.verdicts.apply(self.sid, noting, known)

    def stored(self) -> Session:
        """Return the record in the store."""
        return self.node.memory.records[self.sid][0]

    def published(self) -> list[Event]:
        """Return the events since the sign-in."""
        return [entry for _, entry in self.node.memory.control.entries]  # type: ignore[misc]

    def answer_load_with(self, loaded: Loaded) -> None:
        """Let the store find something else."""

        async def load(sid: str) -> Loaded:
            del sid
            return loaded

        self.node.store.load = load  # type: ignore[method-assign]


def accept(session: Session) -> Accept:
    """Change nothing."""
    return Accept(session)


def add(key: str) -> Callable[[Session], Accept]:
    """Add a key to the data."""
    return lambda session: Accept(replace(session, data={**session.data, key: True}), changed=True)


def end(_: Session) -> End:
    """End the session."""
    return End(Reason.IDLE_TIMEOUT)
