"""`POST /look`: the switches for language and colours, at the foot of each page."""

from handlers.http.access import Access
from handlers.pages.base import PageHandler
from handlers.pages.look import COOKIE, KEPT_SECONDS, Look


class LookPage(PageHandler):
    """`POST /look`: changes the look of the pages in this browser, and shows the page again.

    It does not read the session. Only a page of ours may send the form, and there is nothing else
    to win by it.
    """

    access = Access.PUBLIC
    has_session = False

    def get(self) -> None:
        """Redirect: people open the address that the form left in the address bar."""
        self.see_other("/")

    def post(self) -> None:
        look = self.look
        for name in ("language", "theme"):
            if name in self.request.body_arguments:
                look = look.choose(name, self.field(name))
        if look != self.look:
            self._keep(look)
        self.see_other(self.next_path(self.field("next") or "/"))

    def _keep(self, look: Look) -> None:
        self.set_cookie(
            COOKIE,
            look.value,
            path=self.application.base_path.path or "/",
            max_age=KEPT_SECONDS,
            httponly=True,
            secure=self.is_under_https,
            samesite="Lax",
        )
