"""`/account`: a person sees all their sessions and recent activity, and can act on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handlers.http.devices import DeviceKind, describe
from handlers.http.session import ACTIVITY_HEADER
from handlers.pages.activity import activity_line
from handlers.pages.base import PageHandler
from handlers.pages.receipts import receipt_notice
from server.core.activity import ActivityEntry
from server.core.errors import StoreUnavailable
from server.core.reasons import Reason
from server.core.receipt import Receipt
from server.store.contract import ListedSession


@dataclass(frozen=True, slots=True)
class Card:
    """One session on the account page.

    Attributes:
        id: the session's.
        current: whether the request belongs to it.
        device: browser and device, as people call them.
        kind: of device, which decides the picture.
        ip: the address it was signed in from.
        created_at: Unix seconds.
        last_active_at: Unix seconds.
        sockets: how many tabs are open.
        remembered: whether it outlives the browser, by choice.
    """

    id: str
    current: bool
    device: str
    kind: DeviceKind
    ip: str
    created_at: float
    last_active_at: float
    sockets: int
    remembered: bool


class AccountView:
    """Shows the account page, with what has just happened.

    Args:
        page: the handler of the request.
    """

    def __init__(self, page: PageHandler) -> None:
        self._page = page

    async def show(self, *, error: str | None = None, notice: list[str] | None = None) -> None:
        """Show the page.

        Args:
            error: why nothing was done.
            notice: what was done, and further sentences on it.
        """
        cards = await self._cards()
        administers = await self._administers()
        self._page.render(
            "account.html", error=error, notice=notice or [], administers=administers, **cards
        )

    async def show_receipt(self, receipt: Receipt, reason: Reason) -> None:
        """Show what was ended; if it was this session, redirect to the login page."""
        if self._page.live is None:
            self._page.see_other(f"/login?reason={reason}")
        else:
            await self.show(notice=receipt_notice(self._page, receipt))

    async def _cards(self) -> dict[str, Any]:
        """Return the values for the cards of the page, by the names in the templates."""
        page = self._page
        listed = await page.services.own_sessions.all_of(page.person)
        cards = [card_of(page, each) for each in listed]
        return {
            "sessions": sorted(cards, key=lambda card: not card.current),
            "activity": [activity_line(each, page.language) for each in await self._activity()],
        }

    async def _administers(self) -> bool:
        """Return whether to show the way to the pages of administrators.

        It is asked for people, and not each time that a script fetches the list again. Where an
        application keeps accounts, sessions and receipts are shown without them, too.
        """
        if ACTIVITY_HEADER in self._page.request.headers:
            return False
        try:
            account = await self._page.services.accounts.find(self._page.user)
        except StoreUnavailable:
            return False
        return account is not None and account.admin

    async def _activity(self) -> Sequence[ActivityEntry]:
        """Return what happened lately; nothing if the store cannot answer this."""
        try:
            return await self._page.services.activity.of(self._page.user)
        except StoreUnavailable:
            return ()


class AccountPage(PageHandler):
    """`/account`"""

    async def get(self) -> None:
        await AccountView(self).show()


def card_of(page: PageHandler, listed: ListedSession) -> Card:
    """Return a session as the pages show it."""
    session = listed.session
    return Card(
        id=session.sid,
        current=session.sid == page.session.sid,
        device=device_label(page, listed),
        kind=describe(session.device.user_agent).kind,
        ip=session.device.ip,
        created_at=session.created_at,
        last_active_at=session.last_active_at,
        sockets=listed.sockets,
        remembered=bool(session.remember),
    )


def device_label(page: PageHandler, listed: ListedSession) -> str:
    """Return browser and device of a session."""
    return describe(listed.session.device.user_agent).label(page.language)
