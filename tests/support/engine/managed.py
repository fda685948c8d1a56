"""A node's session manager and a session of Ann's, for unit tests."""

from server.core.session import Rules, Session
from server.core.token import Token
from server.sessions.manager import SessionManager
from server.sessions.verdicts import LiveSession
from tests.support.engine.memory_node import RULES, MemoryNode, new_memory


class Managed:
    """Two nodes without sockets on one store, and a session of Ann's."""

    def __init__(self, rules: Rules = RULES) -> None:
        memory = new_memory(rules)
        self.node, self.other = MemoryNode(memory, rules=rules), MemoryNode(memory, name="n2")
        self.sessions: SessionManager = self.node.engine.sessions

    async def arrive(self) -> LiveSession:
        """Sign in; return the session as the next request has it."""
        made = await self.node.sign_in()
        assert made.token is not None
        self.token = made.token
        return await self.live(self.token)

    async def live(self, token: Token) -> LiveSession:
        """Return a session that a token is accepted for."""
        found = await self.sessions.check(token)
        assert isinstance(found, LiveSession)
        return found

    def stored(self, live: LiveSession) -> Session:
        """Return the record in the store."""
        return self.node.memory.records[live.session.sid][0]
