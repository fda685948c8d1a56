"""What all handlers share: the checks before a handler runs, its body, its answer, its errors.

The order of the checks is the order of `prepare`: host, origin and destination, method, size,
session, access, CSRF token. A request that fails one never reaches the next, and never the handler.
"""

import logging
from asyncio import Future
from collections.abc import Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar

from tornado.escape import json_encode
from tornado.locale import Locale
from tornado.web import HTTPError, RequestHandler

from handlers.http import guards, origins, problems
from handlers.http.access import Access
from handlers.http.body import MAX_BODY_BYTES, Body, Fields
from handlers.http.failures import answering_exits, log_failure
from handlers.http.headers import OK, set_json_headers, set_security_headers
from handlers.http.operation import operation_of
from handlers.http.problems import Problem, ProblemRaised
from handlers.http.schemas import Node
from handlers.http.session import SessionHandler
from handlers.languages.texts import MOST_RANGES
from server.core.receipt import Receipt
from server.core.session import owes_second_factor
from server.core.token import csrf_token

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class BaseHandler(SessionHandler):
    """Base of all our handlers.

    Attributes:
        access: who may use the handler. Signed-in people, unless the handler says otherwise.
        access_to_change: who may use the methods that change something, where that differs.
        before_second_factor: whether the handler serves a session that owes a second factor.
            It does not unless it says so, even if it is public.
        changes_second_factors: whether the handler changes second factors. If it does, the password
            alone is no recent proof for a person who owes a second factor and has one.
        has_session: whether the handler reads the session at all.
        any_host: whether the handler answers under any host name, as probes need.
        destinations: what a browser may use the answer for. Scripts only, unless it says otherwise.
        parameters: descriptions of the parts of the path that all methods share.
        max_body_bytes: how large a request's body may be; over 1 MiB only if it is streamed.
        body_seconds: how long a streamed body may take.
        refusal: the slug of the problem that was answered, for the log.
        access_level: of the log line of an answer.
    """

    access: ClassVar[Access] = Access.SIGNED_IN
    access_to_change: ClassVar[Access | None] = None
    before_second_factor: ClassVar[bool] = False
    changes_second_factors: ClassVar[bool] = False
    has_session: ClassVar[bool] = True
    any_host: ClassVar[bool] = False
    destinations: ClassVar[frozenset[str]] = origins.FOR_SCRIPTS
    parameters: ClassVar[Sequence[Node]] = ()
    max_body_bytes: ClassVar[int] = MAX_BODY_BYTES
    body_seconds: ClassVar[float] = 60.0
    refusal = ""
    access_level: ClassVar[int] = logging.INFO
    _sets_headers: ClassVar[bool] = False
    _execute = answering_exits(RequestHandler._execute)  # noqa: SLF001 - Tornado has no public name

    def __init_subclass__(cls) -> None:
        """Answer HEAD wherever GET (RFC 9110 9.1), except where GET opens a WebSocket."""
        super().__init_subclass__()
        cls._sets_headers = cls.set_default_headers is not BaseHandler.set_default_headers
        if "get" in vars(cls):
            cls.head = BaseHandler.answer_head

    @classmethod
    def methods(cls) -> list[str]:
        """Return the methods that the handler answers."""
        return [name for name in cls.SUPPORTED_METHODS if cls.allows_method(name)]

    @classmethod
    def allows_method(cls, method: str | None) -> bool:
        """Return whether the handler answers a method; a client may send any word."""
        name, is_known = (method or "").lower(), method in cls.SUPPORTED_METHODS
        return is_known and getattr(cls, name) is not getattr(RequestHandler, name)

    @classmethod
    def access_for(cls, *, changes_something: bool) -> Access:
        """Return who may use the methods that change something, or the ones that do not."""
        return (changes_something and cls.access_to_change) or cls.access

    def initialize(self) -> None:
        """Make a stopping process wait for this request from here on."""
        self.application.request_begins()

    def set_default_headers(self) -> None:
        """Set what every answer carries, errors included (ASVS 5.0 V3.4)."""
        set_security_headers(self, pins_https=self.application.configuration.pins_https)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Vary", "Cookie")

    def clear(self) -> None:
        """Begin the answer anew. Most handlers begin with the same headers, which are prepared."""
        if self._sets_headers:
            super().clear()
            return
        self._headers, self._write_buffer = self.application.default_headers.now(), []
        self._status_code, self._reason = OK

    async def prepare(self) -> None:
        """Let the request through to the handler, or end it with a problem."""
        self.check_host_and_origin()
        self.raise_if(origins.problem_with_destination(self.request.headers, self.destinations))
        if not self.allows_method(self.request.method):
            raise HTTPError(HTTPStatus.METHOD_NOT_ALLOWED)
        guards.require_bearable_body(self, self.max_body_bytes, self.body_seconds)
        if self.has_session:
            await self.load_session()
        await self._check_access()
        if self.changes_something and self.live is not None:
            self.check_csrf_token()

    async def check_again(self) -> None:
        """Raise a problem if the session ended while a streamed body came in."""
        await guards.require_live_session(self)

    def check_host_and_origin(self) -> None:
        """Raise a problem for a wrong host or origin, before the session counts as used.

        It comes first, so all lines about this request name it from here on.
        """
        self.request_name.name_lines()
        if not self.any_host:
            guards.require_own_host(self)
        if self.changes_something:
            guards.require_own_page(self)

    @property
    def changes_something(self) -> bool:
        """Whether the method may change something (RFC 9110 9.2.1)."""
        return self.request.method not in SAFE_METHODS

    def required_access(self) -> Access:
        """Return who may use the handler with this request's method."""
        return self.access_for(changes_something=self.changes_something)

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
            await guards.require_administrator(self)
        if access in (Access.RECENT, Access.ADMIN) and not await guards.is_recently_proved(
            self, changes_second_factors=self.changes_second_factors
        ):
            self.on_stale_authentication()
        if access is Access.ADMIN:
            self.set_audit_source(administrator=True)

    def on_unauthenticated(self) -> None:
        """Refuse: there is no session that may use this handler."""
        raise ProblemRaised(self.why_unauthenticated)

    def on_stale_authentication(self) -> None:
        """Refuse: the password was proved too long ago."""
        raise ProblemRaised(problems.REAUTHENTICATION_REQUIRED)

    def on_second_factor_owed(self) -> None:
        """Refuse: a second factor is required, and the session was not proved by one."""
        raise ProblemRaised(problems.SECOND_FACTOR_SETUP_REQUIRED)

    @property
    def csrf_token(self) -> str:
        """The session's CSRF token; empty without a session."""
        return csrf_token(self.live.session.seed) if self.live else ""

    def check_csrf_token(self) -> None:
        """Raise a problem unless the request brings the token of its live session."""
        guards.require_csrf_token(self, self.presented_csrf_token())

    def presented_csrf_token(self) -> str:
        """Return the CSRF token that the request brings; empty if it brings none."""
        return self.request.headers.get("X-CSRF-Token", "")

    def read_body(self) -> Fields:
        """Return the fields of the body, as the method's operation declares it.

        Raises:
            ProblemRaised: 415 for another media type, 400 for a body that does not fit.
        """
        declared = operation_of(type(self), self.request.method or "")
        body = declared.takes if declared and declared.takes else Body()
        return body.read(self.request)

    async def answer_head(self, *args: str) -> None:
        """Answer as to GET; Tornado leaves the body out."""
        answered = self.get(*args)
        if answered is not None:
            await answered

    def finish_json(self, value: dict[str, Any], content_type: str = "application/json") -> None:
        """End the answer with a JSON document."""
        self.write(json_encode(value))
        set_json_headers(self._headers, content_type, sum(map(len, self._write_buffer)))
        self.finish()

    def finish_receipt(self, receipt: Receipt) -> None:
        """End the answer with a receipt, even if this node may not serve any more.

        A receipt shows nothing of the session, so the fence does not hold it back.
        """
        self.live = None
        self.finish_json(receipt.as_json())

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """End the answer. Answer 503 instead if there is a session and this node may not serve now.

        If the process was paused after the check, the session may have ended meanwhile. So the
        fence is asked once more before the first byte goes out.
        """
        fence = self.services.engine.fence
        if not self.live or self._headers_written or fence.of(self.live.session.sid).is_open:
            return super().finish(chunk)
        self.live = None
        self.clear()
        self.finish_problem(problems.UNAVAILABLE)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def get_browser_locale(self, default: str = "en_US") -> Locale:
        """Return Tornado's locale. It would read thousands of languages, if somebody sends them."""
        headers = self.request.headers
        ranges = headers.get("Accept-Language", "").split(",", MOST_RANGES)
        if len(ranges) > MOST_RANGES:
            headers["Accept-Language"] = ",".join(ranges[:MOST_RANGES])
        return super().get_browser_locale(default)

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:  # noqa: FBT001, FBT002 - Tornado's signature
        """Redirect; a path of ours is below the base path."""
        super().redirect(self.application.base_path.located(url), permanent, status)

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:  # noqa: FBT001 - Tornado's signature
        """Return the address of a static file, below the base path."""
        address = super().static_url(path, include_host, **kwargs)
        return self.application.base_path.located(address)

    def compute_etag(self) -> None:
        """Return None: what depends on a session is never cached, so it needs no tag."""

    def check_etag_header(self) -> bool:
        """Return whether the client has the answer already; most clients ask for no tag."""
        return "If-None-Match" in self.request.headers and super().check_etag_header()

    def on_finish(self) -> None:
        """Let a stopping process go: the answer was handed over."""
        self.application.request_ends()

    def raise_if(self, problem: Problem | None) -> None:
        """Raise `problem`, if any."""
        if problem is not None:
            raise ProblemRaised(problem)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.finish_problem(problems.method_not_allowed(self.methods()))
        else:
            self.finish_problem(problems.problem_of(error, status_code))

    def finish_problem(self, problem: Problem) -> None:
        """End the answer with a problem."""
        self.refusal = problem.slug
        self.set_status_of(problem)
        self.write_problem(problem)

    def set_status_of(self, problem: Problem) -> None:
        """Set the status and the headers that belong to a problem."""
        self.set_status(problem.status)
        for name, value in problem.headers.items():
            self.set_header(name, value)

    def write_problem(self, problem: Problem) -> None:
        """Write a problem as JSON; a page writes its own words."""
        self.finish_json(problem.as_json(), content_type="application/problem+json")

    def log_exception(
        self,
        typ: type[BaseException] | None,  # noqa: ARG002 - Tornado's signature
        value: BaseException | None,
        tb: TracebackType | None,  # noqa: ARG002 - Tornado's signature
    ) -> None:
        """Log an unknown error with its traceback; the line of the answer names a refusal."""
        log_failure(value, self.request.path)
