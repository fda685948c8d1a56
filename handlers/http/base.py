"""What all handlers share: the checks before a handler runs, its body, its answer, its errors.

The order of the checks is the order of `prepare`: host, origin and destination, method, size,
session, access, CSRF token. A request that fails one never reaches the next, and never the handler.
"""

import secrets
from asyncio import Future
from collections.abc import Sequence
from functools import cached_property
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar

from tornado.web import HTTPError, RequestHandler

from handlers.http import guards, origins
from handlers.http.access import Access
from handlers.http.body import MAX_BODY_BYTES, Body, Fields
from handlers.http.failures import log_failure
from handlers.http.headers import set_security_headers
from handlers.http.operation import operation_of
from handlers.http.problems import (
    BODY_TOO_LARGE,
    NOT_ADMIN,
    REAUTHENTICATION_REQUIRED,
    SECOND_FACTOR_SETUP_REQUIRED,
    UNAVAILABLE,
    Problem,
    ProblemRaised,
    method_not_allowed,
    problem_of,
)
from handlers.http.schemas import Node
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
        access_to_change: who may use the methods that change something, where that differs.
        before_second_factor: whether it serves a session that owes a second factor, where the
            settings require one. Not unless it says so, even if it is open to everybody else.
        changes_second_factors: whether it does so. Then the password alone is no recent proof of
            a person who owes a second factor and has one.
        has_session: whether it looks at the session at all.
        any_host: whether it answers under any host name, as probes need.
        destinations: what a browser may use the answer for; scripts only unless it says otherwise.
        parameters: descriptions of parts of the path, where all methods share them.
        refusal: the kind of problem that was answered, for the log.
    """

    access: ClassVar[Access] = Access.SIGNED_IN
    access_to_change: ClassVar[Access | None] = None
    before_second_factor: ClassVar[bool] = False
    changes_second_factors: ClassVar[bool] = False
    has_session: ClassVar[bool] = True
    any_host: ClassVar[bool] = False
    destinations: ClassVar[frozenset[str]] = origins.FOR_SCRIPTS
    parameters: ClassVar[Sequence[Node]] = ()
    refusal = ""

    def __init_subclass__(cls) -> None:
        """Answer HEAD wherever GET (RFC 9110 9.1), except where GET opens a WebSocket."""
        super().__init_subclass__()
        if "get" in vars(cls):
            cls.head = BaseHandler.answer_head

    @cached_property
    def nonce(self) -> str:
        """The nonce of this answer's content security policy."""
        return secrets.token_urlsafe(16)

    def initialize(self) -> None:
        """Make a stopping process wait for this request from here on."""
        self.application.request_begins()

    def on_finish(self) -> None:
        """Make a stopping process wait no longer: the answer was handed over."""
        self.application.request_ends()

    def required_access(self) -> Access:
        """Return who may use the handler with this request's method."""
        return self.access_for(changes_something=self.changes_something)

    @classmethod
    def access_for(cls, *, changes_something: bool) -> Access:
        """Return who may use the handler with a method of that kind."""
        return (changes_something and cls.access_to_change) or cls.access

    def set_default_headers(self) -> None:
        """Set what every answer carries, errors included (ASVS 5.0 V3.4)."""
        set_security_headers(self, pins_https=self.application.configuration.pins_https)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Vary", "Cookie")

    async def prepare(self) -> None:
        """Let the request through to the handler, or end it with a problem."""
        self.check_host_and_origin()
        self.raise_if(origins.problem_with_destination(self.request.headers, self.destinations))
        if self.request.method not in self.methods():
            raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)
        self.raise_if(BODY_TOO_LARGE if len(self.request.body) > MAX_BODY_BYTES else None)
        if self.has_session:
            await self.load_session()
        await self._check_access()
        if self.changes_something and self.live is not None:
            guards.require_csrf_token(self, self.presented_csrf_token())

    def check_host_and_origin(self) -> None:
        """Raise a problem for a wrong host or origin, before the session counts as used."""
        if not self.any_host:
            guards.require_own_host(self)
        if self.changes_something:
            guards.require_own_page(self)

    @classmethod
    def methods(cls) -> list[str]:
        """Return the methods that the handler answers."""
        return [name for name in cls.SUPPORTED_METHODS if _implements(cls, name)]

    async def answer_head(self, *args: str) -> None:
        """Answer as to GET; Tornado leaves the body away."""
        answered = self.get(*args)
        if answered is not None:
            await answered

    @property
    def changes_something(self) -> bool:
        """Whether the method may change something (RFC 9110 9.2.1)."""
        return self.request.method not in SAFE_METHODS

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """End the answer; with 503 in place of a session's answer, if this node may not serve now.

        The session of a process that was paused after its check may have ended meanwhile. So the
        fence is asked once more before the first byte goes out.
        """
        if self.live is None or self._headers_written or self.services.engine.fence.is_open:
            return super().finish(chunk)
        self.live = None
        self.clear()
        self.finish_problem(UNAVAILABLE)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def data_received(self, chunk: bytes) -> None:
        """Do nothing: bodies are small and never streamed."""

    def compute_etag(self) -> None:
        """Return None: nothing that depends on a session is cached, so it needs no tag."""

    def raise_if(self, problem: Problem | None) -> None:
        """Raise `problem`, if any.

        Raises:
            ProblemRaised: there is one.
        """
        if problem is not None:
            raise ProblemRaised(problem)

    def read_body(self) -> Fields:
        """Return the body, as the method's operation declares it.

        Raises:
            ProblemRaised: 415 for another media type, 400 for a body that does not fit.
        """
        declared = operation_of(type(self), self.request.method or "")
        body = declared.takes if declared and declared.takes else Body()
        return body.read(self.request)

    @property
    def csrf_token(self) -> str:
        """The session's CSRF token; empty without a session."""
        return csrf_token(self.live.session.seed) if self.live else ""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.finish_problem(method_not_allowed(self.methods()))
        else:
            self.finish_problem(problem_of(error, status_code))

    def finish_problem(self, problem: Problem) -> None:
        """End the answer with a problem."""
        self.refusal = problem.slug
        self.set_status(problem.status)
        for name, value in problem.headers.items():
            self.set_header(name, value)
        self.write_problem(problem)

    def write_problem(self, problem: Problem) -> None:
        """Write a problem: JSON, unless the handler is a page."""
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
        """Log an unknown error with its traceback; a refusal is named in its answer's own line."""
        log_failure(value, self.request.path)

    async def is_proved(self, session: Session) -> bool:
        """Return whether the person was proved recently, as far as this handler asks."""
        if not is_recently_authenticated(session, self.now(), self.rules):
            return False
        if not (self.changes_second_factors and owes_second_factor(session, self.rules)):
            return True
        return not (await self.services.factors.factors_of(self.user)).enabled

    async def _check_access(self) -> None:
        access, session = self.required_access(), self.live.session if self.live else None
        if session and owes_second_factor(session, self.rules) and not self.before_second_factor:
            self.on_second_factor_owed()
        if access is Access.PUBLIC:
            return
        if session is None or (session.user is None and access is not Access.SESSION):
            self.on_unauthenticated()
            return
        if access is Access.ADMIN:
            await self._require_administrator(session)
        if access in {Access.RECENT, Access.ADMIN} and not await self.is_proved(session):
            self.on_stale_authentication()
        if access is Access.ADMIN:
            self.set_audit_source(administrator=True)

    async def _require_administrator(self, session: Session) -> None:
        account = await self.services.accounts.find(session.user or "")
        if not account or not account.admin or account.disabled:
            self.audit(AuditEvent.ACCESS_REFUSED, path=self.request.path)
            raise ProblemRaised(NOT_ADMIN)

    def on_unauthenticated(self) -> None:
        """Refuse: there is no session that may use this handler."""
        raise ProblemRaised(self.why_unauthenticated)

    def on_stale_authentication(self) -> None:
        """Refuse: the password was proved too long ago."""
        raise ProblemRaised(REAUTHENTICATION_REQUIRED)

    def on_second_factor_owed(self) -> None:
        """Refuse: a second factor is required, and the session was not proved by one."""
        raise ProblemRaised(SECOND_FACTOR_SETUP_REQUIRED)

    def presented_csrf_token(self) -> str:
        """Return what the request brought as its CSRF token; empty for nothing."""
        return self.request.headers.get("X-CSRF-Token", "")


def _implements(handler: type[RequestHandler], method: str) -> bool:
    name = method.lower()
    return getattr(handler, name) is not getattr(RequestHandler, name)
