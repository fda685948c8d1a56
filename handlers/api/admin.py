"""What administrators do to other people's sessions and accounts."""

from handlers.api.views import listed_view
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import read_object
from handlers.http.problems import USER_NOT_FOUND, ProblemRaised
from server.core.audit import AuditEvent
from server.core.reasons import Reason


class AdminHandler(BaseHandler):
    """Base: recently authenticated administrators only."""

    access = Access.ADMIN

    async def known_user(self, name: str) -> str:
        """The canonical name of an existing account.

        Raises:
            ProblemRaised: there is none.
        """
        account = await self.services.accounts.find(name)
        if account is None:
            raise ProblemRaised(USER_NOT_FOUND)
        return account.user


class UserSessionsResource(AdminHandler):
    """`/api/admin/users/{user}/sessions`"""

    async def get(self, name: str) -> None:
        user = await self.known_user(name)
        self.audit(AuditEvent.ADMIN_ACT, user, act="list_sessions")
        listed = await self.services.sessions.sessions_of(user)
        self.finish_json({"sessions": [listed_view(each, self.session.sid) for each in listed]})

    async def delete(self, name: str) -> None:
        user = await self.known_user(name)
        self.audit(AuditEvent.ADMIN_ACT, user, act="end_sessions")
        receipt = await self.services.terminations.all_of(user, Reason.ADMIN)
        self.finish_receipt(receipt)


class UserDisabledResource(AdminHandler):
    """`PUT /api/admin/users/{user}/disabled`"""

    async def put(self, name: str) -> None:
        disabled = bool(read_object(self.request, {"disabled": bool})["disabled"])
        user = await self.known_user(name)
        change = "disabled" if disabled else "enabled"
        self.audit(AuditEvent.ADMIN_ACT, user, act=change)
        await self.services.accounts.set_disabled(user, disabled=disabled)
        self.audit(AuditEvent.USER_UPDATED, user, change=change)
        if not disabled:
            self.finish_json({"user": user, "disabled": False})
            return
        receipt = await self.services.terminations.all_of(user, Reason.ACCOUNT_DISABLED)
        self.finish_receipt(receipt)
