"""What happened to one's own account lately: for programs, and as words for the account page."""

from dataclasses import dataclass

from handlers.http.base import BaseHandler
from handlers.http.devices import describe
from handlers.languages.texts import ENGLISH, Language
from server.core.activity import ActivityEntry
from server.core.audit import AuditEvent
from server.core.session import Json


class ActivityResource(BaseHandler):
    """`GET /api/activity`"""

    async def get(self) -> None:
        entries = await self.services.activity.of(self.user)
        self.finish_json({"activity": [activity_view(each) for each in entries]})


def activity_view(entry: ActivityEntry) -> dict[str, Json]:
    """One entry as programs get it."""
    return {
        "event": entry.event.value,
        "detail": entry.detail or None,
        "at": entry.at,
        "since": entry.since,
        "count": entry.count,
        "device": _device(entry, ENGLISH) or None,
        "ip": entry.ip or None,
        "administrator": entry.administrator,
    }


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One entry on the account page.

    Attributes:
        what: a sentence.
        times: how often, in words; empty for once.
        where: browser and address, or who; empty where nobody asked for it.
        at: when it happened last.
    """

    what: str
    times: str
    where: str
    at: float


def activity_line(entry: ActivityEntry, language: Language) -> ActivityLine:
    """One entry in words."""
    where = [part for part in (_device(entry, language), entry.ip) if part]
    if entry.administrator:
        where = [language.text("activity.administrator")]
    return ActivityLine(
        what=language.text(_key(entry)),
        times=language.text("activity.times", count=entry.count) if entry.count > 1 else "",
        where=", ".join(where),
        at=entry.at,
    )


def _key(entry: ActivityEntry) -> str:
    """Of the sentence; ends and changes of the account have one for each detail."""
    key = f"activity.{entry.event.value}"
    if entry.event is AuditEvent.SESSION_ENDED:
        return f"{key}.{entry.detail}"
    if entry.event is AuditEvent.USER_UPDATED:
        return f"{key}.{entry.detail if entry.detail in {'disabled', 'enabled'} else 'changed'}"
    return key


def _device(entry: ActivityEntry, language: Language) -> str:
    return describe(entry.device).in_words(language) if entry.device else ""
