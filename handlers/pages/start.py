"""`/`: the start page, for everybody."""

from handlers.http.access import Access
from handlers.pages.base import PageHandler


class StartPage(PageHandler):
    """`/`"""

    access = Access.PUBLIC

    def get(self) -> None:
        self.render("index.html")
