"""Carries the policy's verdicts out: load, judge, save, and again when another writer was first.

What is expected comes back as a value: `LiveSession`, `NoSession` or `TokenRefused`.
`StoreUnavailable` passes through: unknown is not ended (P5).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.core.audit import AuditEvent, Record
from server.core.errors import WriteConflict
from server.core.events import Event, SessionExtended, TokenRotated
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import NoSession, Reason
from server.core.session import Rules, Session, deadlines, warning_time
from server.core.token import Token
from server.store.contract import (
    Conflict,
    Loaded,
    Saved,
    SessionStore,
    Stored,
    Tombstone,
    Unreadable,
)

log = logging.getLogger("curfew.sessions")

MAX_TRIES: Final = 16
"""Writers of one process take turns, so a try is only lost to another process."""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """The session is live; serve it.

    Attributes:
        stored: the record and its revision.
        token: to be set as the cookie; None leaves the browser's cookie alone.
        presented: the number of the token that the request came with, or has been handed.
    """

    stored: Stored
    token: Token | None = None
    presented: int = 0

    @property
    def session(self) -> Session:
        """The record."""
        return self.stored.session


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The token is not served, and its session lives on."""

    why: Refusal


class Verdicts:
    """Applies verdicts to the store.

    Args:
        store: where sessions are.
        rules: the durations in force.
        now: the store's clock, in Unix seconds.
        new_id: makes operation and event ids.
        node: this node's id.
        ended: told of every end.
        record: told what is worth looking into.
    """

    def __init__(
        self,
        store: SessionStore,
        rules: Rules,
        now: Callable[[], float],
        new_id: Callable[[], str],
        node: str,
        ended: Callable[[Reason], object],
        record: Record,
    ) -> None:
        self._store = store
        self._ended = ended
        self._record = record
        self._rules = rules
        self._now = now
        self._new_id = new_id
        self._node = node

    async def apply(
        self, sid: str, judge: Callable[[Session], Verdict], known: Stored | None = None
    ) -> LiveSession | NoSession | TokenRefused:
        """Load, judge, save; from the start when another writer was first.

        Args:
            sid: the session.
            judge: pure; may be called several times, with fresher records.
            known: a record that was just loaded, which saves loading it again.
        """
        for _ in range(MAX_TRIES):
            loaded: Loaded = known or await self._store.load(sid)
            if not isinstance(loaded, Stored):
                return self._not_live(sid, loaded)
            verdict = judge(loaded.session)
            # A record from earlier may lead to a write, which the store compares with its own, or
            # to nothing; no end and no token may come of it.
            is_old, known = known is not None, None
            if is_old and not _is_safe_to_believe(verdict):
                continue
            if isinstance(verdict, End):
                return await self.end(loaded.session, verdict.reason)
            if isinstance(verdict, Refuse):
                return TokenRefused(verdict.why)
            saved = await self._save(loaded, verdict)
            if not isinstance(saved, Conflict):
                return saved
        raise WriteConflict(sid, MAX_TRIES)

    async def _save(self, loaded: Stored, verdict: Accept) -> LiveSession | NoSession | Conflict:
        if not (verdict.changed or loaded.stale_key):
            return LiveSession(loaded, verdict.token)
        saved = await self._store.save(
            verdict.session,
            based_on=loaded.revision,
            operation=self._new_id(),
            event=self._event(loaded.session, verdict),
        )
        if isinstance(saved, Saved):
            self._tell_renewed(verdict)
            return LiveSession(Stored(verdict.session, saved.revision), verdict.token)
        if isinstance(saved, Conflict):
            return saved
        return self._not_live(loaded.session.sid, saved)

    def _tell_renewed(self, verdict: Accept) -> None:
        if verdict.issued is not None:
            session = verdict.session
            self._record(
                AuditEvent.SESSION_RENEWED,
                user=session.user or "",
                sid=session.sid,
                generation=verdict.issued,
            )

    def _event(self, before: Session, verdict: Accept) -> Event | None:
        if verdict.issued is not None:
            return TokenRotated(before.sid, verdict.issued)
        if verdict.session.last_active_at > before.last_active_at and self._was_warned(before):
            return SessionExtended(before.sid)
        return None

    def _was_warned(self, session: Session) -> bool:
        warned_from = (
            deadlines(session, self._rules).expires_at - warning_time(self._rules).total_seconds()
        )
        return self._now() >= warned_from

    async def end(self, session: Session, reason: Reason) -> NoSession:
        """End a session that has no caller waiting for a receipt."""
        end_id = self._new_id()
        ended = await self._store.end_session(
            session.sid, user=session.user, end_id=end_id, reason=reason, initiator=self._node
        )
        if ended.earlier is not None:
            return NoSession(ended.earlier.reason, ended.earlier.end_id, ended.earlier.at)
        if ended.sids:
            self._ended(reason)
            self._tell_ended(session, reason, end_id)
        return NoSession(reason, end_id, self._now(), just_ended=True)

    def _tell_ended(self, session: Session, reason: Reason, end_id: str) -> None:
        """Who wrote the end tells it, once: with the session's own device, whoever asked."""
        about = {"user": session.user or "", "sid": session.sid}
        if reason is Reason.TOKEN_REUSE:  # from whoever brought the old token
            self._record(AuditEvent.TOKEN_REUSE, **about, end=end_id)
        device = session.device
        self._record(
            AuditEvent.SESSION_ENDED,
            **about,
            ip=device.ip,
            device=device.user_agent,
            reason=reason.value,
            end=end_id,
        )

    def _not_live(self, sid: str, loaded: Loaded) -> NoSession:
        if isinstance(loaded, Tombstone):
            return NoSession(loaded.reason, loaded.end_id, loaded.at)
        if isinstance(loaded, Unreadable):
            log.error("session record does not open", extra={"sid": sid})
            self._record(AuditEvent.DECRYPT_FAIL, sid=sid, what="session")
        return NoSession()


def _is_safe_to_believe(verdict: Verdict) -> bool:
    return isinstance(verdict, Accept) and (verdict.changed or verdict.token is None)
