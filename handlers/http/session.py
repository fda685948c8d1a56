"""The session of a request: from the cookie to `self.live`, and back into a cookie."""

import asyncio
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from tornado.web import RequestHandler

from handlers.http.answer_cookies import AnswerCookies, begins_or_changes_privilege
from handlers.http.application import Curfew
from handlers.http.node import Node
from handlers.http.outcomes import problem_of_outcome
from handlers.http.presented_cookies import PresentedCookies
from handlers.http.problems import TOKEN_OVERTAKEN, Problem, ProblemRaised, unauthenticated
from handlers.http.request_ids import RequestName
from server.accounts.outcomes import NotDone
from server.accounts.requester import Person, Requester
from server.core.audit import AuditEvent
from server.core.choice import may_be_sent_again
from server.core.policy import Refusal
from server.core.reasons import NoSession
from server.core.session import Device, Json, Rules, Session
from server.core.token import Token
from server.services import Services
from server.sessions.choosing import Choice
from server.sessions.verdicts import LiveSession, TokenRefused
from server.telemetry.audit import AuditSource

ACTIVITY_HEADER: Final = "Curfew-Activity"
"""The value `none` says that no person caused the request."""


class SessionHandler(RequestHandler):
    """A request with a session.

    Attributes:
        live: the live session, if any.
        no_session: why there is none.
        overtaken: whether the session lives, but its token is too old to be accepted.
        may_rotate: whether the answer can carry a new cookie.
        is_activity: whether a person may have caused the request.
    """

    application: Curfew
    live: LiveSession | None = None
    no_session: NoSession = NoSession()
    overtaken = False
    may_rotate = True
    is_activity = True
    _device: Device | None = None
    _presented: PresentedCookies | None = None
    _answer_cookies: AnswerCookies | None = None
    _request_name: RequestName | None = None

    @property
    def request_name(self) -> RequestName:
        """How this request is called in the log and in its answer."""
        if self._request_name is None:  # not cached_property: every request would take its lock
            self._request_name = self.application.request_ids.name(self.request)
        return self._request_name

    def flush(self, include_footers: bool = False) -> "asyncio.Future[None]":  # noqa: FBT001, FBT002 - Tornado's signature
        """Send what was written. The first time, tell the client how its request is called."""
        if not self._headers_written:
            self.request_name.answer(self._headers)
        return super().flush(include_footers)

    @property
    def services(self) -> Services:
        """The session engine."""
        return self.application.services

    @property
    def node(self) -> Node:
        """This process, with the application's settings and what its lifespan yielded."""
        return self.application.node_of_application

    @property
    def session(self) -> Session:
        """The live session's record. Only for handlers whose `access` demands a session."""
        if self.live is None:
            raise ProblemRaised(self.why_unauthenticated)
        return self.live.session

    @property
    def why_unauthenticated(self) -> Problem:
        """The problem of a request without a live session."""
        return TOKEN_OVERTAKEN if self.overtaken else unauthenticated(self.no_session)

    @property
    def user(self) -> str:
        """The name of the signed-in user. Only for handlers whose `access` demands one."""
        return self.session.user or ""

    @property
    def device(self) -> Device:
        """What the client says about itself. Read once: a client without a name is counted then."""
        if self._device is None:
            self._device = self.application.devices.device_of(self.request)
        return self._device

    @property
    def requester(self) -> Requester:
        """Who sent this request, for acts that are open to everybody."""
        return Requester(self.device, self.live, self._client_gone)

    @property
    def person(self) -> Person:
        """Who sent this request, for acts on one's own account.

        Only for handlers whose `access` demands a session.
        """
        if self.live is None:
            raise ProblemRaised(self.why_unauthenticated)
        return Person(self.device, self.live, self.request.path, self._client_gone)

    @cached_property
    def _client_gone(self) -> "asyncio.Future[None]":
        """Done when the client has closed its connection before it had its answer."""
        return asyncio.get_running_loop().create_future()

    def on_connection_close(self) -> None:
        """Give up what waits for its turn: nobody would read the answer."""
        super().on_connection_close()
        if not self._client_gone.done():
            self._client_gone.set_result(None)

    @property
    def rules(self) -> Rules:
        """The durations in force."""
        return self.services.sessions.rules

    def now(self) -> float:
        """Return Unix seconds on the store's clock."""
        return self.services.clock.now()

    def audit(self, event: AuditEvent, user: str = "", sid: str = "", **facts: str | float) -> None:
        """Record an event of this request in the audit trail, with its session and address.

        Args:
            event: what happened.
            user: whose account it concerns, if not the session's.
            sid: the session it concerns, if not this request's.
            facts: further facts, by name. Never a secret.
        """
        session = self.live.session if self.live else None
        self.services.audit.record(
            event,
            user=user or (session.user if session and session.user else ""),
            sid=sid or (session.sid if session else ""),
            ip=self.device.ip,
            device=self.device.user_agent,
            **facts,
        )

    def set_audit_source(self, *, administrator: bool = False) -> None:
        """Record from here on who sent this request, with everything that the acts record.

        Args:
            administrator: whether the handler acts on other people's accounts.
        """
        session, device = self.live.session if self.live else None, self.device
        self.services.audit.set_source(
            AuditSource(
                user=(session.user or "") if session else "",
                ip=device.ip,
                device=device.user_agent,
                administrator=administrator,
            )
        )

    async def load_session(self) -> None:
        """Check the cookie. A cookie that does not verify costs no store command.

        Raises:
            StoreUnavailable: nothing is known, so nobody is signed out and nobody is let in.
        """
        services = self.services
        services.audit.set_stranger(self.device)
        tokens = self.presented_cookies.tokens
        if not tokens:
            return
        fence, sessions = services.engine.fence, services.sessions
        for each in tokens:
            fence.of(each.sid).require()
        # A page that updates itself in the background says so: no person caused its request.
        is_activity = self.is_activity and self.request.headers.get(ACTIVITY_HEADER) != "none"
        choice = Choice(tokens[0]) if len(tokens) == 1 else await sessions.choose(tokens)
        token = choice.token
        found = await sessions.check(token, may_rotate=self.may_rotate, is_activity=is_activity)
        if isinstance(found, LiveSession):
            if choice.others:
                found = await sessions.replace(choice.others, by=found)
            self.adopt(found)
            self._put_in_order(found, choice)
        elif isinstance(found, TokenRefused):
            self.overtaken = found.why is Refusal.OVERTAKEN
            self.audit(AuditEvent.COOKIE_REFUSED, sid=token.sid, why=found.why.value)
        else:
            self.no_session = found
            if found.reason and not found.just_ended:
                self.audit(AuditEvent.USE_AFTER_END, sid=token.sid, reason=found.reason.value)

    async def write_data(self, changes: Mapping[str, Json]) -> None:
        """Merge keys into the session's data; None removes a key. Begin a session if there is none.

        Raises:
            DataRefused: too large, or not JSON; nothing was written.
            StoreUnavailable: the write may have happened; sending it again is safe.
        """
        if self.live is not None:
            self.adopt(await self.services.sessions.write(self.live, changes))
        elif any(value is not None for value in changes.values()):
            self.adopt(await self.services.sessions.begin_anonymous(self.device, changes))

    def adopt(self, found: LiveSession | NoSession | NotDone) -> LiveSession:
        """Continue with a session, and give the browser its new token if there is one.

        Args:
            found: what an act on the session came to.

        Raises:
            ProblemRaised: the act was refused, or the session ended meanwhile. No cookie is set.
        """
        if isinstance(found, NotDone):
            raise ProblemRaised(problem_of_outcome(found))
        if isinstance(found, NoSession):
            self.live, self.no_session = None, found
            raise ProblemRaised(unauthenticated(found))
        before, self.live = self.live.session if self.live else self.no_session, found
        if found.token is not None:
            is_change = begins_or_changes_privilege(found.session, found.token, before)
            self._give(found.session, found.token, before if is_change else None)
        return found

    def clear_session_cookie(self) -> None:
        """Make the browser forget its token. Only in the answer to the request that ended it.

        No other answer may do it: it may arrive late.
        """
        self.live = None
        self._cookies.forget()
        self._write_cookies()

    @property
    def presented_cookies(self) -> PresentedCookies:
        """The cookies of ours that the request brings."""
        if self._presented is None:
            headers = self.request.headers
            self._presented = self.application.cookie_reader.read(
                headers.get_list("Cookie"), is_browser="Sec-Fetch-Site" in headers
            )
            if self._presented.refused:
                self.audit(AuditEvent.COOKIE_REFUSED, why=self._presented.refused)
        return self._presented

    @property
    def _cookies(self) -> AnswerCookies:
        if self._answer_cookies is None:
            application, presented = self.application, self.presented_cookies
            self._answer_cookies = AnswerCookies(
                application.cookie, application.spare_cookies, self.rules, presented
            )
        return self._answer_cookies

    def _put_in_order(self, live: LiveSession, choice: Choice) -> None:
        """Have the browser keep the token of its session, and nothing older."""
        token, session, presented = choice.token, live.session, self.presented_cookies
        if live.token is None and session.user is not None and presented.brings_only(token):
            return
        if live.token is None and token.generation == session.generation:
            is_stale = presented.stale_key and token == presented.token
            if (is_stale and may_be_sent_again(session, self.now(), self.rules)) or (
                self.may_rotate and not self._cookies.is_in_place(session, token)
            ):
                self._give(session, token)
        if self.may_rotate and presented.spares:
            over = choice.ended.union(each.sid for each in choice.others)
            self._cookies.tidy(session, over, self.now())
            self._write_cookies()

    def _give(
        self, session: Session, token: Token, before: Session | NoSession | None = None
    ) -> None:
        self._cookies.give(session, token, self.now(), before)
        if session.remember:
            self.services.key_use.remembered()
        self._write_cookies()

    def _write_cookies(self) -> None:
        headers = self._cookies.headers
        if headers:
            self.clear_header("Set-Cookie")
        for header in headers:
            self.add_header("Set-Cookie", header)
