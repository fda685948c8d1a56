"""Ends of sessions, as another node asks for them."""

from dataclasses import replace
from typing import Any

from server.core.events import Scope, SessionsEnded
from server.core.reasons import Reason
from server.sessions.verdicts import LiveSession
from tests.support.engine.memory_node import store_time


def end_of(*lives: LiveSession, scope: Scope = Scope.SESSION, **given: Any) -> SessionsEnded:
    """Return the end of sessions, as the node n2 asked for it just now."""
    end = SessionsEnded(
        scope=scope,
        end_id="e1",
        initiator="n2",
        reason=Reason.ADMIN,
        asked_at=store_time(),
        user="ann",
        shard=0,
        keep="",
        at=store_time(),
        sids=tuple(live.session.sid for live in lives),
    )
    return replace(end, **given)
