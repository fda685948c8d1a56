"""Sessions as clients see them: never a token, a seed or a key."""

from handlers.http.devices import describe
from handlers.languages.texts import ENGLISH
from server.core.session import Json, Rules, Session, deadlines
from server.store.contract import ListedSession


def session_view(session: Session, rules: Rules) -> dict[str, Json]:
    """One's own session."""
    until = deadlines(session, rules)
    return {
        "id": session.sid,
        "user": session.user,
        "generation": session.generation,
        "created_at": session.created_at,
        "authenticated_at": session.authenticated_at,
        "last_active_at": session.last_active_at,
        "idle_expires_at": until.idle_expires_at,
        "absolute_expires_at": until.absolute_expires_at,
    }


def listed_view(listed: ListedSession, current: str) -> dict[str, Json]:
    """One entry of the list of a user's sessions.

    Args:
        listed: the entry.
        current: id of the session that asks.
    """
    session = listed.session
    return {
        "id": session.sid,
        "current": session.sid == current,
        "device": describe(session.device.user_agent).in_words(ENGLISH),
        "ip": session.device.ip,
        "created_at": session.created_at,
        "last_active_at": session.last_active_at,
        "sockets": listed.sockets,
    }
