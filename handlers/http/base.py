"""What all handlers share: headers, the checks before a handler runs, errors as problems or pages.

The order of the checks is the order of `prepare`: host, origin and destination, method, size,
session, access, CSRF token. A request that fails one never reaches the next, and never the handler.
"""

import hmac
import secrets
from asyncio import Future
from functools import cached_property
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar

from tornado.web import HTTPError, RequestHandler

from handlers.http import origins
from handlers.http.access import Access
from handlers.http.body import MAX_BODY_BYTES
from handlers.http.failures import log_failure
from handlers.http.headers import set_security_headers
from handlers.http.problems import (
    BODY_TOO_LARGE,
    CSRF_TOKEN_WRONG,
    NOT_ADMIN,
    REAUTHENTICATION_REQUIRED,
    SECOND_FACTOR_SETUP_REQUIRED,
    UNAVAILABLE,
    UNKNOWN_HOST,
    Problem,
    ProblemRaised,
    method_not_allowed,
    problem_of,
)
from handlers.http.session import SessionHandler
from server.core.audit import AuditEvent
from server.core.receipt import Receipt
from server.core.session import Session, is_recently_authenticated, owes_second_factor
from server.core.token import csrf_token

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class BaseHandler(SessionHandler):
    """Base of all handlers of ours.

    Attributes:
        access: who may use the handler; signed-in people unless it says otherwise.
        before_second_factor: whether it serves a session that owes a second factor, where the
            settings require one; not unless it says so, be it open to anybody else.
        any_host: whether probes may ask it under any host name.
        destinations: what a browser may want an answer for; programs only unless it says otherwise.
        refusal: the kind of problem that was answered, for the log.
    """

    access: ClassVar[Access] = Access.SIGNED_IN
    before_second_factor: ClassVar[bool] = False
    any_host: ClassVar[bool] = False
    destinations: ClassVar[frozenset[str]] = origins.FOR_SCRIPTS
    refusal = ""

    def __init_subclass__(cls) -> None:
        """HEAD wherever GET (RFC 9110 9.1), but where Tornado's own GET opens a WebSocket."""
        super().__init_subclass__()
        if "get" in vars(cls):
            cls.head = BaseHandler.answer_head

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
        set_security_headers(self, pins_https=self.application.configuration.pins_https)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Vary", "Cookie")

    async def prepare(self) -> None:
        """Let the request through to the handler, or end it with a problem."""
        self._refuse_wrong_address()
        self.raise_if(origins.refuse_misplaced(self.request.headers, self.destinations))
        if self.request.method not in self.methods():
            raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)
        self.raise_if(BODY_TOO_LARGE if len(self.request.body) > MAX_BODY_BYTES else None)
        await self.load_session()
        await self._refuse_unentitled()
        if self.changes_something and self.live is not None:
            self._refuse_without_csrf_token()

    @classmethod
    def methods(cls) -> list[str]:
        """What the handler answers."""
        return [name for name in cls.SUPPORTED_METHODS if _implements(cls, name)]

    async def answer_head(self, *args: str) -> None:
        """Answer as to GET; Tornado leaves the body away."""
        answered = self.get(*args)
        if answered is not None:
            await answered

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

    def raise_if(self, problem: Problem | None) -> None:
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
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.answer_with(method_not_allowed(self.methods()))
        else:
            self.answer_with(problem_of(error, status_code))

    def answer_with(self, problem: Problem) -> None:
        """End the answer with a problem."""
        self.refusal = problem.slug
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

    def finish_receipt(self, receipt: Receipt) -> None:
        """End the answer with the truth about an end, also if this node may not serve any more.

        It shows nothing of the session, so it is nobody's answer but the act's own.
        """
        self.live = None
        self.finish_json(receipt.as_json())

    def log_exception(
        self,
        typ: type[BaseException] | None,  # noqa: ARG002 - Tornado's signature
        value: BaseException | None,
        tb: TracebackType | None,  # noqa: ARG002 - Tornado's signature
    ) -> None:
        """What we do not know is an error, with its traceback.

        Of a refusal the line of its answer says which problem it was.
        """
        log_failure(value, self.request.path)

    def _refuse_wrong_address(self) -> None:
        """Before the session is looked at, so that no stranger's request counts as activity."""
        self.refuse_unknown_host()
        if self.changes_something:
            self.refuse_origin(
                origins.refuse_unsafe(self.request.headers, self.application.origins)
            )

    def refuse_unknown_host(self) -> None:
        """Go on, unless the request is for a host that is not ours.

        Raises:
            ProblemRaised: it is.
        """
        if not self.any_host and not self.application.is_ours(self.request.host):
            self.audit(AuditEvent.HOST_REFUSED, host=self.request.host)
            raise ProblemRaised(UNKNOWN_HOST)

    def refuse_origin(self, problem: Problem | None) -> None:
        """Go on, unless the request comes from somewhere that may not act.

        Raises:
            ProblemRaised: it does.
        """
        if problem is not None:
            origin = ", ".join(self.request.headers.get_list("Origin"))
            self.audit(AuditEvent.ORIGIN_REFUSED, origin=origin, path=self.request.path)
        self.raise_if(problem)

    async def _refuse_unentitled(self) -> None:
        access, session = self.required_access(), self.live.session if self.live else None
        if session and owes_second_factor(session, self.rules) and not self.before_second_factor:
            self.on_second_factor_owed()
        if access is Access.PUBLIC:
            return
        if session is None or (session.user is None and access is not Access.SESSION):
            self.on_unauthenticated()
            return
        if access is Access.ADMIN:
            await self._refuse_all_but_administrators(session)
        if access in {Access.RECENT, Access.ADMIN} and not await self.is_proved(session):
            self.on_stale_authentication()
        if access is Access.ADMIN:
            self.set_audit_source(administrator=True)

    async def is_proved(self, session: Session) -> bool:
        """Whether who is signed in was proved recently."""
        return is_recently_authenticated(session, self.now(), self.rules)

    async def _refuse_all_but_administrators(self, session: Session) -> None:
        account = await self.services.accounts.find(session.user or "")
        if not account or not account.admin or account.disabled:
            self.audit(AuditEvent.ACCESS_REFUSED, path=self.request.path)
            raise ProblemRaised(NOT_ADMIN)

    def on_unauthenticated(self) -> None:
        """There is no session that may use this handler."""
        raise ProblemRaised(self.why_unauthenticated)

    def on_stale_authentication(self) -> None:
        """The password was proved too long ago."""
        raise ProblemRaised(REAUTHENTICATION_REQUIRED)

    def on_second_factor_owed(self) -> None:
        """The settings require a second factor, and the session was not proved by one."""
        raise ProblemRaised(SECOND_FACTOR_SETUP_REQUIRED)

    def _refuse_without_csrf_token(self) -> None:
        expected, presented = self.csrf_token, self.presented_csrf_token()
        if not expected or not hmac.compare_digest(presented.encode(), expected.encode()):
            self.audit(
                AuditEvent.CSRF_REFUSED,
                why="wrong" if presented else "missing",
                path=self.request.path,
            )
            raise ProblemRaised(CSRF_TOKEN_WRONG)

    def presented_csrf_token(self) -> str:
        """What the request brought as its CSRF token."""
        return self.request.headers.get("X-CSRF-Token", "")


def _implements(handler: type[RequestHandler], method: str) -> bool:
    name = method.lower()
    return getattr(handler, name) is not getattr(RequestHandler, name)
