"""The page of an error: what it says, and that it says something whatever else is wrong."""

import logging
from collections.abc import Mapping
from html import escape
from typing import Final, NamedTuple

from tornado.web import RequestHandler

from handlers.http import account_problems, factor_problems, problems
from handlers.http.application import TEMPLATES
from handlers.http.base import BaseHandler
from handlers.http.problems import NOTHING_TO_SAY, Problem
from handlers.languages.texts import Language

TEMPLATE: Final = "error.html"
TITLES: Final = {
    each.slug: each.title
    for module in (problems, account_problems, factor_problems)
    for each in vars(module).values()
    if isinstance(each, Problem)
}
"""Of the problems that have the same title each time."""
LAST_RESORT: Final = """<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title><h1>{heading}</h1><p>{sentence}</p><p><a href="{start}">{link}</a></p>
"""

log = logging.getLogger("curfew.http")


class Words(NamedTuple):
    """What a page says of a problem."""

    heading: str
    sentence: str


def page_words(language: Language, problem: Problem, limits: Mapping[str, object]) -> Words:
    """Return what a page says of a problem.

    The language files have the words of our own problems. An application's own problem brings its
    words along: its title and its detail.

    Args:
        language: of the page.
        problem: ours, or an application's own.
        limits: the numbers that sentences may use.
    """
    own = Words(problem.title, problem.detail)
    if TITLES.get(problem.slug, problem.title) != problem.title:
        return own  # with a name that is also ours
    if problem.case == NOTHING_TO_SAY:
        return Words(language.text("problem.other.heading"), language.text("problem.other.text"))
    values = {**limits, "count": problem.count, **problem.extra}
    name = f"problem.{problem.slug}"
    try:
        heading = language.text(f"{name}.heading")
        return Words(heading, language.text(f"{name}.{problem.case}", **values))
    except KeyError:  # no language has this text, or it takes a value that the problem lacks
        return own


class ErrorPage:
    """Makes the page. No fault of a template may leave a person with an empty one.

    Args:
        page: the handler of the request.
    """

    def __init__(self, page: BaseHandler) -> None:
        self._page = page

    def render(self, status: int, heading: str, sentence: str) -> str | bytes:
        """Return the page: by the application's own template if it has one, otherwise by ours.

        Args:
            status: of the answer.
            heading: the kind of problem.
            sentence: what it is, and what to do.
        """
        words = {"status": status, "heading": heading, "detail": sentence}
        for attempt in (self._page.render_string, self._by_our_template):
            try:
                return attempt(TEMPLATE, **words)
            except Exception:
                log.exception("the page of an error cannot be shown")
        words = {"heading": escape(heading), "sentence": escape(sentence)}
        start = self._page.application.base_path.located("/")
        return LAST_RESORT.format(**words, start=start, link=escape(self._page.request.host))

    def _by_our_template(self, name: str, **words: object) -> bytes:
        page = self._page
        loader = RequestHandler.create_template_loader(page, TEMPLATES)
        shown = loader.load(name).generate(**page.get_template_namespace(), **words)
        return page.application.base_path.locate_links(shown)
