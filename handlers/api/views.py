"""Sessions, activity and second factors as JSON, without any token, seed, secret or key."""

from collections.abc import Iterable

from handlers.http.devices import describe
from handlers.languages.texts import ENGLISH
from server.core.account import Account
from server.core.activity import ActivityEntry
from server.core.factors import Factors
from server.core.session import Json, Rules, Session, deadlines
from server.store.contract import ListedSession


def session_view(session: Session, rules: Rules) -> dict[str, Json]:
    """Return one's own session."""
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
        **_remembered(session),
    }


def signed_in_view(session: Session, rules: Rules, csrf_token: str) -> dict[str, Json]:
    """Return one's own session, with the CSRF token that its requests must bring."""
    return {"session": session_view(session, rules), "csrf_token": csrf_token}


def list_view(listed: Iterable[ListedSession], current: str) -> dict[str, Json]:
    """Return the list of a user's sessions.

    Args:
        listed: the sessions.
        current: id of the session of the request.
    """
    return {"sessions": [_listed_view(each, current) for each in listed]}


def _listed_view(listed: ListedSession, current: str) -> dict[str, Json]:
    session = listed.session
    return {
        "id": session.sid,
        "current": session.sid == current,
        "device": describe(session.device.user_agent).label(ENGLISH),
        "ip": session.device.ip,
        "created_at": session.created_at,
        "last_active_at": session.last_active_at,
        "sockets": listed.sockets,
        **_remembered(session),
    }


def _remembered(session: Session) -> dict[str, Json]:
    """Return the field that only sessions have whose owner chose to be remembered."""
    return {"remembered": True} if session.remember else {}


def account_view(account: Account) -> dict[str, Json]:
    """Return an account as administrators see it."""
    return {
        "user": account.user,
        "name": account.name,
        "admin": account.admin,
        "disabled": account.disabled,
        "second_factor": account.factors.enabled,
        "created_at": account.created_at,
        "renaming_to": account.moving_to or None,
    }


def activity_view(entry: ActivityEntry) -> dict[str, Json]:
    """Return one entry of an account's recent activity."""
    device = describe(entry.device).label(ENGLISH) if entry.device else None
    return {
        "event": entry.event.value,
        "detail": entry.detail or None,
        "at": entry.at,
        "since": entry.since,
        "count": entry.count,
        "device": device,
        "ip": entry.ip or None,
        "administrator": entry.administrator,
    }


def factors_view(factors: Factors) -> dict[str, Json]:
    """Return second factors as their owner sees them."""
    passkeys: list[Json] = [
        {
            "id": each.id,
            "name": each.name,
            "site": each.site,
            "added_at": each.added_at,
            "last_used_at": each.last_used_at,
        }
        for each in factors.passkeys
    ]
    return {
        "totp": {"added_at": factors.totp.added_at} if factors.totp else None,
        "passkeys": passkeys,
        "recovery_codes_left": factors.recovery_codes_left,
    }
