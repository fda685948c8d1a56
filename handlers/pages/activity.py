"""Turns recent activity into words, for the account page."""

from dataclasses import dataclass

from handlers.http.devices import describe
from handlers.languages.texts import Language
from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One entry on the account page.

    Attributes:
        what: what happened, as a sentence.
        times: how often, in words; empty for once.
        where: browser and address, or who did it; empty if no request caused it.
        at: when it last happened, in Unix seconds.
    """

    what: str
    times: str
    where: str
    at: float


def activity_line(entry: ActivityEntry, language: Language) -> ActivityLine:
    """Return one entry in words."""
    device = describe(entry.device).label(language) if entry.device else ""
    where = [part for part in (device, entry.ip) if part]
    if entry.administrator:
        where = [language.text("activity.administrator")]
    return ActivityLine(
        what=language.text(_key(entry)),
        times=language.text("activity.times", count=entry.count) if entry.count > 1 else "",
        where=", ".join(where),
        at=entry.at,
    )


def _key(entry: ActivityEntry) -> str:
    """Return the key of the sentence. Ends and account changes have one for each detail."""
    key = f"activity.{entry.event.value}"
    if entry.event is AuditEvent.SESSION_ENDED:
        return f"{key}.{entry.detail}"
    if entry.event is AuditEvent.USER_UPDATED:
        return f"{key}.{entry.detail if entry.detail in {'disabled', 'enabled'} else 'changed'}"
    return key
