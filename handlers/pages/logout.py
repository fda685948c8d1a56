"""`/logout`: GET shows a button and changes nothing; POST logs out."""

from handlers.http.access import Access
from handlers.http.ending import log_out
from handlers.pages.base import PageHandler
from server.core.reasons import Reason


class LogoutPage(PageHandler):
    """`/logout`"""

    access = Access.PUBLIC
    before_second_factor = True

    def get(self) -> None:
        self.render("logout.html")

    async def post(self) -> None:
        if self.live is not None:
            await log_out(self)
        self.see_other(f"/login?reason={self.no_session.reason or Reason.LOGOUT}")
