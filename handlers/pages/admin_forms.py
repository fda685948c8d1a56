"""The forms of `/admin`: end one session, or all sessions of a person, and show the receipt."""

from handlers.http.access import Access
from handlers.pages.admin import known_account, known_session, show_end
from handlers.pages.confirmation import ConfirmedForm
from server.core.audit import AuditEvent
from server.core.reasons import Reason


class EndOneOfAnyPage(ConfirmedForm):
    """`POST /admin/sessions/{id}/end`"""

    access = Access.ADMIN
    access_to_change = Access.ADMIN
    home = "/admin"

    async def question(self, *arguments: str) -> str:
        session = await known_session(self, arguments[0])
        return self.text("admin.confirm_one", user=session.name or self.text("admin.visitor"))

    async def act(self, *arguments: str) -> None:
        session = await known_session(self, arguments[0])
        self.audit(AuditEvent.ADMIN_ACT, session.user or "", act="end_session")
        receipt = await self.services.terminations.one(session, Reason.ADMIN)
        await show_end(self, session.user, receipt)


class EndAllOfUserPage(ConfirmedForm):
    """`POST /admin/users/{user}/end`"""

    access = Access.ADMIN
    access_to_change = Access.ADMIN
    home = "/admin"

    async def question(self, *arguments: str) -> str:
        account = await known_account(self, arguments[0])
        return self.text("admin.confirm_all", user=account.name)

    async def act(self, *arguments: str) -> None:
        account = await known_account(self, arguments[0])
        self.audit(AuditEvent.ADMIN_ACT, account.user, act="end_sessions")
        receipt = await self.services.terminations.all_of(account.user, Reason.ADMIN)
        await show_end(self, account.user, receipt)
