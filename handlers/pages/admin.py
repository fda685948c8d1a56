"""`/admin`: administrators look for people and sessions, and see each person's sessions."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handlers.http import account_problems
from handlers.http.access import Access
from handlers.http.problems import SESSION_NOT_FOUND, ProblemRaised
from handlers.pages.account import card_of
from handlers.pages.base import PageHandler
from handlers.pages.receipts import receipt_notice
from server.accounts.user_names import beginning_of_names
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.reasons import NoSession, Reason
from server.core.receipt import Receipt
from server.core.session import Session
from server.core.token import is_sid
from server.core.typed_text import trimmed
from server.store.contract import ListedSession

PAGE: Final = 25
"""People on one page: the sessions of each are listed, too."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in the list.

    Attributes:
        account: the account.
        sessions: how many live sessions it has.
        sockets: how many tabs are open in them.
    """

    account: Account
    sessions: int
    sockets: int


async def known_account(page: PageHandler, name: str) -> Account:
    """Return an existing account.

    Raises:
        ProblemRaised: there is none.
    """
    account = await page.services.accounts.find(trimmed(name))
    if account is None:
        raise ProblemRaised(account_problems.USER_NOT_FOUND)
    return account


async def known_session(page: PageHandler, sid: str) -> Session:
    """Return a live session.

    Raises:
        ProblemRaised: there is none.
    """
    found = await page.services.sessions.current(sid)
    if isinstance(found, NoSession):
        raise ProblemRaised(SESSION_NOT_FOUND)
    return found


class AdminPage(PageHandler):
    """`/admin`"""

    access = Access.ADMIN

    async def get(self) -> None:
        typed = trimmed(self.get_query_argument("q", "", strip=False))
        if is_sid(typed):
            await self._find_session(typed)
            return
        after = self.get_query_argument("after", "", strip=False)
        self.audit(AuditEvent.ADMIN_ACT, act="list_users")
        page = await self.services.account_changes.page(
            after, PAGE, prefix=beginning_of_names(typed)
        )
        rows = await asyncio.gather(*(self._row(each) for each in page.accounts))
        self._show(rows, self.text("admin.nobody"), typed, after, page.following)

    async def _find_session(self, sid: str) -> None:
        found = await self.services.sessions.current(sid)
        if isinstance(found, NoSession):
            self._show([], self.text("admin.no_session"), sid)
        else:
            self.see_other(f"/admin/sessions/{sid}")

    def _show(
        self,
        people: Sequence[PersonRow],
        otherwise: str,
        typed: str,
        after: str = "",
        following: str = "",
    ) -> None:
        self.render(
            "admin.html",
            people=people,
            otherwise=otherwise,
            typed=typed,
            after=after,
            following=following,
        )

    async def _row(self, account: Account) -> PersonRow:
        listed = await self.services.sessions.sessions_of(account.user)
        return PersonRow(account, len(listed), sum(each.sockets for each in listed))


class AdminUserPage(PageHandler):
    """`/admin/users/{user}`"""

    access = Access.ADMIN

    async def get(self, name: str) -> None:
        account = await known_account(self, name)
        self.audit(AuditEvent.ADMIN_ACT, account.user, act="list_sessions")
        await show_person(self, account)


class AdminSessionPage(PageHandler):
    """`/admin/sessions/{id}`"""

    access = Access.ADMIN

    async def get(self, sid: str) -> None:
        session = await known_session(self, sid)
        self.audit(AuditEvent.ADMIN_ACT, session.user or "", act="look_at_session")
        listed = await self.services.sessions.sessions_of(session.user) if session.user else ()
        sockets = next((each.sockets for each in listed if each.session.sid == sid), 0)
        card = card_of(self, ListedSession(session, sockets))
        self.render("admin_session.html", user=session.user, name=session.name, sessions=[card])


async def show_person(page: PageHandler, account: Account, notice: Sequence[str] = ()) -> None:
    """Show a person's sessions.

    Args:
        page: the handler of the request.
        account: whose.
        notice: what was done, and further sentences on it.
    """
    listed = await page.services.sessions.sessions_of(account.user)
    cards = [card_of(page, each) for each in listed]
    page.render("admin_user.html", account=account, sessions=cards, error=None, notice=notice)


async def show_end(page: PageHandler, user: str | None, receipt: Receipt) -> None:
    """Show what was ended; if it was the administrator's own session, the login page.

    Args:
        page: the handler of the request.
        user: whose sessions were ended; None for a visitor. Where an application keeps accounts, a
            session may outlive its account.
        receipt: of the end.
    """
    if isinstance(await page.services.sessions.current(page.session.sid), NoSession):
        page.clear_session_cookie()
        page.see_other(f"/login?reason={Reason.ADMIN}")
        return
    notice = receipt_notice(page, receipt)
    account = await page.services.accounts.find(user) if user else None
    if account is None:
        page.render("admin_done.html", error=None, notice=notice)
    else:
        await show_person(page, account, notice)
