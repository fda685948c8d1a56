"""Whether a node may serve a session is asked of the fence of that session."""

from dataclasses import replace

from server.core.reasons import NoSession, Reason
from tests.support.engine.memory_node import MemoryNode
from tests.support.engine.virtual_time import on_virtual_time


@on_virtual_time
async def test_a_session_is_served_while_its_fence_is_open() -> None:
    node = MemoryNode()
    sockets = node.engine.socket_dependencies
    assert not sockets.may_serve(None)
    node.open_fence()
    session = (await node.sign_in()).session
    asked: list[str] = []

    class Fences:
        """Notes whose fence is asked for."""

        is_open = False

        def of(self, sid: str) -> object:
            """See the real ones."""
            asked.append(sid)
            return node.fence

    sockets = replace(sockets, fence=Fences())  # type: ignore[arg-type]
    assert sockets.may_serve(session)
    assert asked == [session.sid]
    assert not sockets.may_serve(NoSession(Reason.LOGOUT))
