"""What all handlers share: headers, the checks before a handler runs, errors as problems or pages.

The order of the checks is the order of `prepare`: host and origin, session, access, CSRF token. A
request that fails one never reaches the next, and never the handler.
"""

import hmac
import logging
import secrets
from asyncio import Future
from functools import cached_property
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar

from handlers import origins
from handlers.access import Access
from handlers.problems import (
    CSRF_TOKEN_WRONG,
    NOT_ADMIN,
    REAUTHENTICATION_REQUIRED,
    UNAVAILABLE,
    UNKNOWN_HOST,
    Problem,
    ProblemRaised,
    problem_of,
    unauthenticated,
)
from handlers.session import SessionHandler
from server.core.errors import SessionError
from server.core.session import is_recently_authenticated
from server.core.token import csrf_token
from tornado.web import HTTPError

log = logging.getLogger("curfew.http")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class BaseHandler(SessionHandler):
    """Base of all handlers of ours.

    Attributes:
        access: who may use the handler; signed-in people unless it says otherwise.
        any_host: whether probes may ask it under any host name.
    """

    access: ClassVar[Access] = Access.SIGNED_IN
    any_host: ClassVar[bool] = False

    @cached_property
    def nonce(self) -> str:
        """Of this answer's content security policy."""
        return secrets.token_urlsafe(16)

    def initialize(self) -> None:
        """From here on a stopping process waits for this request."""
        self.application.request_begins()

    def on_finish(self) -> None:
        """The answer was handed over."""
        self.application.request_ends()

    def required_access(self) -> Access:
        """Who may use the handler with this request's method."""
        return self.access

    def set_default_headers(self) -> None:
        """On every answer, errors included (ASVS 5.0 V3.4)."""
        self.set_header("Server", "Curfew")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Vary", "Cookie")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        if self.application.configuration.tls_cert:
            self.set_header("Strict-Transport-Security", "max-age=31536000; includeSubDomains")

    async def prepare(self) -> None:
        """Let the request through to the handler, or end it with a problem."""
        self._refuse_wrong_address()
        await self.load_session()
        await self._refuse_unentitled()
        if self.changes_something and self.live is not None:
            self.allow(None if self._has_csrf_token() else CSRF_TOKEN_WRONG)

    @property
    def changes_something(self) -> bool:
        """Whether the method may (RFC 9110 9.2.1)."""
        return self.request.method not in SAFE_METHODS

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """End the answer; in place of a session's answer 503, if this node may not serve now.

        A process that was paused after it had checked the session gets here after the session may
        have ended: the fence is looked at before the first byte goes out.
        """
        if self.live is None or self._headers_written or self.services.fence.is_open:
            return super().finish(chunk)
        self.live = None
        self.clear()
        self.answer_with(UNAVAILABLE)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def data_received(self, chunk: bytes) -> None:
        """Bodies are small and never streamed."""

    def compute_etag(self) -> None:
        """None: nothing that depends on a session is cached, so a hash of it serves nobody."""

    def allow(self, problem: Problem | None) -> None:
        """Go on, unless there is a problem.

        Raises:
            ProblemRaised: there is.
        """
        if problem is not None:
            raise ProblemRaised(problem)

    @property
    def csrf_token(self) -> str:
        """The session's CSRF token; empty without a session."""
        return csrf_token(self.live.session.seed) if self.live else ""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        self.answer_with(problem_of(error, status_code))

    def answer_with(self, problem: Problem) -> None:
        """End the answer with a problem."""
        self.set_status(problem.status)
        for name, value in problem.headers.items():
            self.set_header(name, value)
        self.write_problem(problem)

    def write_problem(self, problem: Problem) -> None:
        """Answer with a problem in the handler's own language; JSON unless it is a page."""
        self.finish_json(problem.as_json(), content_type="application/problem+json")

    def finish_json(self, value: dict[str, Any], content_type: str = "application/json") -> None:
        """End the answer with a JSON document."""
        self.write(value)
        self.set_header("Content-Type", f"{content_type}; charset=UTF-8")
        self.finish()

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Expected ends of requests are no errors; what we do not know is, with its traceback."""
        if isinstance(value, ProblemRaised):
            log.info("refused", extra={"problem": value.problem.slug, "path": self.request.path})
        elif isinstance(value, SessionError):
            log.warning("%s", value, extra={"path": self.request.path})
        elif isinstance(value, HTTPError) and value.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            log.info("refused", extra={"status": value.status_code, "path": self.request.path})
        else:
            log.error("unexpected error", exc_info=value, extra={"path": self.request.path})

    def _refuse_wrong_address(self) -> None:
        """Before the session is looked at, so that a stranger's request does not count as activity."""
        if not self.any_host and self.request.host not in self.application.hosts:
            raise ProblemRaised(UNKNOWN_HOST)
        if self.changes_something:
            self.allow(origins.refuse_unsafe(self.request.headers, self.application.origins))

    async def _refuse_unentitled(self) -> None:
        access, session = self.required_access(), self.live.session if self.live else None
        if access is Access.PUBLIC:
            return
        if session is None or (session.user is None and access is not Access.SESSION):
            self.on_unauthenticated()
            return
        if access is Access.ADMIN:
            account = await self.services.accounts.find(session.user or "")
            self.allow(None if account and account.admin and not account.disabled else NOT_ADMIN)
        recent = is_recently_authenticated(session, self.now(), self.rules)
        if access in {Access.RECENT, Access.ADMIN} and not recent:
            self.on_stale_authentication()

    def on_unauthenticated(self) -> None:
        """There is no session that may use this handler."""
        raise ProblemRaised(unauthenticated(self.farewell))

    def on_stale_authentication(self) -> None:
        """The password was proved too long ago."""
        raise ProblemRaised(REAUTHENTICATION_REQUIRED)

    def _has_csrf_token(self) -> bool:
        expected = self.csrf_token
        return bool(expected) and hmac.compare_digest(
            self.presented_csrf_token().encode(), expected.encode()
        )

    def presented_csrf_token(self) -> str:
        """What the request brought as its CSRF token."""
        return self.request.headers.get("X-CSRF-Token", "")
