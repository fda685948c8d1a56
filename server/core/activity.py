"""What an account's owner is shown of what happened to it: which events, and how they add up.

Pure. The list is short, and strangers can write to it by failing to sign in; so what strangers
cause has few places of its own and is added up there, and never pushes anything else out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.core.audit import AuditEntry, AuditEvent
from server.core.reasons import Reason

MAX_ENTRIES: Final = 50
MAX_FAILURES: Final = 15
"""Places of all entries that need no right at the account."""
NEAR: Final = 5
"""An entry like one of the newest so many is added to it …"""
NEAR_SECONDS: Final = 3600.0
"""… if that happened within the hour: signing in and out all the time fills no list either."""

SHOWN: Final = frozenset(
    {
        AuditEvent.LOGIN_SUCCESS,
        AuditEvent.LOGIN_FAIL,
        AuditEvent.LOGIN_THROTTLED,
        AuditEvent.SECOND_FACTOR_FAIL,
        AuditEvent.REAUTHENTICATED,
        AuditEvent.PASSWORD_CHANGED,
        AuditEvent.PASSWORD_CHANGE_FAIL,
        AuditEvent.FACTOR_ADDED,
        AuditEvent.FACTOR_REMOVED,
        AuditEvent.RECOVERY_CODE_USED,
        AuditEvent.TOKEN_REUSE,
        AuditEvent.USER_CREATED,
        AuditEvent.USER_UPDATED,
        AuditEvent.SESSION_ENDED,
    }
)
"""The others are for whoever runs the server: they say nothing that an owner could act on."""
_DETAILS: Final = {
    AuditEvent.SESSION_ENDED: "reason",
    AuditEvent.FACTOR_ADDED: "factor",
    AuditEvent.FACTOR_REMOVED: "factor",
    AuditEvent.USER_UPDATED: "change",
}
"""The fact that an entry of this kind is told apart by."""
FAILURES: Final = frozenset(
    {AuditEvent.LOGIN_FAIL, AuditEvent.LOGIN_THROTTLED, AuditEvent.SECOND_FACTOR_FAIL}
)


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """One line of the list.

    Attributes:
        event: what happened.
        at: when it happened last, in Unix seconds on the store's clock.
        since: when it happened first.
        count: how often.
        detail: of which kind: why a session ended, which factor, what of the account was changed.
        ip: where from; empty where nobody asked, or where an administrator did.
        device: what that browser said of itself; empty likewise.
        administrator: whether somebody else with the right to it did this.
    """

    event: AuditEvent
    at: float
    since: float
    count: int = 1
    detail: str = ""
    ip: str = ""
    device: str = ""
    administrator: bool = False


def activity_of(entry: AuditEntry) -> ActivityEntry | None:
    """The line that an owner is shown of an audit entry; None for none.

    An administrator's address and browser are no business of the account's owner.
    """
    detail = str(entry.facts.get(_DETAILS.get(entry.event, ""), ""))
    if entry.event not in SHOWN or not entry.user:
        return None
    if entry.event is AuditEvent.SESSION_ENDED and detail == Reason.TOKEN_REUSE:
        return None  # TOKEN_REUSE says it
    by_other = bool(entry.actor)
    return ActivityEntry(
        event=entry.event,
        at=entry.at,
        since=entry.at,
        detail=detail,
        ip="" if by_other else entry.ip,
        device="" if by_other else entry.device,
        administrator=by_other,
    )


def add(entries: Sequence[ActivityEntry], new: ActivityEntry) -> tuple[ActivityEntry, ...]:
    """The list, newest first, with one more thing that happened."""
    place = _place_of_like(entries, new)
    if place is None:
        return _bounded((new, *entries))
    old = entries[place]
    counted = replace(new, since=min(old.since, new.since), count=old.count + new.count)
    return _bounded((counted, *entries[:place], *entries[place + 1 :]))


def _place_of_like(entries: Sequence[ActivityEntry], new: ActivityEntry) -> int | None:
    for place, old in enumerate(entries[:NEAR]):
        if _kind(old) == _kind(new) and new.at - old.at <= NEAR_SECONDS:
            return place
    return None


def _kind(entry: ActivityEntry) -> tuple[str, str, str, str, bool]:
    return entry.event, entry.detail, entry.ip, entry.device, entry.administrator


def _bounded(entries: Sequence[ActivityEntry]) -> tuple[ActivityEntry, ...]:
    """Adds the two oldest failures up when they are too many; then drops what is oldest."""
    failures = [each for each in entries if each.event in FAILURES]
    if len(failures) > MAX_FAILURES:
        entries = tuple(_joined(entries, failures[-2], failures[-1]))
    return tuple(entries[:MAX_ENTRIES])


def _joined(
    entries: Sequence[ActivityEntry], newer: ActivityEntry, older: ActivityEntry
) -> Iterator[ActivityEntry]:
    """Without `older`, which is counted into `newer`: what differs between them is left out."""
    for each in entries:
        if each is newer:
            yield replace(
                newer,
                since=older.since,
                count=newer.count + older.count,
                ip=newer.ip if newer.ip == older.ip else "",
                device=newer.device if newer.device == older.device else "",
            )
        elif each is not older:
            yield each
