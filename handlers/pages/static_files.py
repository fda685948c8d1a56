"""Serves the files of the pages (styles, scripts, pictures) under the same rules as the pages."""

from http import HTTPStatus
from types import TracebackType
from typing import Any, Final

from tornado.web import HTTPError, StaticFileHandler

from handlers.http.application import Curfew
from handlers.http.failures import log_failure
from handlers.http.headers import set_security_headers
from handlers.http.problems import UNKNOWN_HOST, ProblemRaised, method_not_allowed, problem_of

TEXTS: Final = ("text/", "application/javascript", "image/svg+xml")
"""Beginnings of the media types of text files, which need a charset."""


class StaticFiles(StaticFileHandler):
    """`/static/`: the same for everybody, so browsers may cache it.

    A browser checks each time for a new version, unless the address names the version.
    """

    application: Curfew

    def set_default_headers(self) -> None:
        set_security_headers(self, pins_https=self.application.configuration.pins_https)

    def prepare(self) -> None:
        """Answer only under our own host names, as everything else does."""
        if not self.application.serves_host(self.request.host):
            raise ProblemRaised(UNKNOWN_HOST)

    def get_content_type(self) -> str:
        """Return the media type, with the charset of text files: all of ours are UTF-8."""
        kind = super().get_content_type()
        return f"{kind}; charset=UTF-8" if kind.startswith(TEXTS) else kind

    def parse_url_path(self, url_path: str) -> str:
        """Return the file's name. A NUL in it is refused: the file system would raise."""
        if "\0" in url_path:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        return super().parse_url_path(url_path)

    def log_exception(
        self,
        typ: type[BaseException] | None,  # noqa: ARG002 - Tornado's signature
        value: BaseException | None,
        tb: TracebackType | None,  # noqa: ARG002 - Tornado's signature
    ) -> None:
        """Log as all other handlers do: Tornado's own line shows the whole address."""
        log_failure(value, self.request.path)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = problem_of(kwargs.get("exc_info", (None, None))[1], status_code)
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            problem = method_not_allowed(["GET", "HEAD"])
            self.set_header("Allow", problem.headers["Allow"])
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{problem.title}. {problem.detail}\n")

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - Tornado's signature
        if not self.get_argument("v", ""):
            self.set_header("Cache-Control", "no-cache")
