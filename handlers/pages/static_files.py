"""Serves the files of the pages (styles, scripts, pictures) under the same rules as the pages."""

import os
from asyncio import Future
from collections.abc import Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final

from tornado.web import HTTPError, StaticFileHandler

from handlers.http.application import Curfew
from handlers.http.failures import log_failure
from handlers.http.headers import set_security_headers
from handlers.http.problems import UNKNOWN_HOST, ProblemRaised, method_not_allowed, problem_of
from handlers.http.request_ids import RequestName

TEXTS: Final = ("text/", "application/javascript", "image/svg+xml")
"""Beginnings of the media types of text files, which need a charset."""


class StaticFiles(StaticFileHandler):
    """`/static/`: the same for everybody, so browsers may cache it.

    A browser checks each time for a new version, unless the address names the version.
    """

    application: Curfew

    def set_default_headers(self) -> None:
        set_security_headers(self, pins_https=self.application.configuration.pins_https)

    @cached_property
    def request_name(self) -> RequestName:
        """How this request is called in the log and in its answer."""
        return self.application.request_ids.name(self.request)

    def flush(self, include_footers: bool = False) -> Future[None]:  # noqa: FBT001, FBT002 - Tornado's signature
        """Send what was written. The first time, tell the client how its request is called."""
        if not self._headers_written:
            self.request_name.answer(self._headers)
        return super().flush(include_footers)

    def prepare(self) -> None:
        """Answer only under our own host names, as everything else does."""
        self.request_name.name_lines()
        if not self.application.serves_host(self.request.host):
            raise ProblemRaised(UNKNOWN_HOST)

    async def get(self, path: str, include_body: bool = True) -> None:  # noqa: FBT001, FBT002 - Tornado's signature
        """Answer with the file of the first folder that has it."""
        self.root = folder_of(self.application.settings, self.parse_url_path(path))
        await super().get(path, include_body)

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        """Return what changes with a file, for its address."""
        return super().get_version({**settings, "static_path": folder_of(settings, path)}, path)

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


def folder_of(settings: Mapping[str, Any], path: str) -> str:
    """Return the folder of a static file: the application's if it has the file, otherwise ours.

    Args:
        settings: of the Tornado application.
        path: as a client may have made it up. Tornado refuses what is outside the folder.
    """
    folders: Sequence[str] = settings["static_folders"]
    *own, ours = folders
    return next((each for each in own if os.path.isfile(os.path.join(each, path))), ours)  # noqa: PTH113, PTH118 - a path with an odd byte is no error
