"""Answers every address that no route matches."""

from typing import Any

from handlers.http import guards
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.problems import NOT_FOUND, Problem, ProblemRaised
from handlers.pages.base import PageHandler


class NotFoundHandler(PageHandler):
    """Says that there is nothing at this address, without reading any session."""

    access = Access.PUBLIC

    async def prepare(self) -> None:
        guards.require_own_host(self)
        raise ProblemRaised(NOT_FOUND)

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ARG002 - always the same
        error = kwargs.get("exc_info", (None, None))[1]
        self.finish_problem(error.problem if isinstance(error, ProblemRaised) else NOT_FOUND)

    def write_problem(self, problem: Problem) -> None:
        if self.request.path.startswith("/api/"):
            BaseHandler.write_problem(self, problem)
        else:
            super().write_problem(problem)
