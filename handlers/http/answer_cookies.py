"""What an answer does to the browser's cookies, so that its order among other answers is harmless.

Pure decisions: the handler loads, judges and writes; this file says which cookies follow.
"""

from collections.abc import Collection
from math import inf

from handlers.http.cookie import SessionCookie
from handlers.http.presented_cookies import PresentedCookies
from handlers.http.spare_cookies import Spare, SpareCookies
from server.core.choice import answers_may_be_under_way
from server.core.reasons import NoSession, Reason
from server.core.session import Rules, Session, deadlines
from server.core.token import Token


class AnswerCookies:
    """Collects what one answer sets.

    Args:
        cookie: writes the session cookie.
        spares: writes those beside it.
        rules: the durations in force.
        presented: what the request brings.
    """

    def __init__(
        self, cookie: SessionCookie, spares: SpareCookies, rules: Rules, presented: PresentedCookies
    ) -> None:
        self._cookie = cookie
        self._spares = spares
        self._rules = rules
        self._presented = presented
        self._headers: dict[str, str] = {}

    @property
    def headers(self) -> list[str]:
        """The values of `Set-Cookie`, one for each cookie."""
        return list(self._headers.values())

    def give(
        self, session: Session, token: Token, now: float, before: Session | NoSession | None = None
    ) -> None:
        """Give the browser a token.

        Args:
            session: its session.
            token: the token.
            now: Unix seconds on the store's clock.
            before: if this begins a session or follows a change of privilege: what the request
                had before it.
        """
        seconds = self._seconds_left(session, now)
        if self._is_visitors(session):
            visitor = Spare(self._spares.visitor, token, inf)
            self._set(visitor, seconds)
            return
        self._headers[""] = self._cookie.set_header(
            str(token), max_age_seconds=seconds, is_long_lived=bool(session.remember)
        )
        spare = Spare(
            self._spares.name_for(session), token, self._spare_until(session, now, before)
        )
        if session.user is not None and spare.until > now:
            self._set(spare, seconds)

    def forget(self) -> None:
        """Make the browser forget the token. Only in the answer to the request that ended it.

        If it arrives late, it takes the cookie of a newer sign-in, but not its spare.
        """
        self._headers[""] = self._cookie.clear_header()
        for spare in self._presented.spares:
            self._clear(spare)

    def tidy(self, session: Session, ended: Collection[str], now: float) -> None:
        """Clear the spares that have become useless.

        Args:
            session: the session of the request.
            ended: ids of sessions that are over.
            now: Unix seconds on the store's clock.
        """
        for spare in self._presented.spares:
            if spare.token.sid in ended or self._is_useless(spare, session, now):
                self._clear(spare)

    def is_in_session_cookie(self, token: Token) -> bool:
        """Return whether a token, or a later one of its session, came in the session cookie."""
        own = self._presented.token
        return own is not None and own.sid == token.sid and own.generation >= token.generation

    def is_in_place(self, session: Session, token: Token) -> bool:
        """Return whether a token came in the cookie in which its session belongs."""
        if self._is_visitors(session):
            return any(
                each.name == self._spares.visitor and each.token == token
                for each in self._presented.spares
            )
        return self.is_in_session_cookie(token)

    def _seconds_left(self, session: Session, now: float) -> int | None:
        """Return what is left of a session; None if its cookie ends with the browser."""
        if session.remember is False:
            return None
        return int(deadlines(session, self._rules).absolute_expires_at - now)

    def _is_visitors(self, session: Session) -> bool:
        """Return whether a session belongs under the visitor's name."""
        if session.user is not None or not self._presented.is_browser:
            return False
        own = self._presented.token
        return own is None or own.sid != session.sid

    def _spare_until(
        self, session: Session, now: float, before: Session | NoSession | None
    ) -> float:
        """Return until when a spare is of use; now, or earlier, if it is not."""
        name = self._spares.name_for(session)
        for spare in self._presented.spares:
            if spare.name == name:
                return spare.until
        is_needed = before is not None and self._older_answers_may_come(before, now)
        return self._settled_at(now) if is_needed else now

    def _older_answers_may_come(self, before: Session | NoSession, now: float) -> bool:
        if self._presented.spares or (self._presented.any and self._presented.is_browser):
            return True
        if isinstance(before, Session):
            return answers_may_be_under_way(before, now)
        # The answer to a logout clears the session cookie, and may still be on its way.
        was_cleared = before.reason is Reason.LOGOUT and before.at is not None
        return was_cleared and now < self._settled_at(before.at or 0)

    def _settled_at(self, moment: float) -> float:
        """Return when every answer from before a moment has arrived: see `server.core.policy`."""
        return moment + 2 * self._rules.rotation_grace.total_seconds()

    def _is_useless(self, spare: Spare, session: Session, now: float) -> bool:
        if spare.name == self._spares.visitor:
            return session.user is not None
        if spare.token.sid != session.sid:
            return False
        if spare.name != self._spares.name_for(session):
            return True  # from before the last change of privilege
        return spare.until <= now and self.is_in_session_cookie(spare.token)

    def _set(self, spare: Spare, seconds: int | None) -> None:
        self._headers[spare.name] = self._spares.set_header(spare, max_age_seconds=seconds)

    def _clear(self, spare: Spare) -> None:
        self._headers[spare.name] = self._spares.clear_header(spare.name)


def begins_or_changes_privilege(
    session: Session, token: Token, before: Session | NoSession
) -> bool:
    """Return whether a token is the first of a session, or the first after a change of privilege.

    Args:
        session: its session.
        token: the token.
        before: what the request had before it.
    """
    if token.generation != session.refused_below:
        return False
    if not isinstance(before, Session) or before.sid != session.sid:
        return True
    return before.refused_below != session.refused_below
