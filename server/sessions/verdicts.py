"""Carries out the policy's verdicts: load, judge, save; and again if another writer was first.

Expected outcomes are values: `LiveSession`, `NoSession` or `TokenRefused`. `StoreUnavailable` is
not caught: a session of which nothing is known has not ended (P5).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from server.core.audit import AuditEvent
from server.core.context import NodeContext
from server.core.errors import VisitorsFull, WriteConflict
from server.core.events import Event, SessionExtended, TokenRotated
from server.core.policy import Accept, End, Refusal, Refuse, Verdict
from server.core.reasons import NoSession, Reason
from server.core.session import Rules, Session, deadlines, warning_time
from server.core.token import Token
from server.sessions.observing import SessionObserver
from server.store.contract import (
    Conflict,
    Loaded,
    NoRoom,
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
    """The session is live and may be served.

    Attributes:
        stored: the record and its revision.
        token: the token to set as the cookie; None leaves the browser's cookie alone.
        presented: the number of the token that the request came with, or was given since.
    """

    stored: Stored
    token: Token | None = None
    presented: int = 0

    @property
    def session(self) -> Session:
        """The session record."""
        return self.stored.session


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The token is refused, and its session lives on."""

    why: Refusal


class Verdicts:
    """Applies verdicts to the store.

    Args:
        store: the session store.
        rules: the durations in force.
        context: this node's id, clocks, randomness, counters and audit trail.

    Attributes:
        observer: is told of each new token; None if nobody is.
    """

    def __init__(self, store: SessionStore, rules: Rules, context: NodeContext) -> None:
        self._store = store
        self._rules = rules
        self._context = context
        self.observer: SessionObserver | None = None

    async def apply(
        self,
        sid: str,
        judge: Callable[[Session], Verdict],
        known: Stored | None = None,
        *,
        presented: int = 0,
    ) -> LiveSession | NoSession | TokenRefused:
        """Load a session, judge it and save it.

        Args:
            sid: the id of the session.
            judge: a pure function; called again with a newer record if another writer was first.
            known: a record that was loaded before, which saves loading it again.
            presented: the number of the token that the request came with, if it is a request.

        Raises:
            WriteConflict: another writer was first in every one of `MAX_TRIES` tries.
            VisitorsFull: a visitor's data grew, and there is no room for it.
        """
        for _ in range(MAX_TRIES):
            loaded: Loaded = known or await self._store.load(sid)
            if not isinstance(loaded, Stored):
                return self._not_live(sid, loaded)
            verdict = judge(loaded.session)
            # A record that was loaded before may lead to a write, because the store compares its
            # revision, or to nothing. It must not lead to an end or a token.
            is_old, known = known is not None, None
            if is_old and not _is_safe_with_an_old_record(verdict):
                continue
            if isinstance(verdict, End):
                return await self.end(loaded.session, verdict.reason)
            if isinstance(verdict, Refuse):
                return TokenRefused(verdict.why)
            if not (verdict.changed or loaded.stale_key):
                return LiveSession(loaded, verdict.token, presented)
            saved = await self._save(loaded, verdict, presented)
            if not isinstance(saved, Conflict):
                return saved
        raise WriteConflict(sid, MAX_TRIES)

    async def end(self, session: Session, reason: Reason) -> NoSession:
        """End a session for which no caller waits for a receipt."""
        end_id = self._context.new_id()
        ended = await self._store.end_session(
            session.sid,
            user=session.user,
            end_id=end_id,
            reason=reason,
            initiator=self._context.node,
        )
        if ended.earlier is not None:
            return NoSession(ended.earlier.reason, ended.earlier.end_id, ended.earlier.at)
        if ended.sids:
            self._context.counts.ended(reason)
            self._record_end(session, reason, end_id)
        return NoSession(reason, end_id, self._context.now(), just_ended=True)

    async def _save(
        self, loaded: Stored, verdict: Accept, presented: int
    ) -> LiveSession | NoSession | Conflict:
        saved = await self._store.save(
            verdict.session,
            based_on=loaded.revision,
            operation=self._context.new_id(),
            event=self._event(loaded.session, verdict),
        )
        if isinstance(saved, Saved):
            self._record_renewal(verdict)
            if verdict.issued is not None and self.observer is not None:
                self.observer.rotated(verdict.session)
            stored = Stored(verdict.session, saved.revision)
            return LiveSession(stored, verdict.token, presented)
        if isinstance(saved, NoRoom):
            raise VisitorsFull(saved.wait)
        if isinstance(saved, Conflict):
            return saved
        return self._not_live(loaded.session.sid, saved)

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
        return self._context.now() >= warned_from

    def _not_live(self, sid: str, loaded: Loaded) -> NoSession:
        if isinstance(loaded, Tombstone):
            return NoSession(loaded.reason, loaded.end_id, loaded.at)
        if isinstance(loaded, Unreadable):
            log.error("session record does not open", extra={"sid": sid})
            self._context.record(AuditEvent.DECRYPT_FAIL, sid=sid, what="session")
        return NoSession()

    def _record_renewal(self, verdict: Accept) -> None:
        if verdict.issued is not None:
            session = verdict.session
            self._context.record(
                AuditEvent.SESSION_RENEWED,
                user=session.user or "",
                sid=session.sid,
                generation=verdict.issued,
            )

    def _record_end(self, session: Session, reason: Reason, end_id: str) -> None:
        """Record an end once, with the session's own device, whoever asked for it."""
        about = {"user": session.user or "", "sid": session.sid}
        if reason is Reason.TOKEN_REUSE:  # this line names the device that brought the old token
            self._context.record(AuditEvent.TOKEN_REUSE, **about, end=end_id)
        device = session.device
        self._context.record(
            AuditEvent.SESSION_ENDED,
            **about,
            ip=device.ip,
            device=device.user_agent,
            reason=reason.value,
            end=end_id,
        )


def _is_safe_with_an_old_record(verdict: Verdict) -> bool:
    return isinstance(verdict, Accept) and (verdict.changed or verdict.token is None)
