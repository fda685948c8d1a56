"""The recent activity that the owner of an account sees: which events, and how they are merged.

The list is short, and strangers can add to it by failing to sign in. So entries that strangers
can cause have a few places of their own. They are merged there, and never push out other entries.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.core.audit import AuditEntry, AuditEvent
from server.core.reasons import Reason

MAX_ENTRIES: Final = 50
MAX_FAILURES: Final = 15
"""The most entries in `FAILURES`: anybody can cause those, without any right to the account."""
NEAR: Final = 5
"""A new entry is compared with this many of the newest, and merged with one of the same kind …"""
NEAR_SECONDS: Final = 3600.0
"""… that is not older than this. So repeated signing in and out does not fill the list either."""

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
"""The owner of an account can act on these; the other events are for the server's operator."""
_DETAILS: Final = {
    AuditEvent.SESSION_ENDED: "reason",
    AuditEvent.FACTOR_ADDED: "factor",
    AuditEvent.FACTOR_REMOVED: "factor",
    AuditEvent.USER_UPDATED: "change",
}
"""The fact of each event that becomes the entry's `detail`."""
FAILURES: Final = frozenset(
    {AuditEvent.LOGIN_FAIL, AuditEvent.LOGIN_THROTTLED, AuditEvent.SECOND_FACTOR_FAIL}
)


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """One line of the list.

    Attributes:
        event: what happened.
        at: when it happened last, in Unix seconds on the store's clock.
        since: when it happened first, likewise.
        count: how often it happened.
        detail: why a session ended, which factor, or what was changed in the account.
        ip: the address it came from; empty if there was no request, or an administrator's.
        device: what that browser said about itself; empty in the same cases.
        administrator: whether an administrator did it.
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
    """Return what the owner sees of an audit entry; None if that is nothing.

    The owner does not see the address and the browser of an administrator.
    """
    detail = str(entry.facts.get(_DETAILS.get(entry.event, ""), ""))
    if entry.event not in SHOWN or not entry.user:
        return None
    if entry.event is AuditEvent.SESSION_ENDED and detail == Reason.TOKEN_REUSE:
        return None  # shown as AuditEvent.TOKEN_REUSE
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
    """Return the list, newest first, with a new entry added or merged."""
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
    """Merge the two oldest failures if there are too many, then drop the oldest entries."""
    failures = [each for each in entries if each.event in FAILURES]
    if len(failures) > MAX_FAILURES:
        entries = tuple(_joined(entries, failures[-2], failures[-1]))
    return tuple(entries[:MAX_ENTRIES])


def _joined(
    entries: Sequence[ActivityEntry], newer: ActivityEntry, older: ActivityEntry
) -> Iterator[ActivityEntry]:
    """Yield the entries with `older` merged into `newer`; an ip or device that differs is blank."""
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
