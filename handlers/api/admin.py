"""What administrators may do with other people's sessions and accounts."""

from typing import Final

from handlers.api.answers import LISTED, RECEIPT
from handlers.api.views import list_view
from handlers.http import account_problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import Body
from handlers.http.operation import answer, operation, path_parameter
from handlers.http.problems import ProblemRaised
from handlers.http.schemas import BOOLEAN, NEW_USER, USER, closed_object
from server.accounts.user_names import canonical_username
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.reasons import Reason
from server.core.typed_text import trimmed
from server.store.absence import require_master

NAME: Final = path_parameter("user", {**NEW_USER, "example": "ada"}, "Of the account.")


class AdminHandler(BaseHandler):
    """Base of the handlers for administrators only, who proved their password recently."""

    access = Access.ADMIN
    parameters = (NAME,)

    async def known_user(self, name: str) -> str:
        """Return the canonical name of an existing account.

        Raises:
            ProblemRaised: there is none.
        """
        return (await self.known_account(name)).user

    async def known_account(self, name: str) -> Account:
        """Return an existing account; otherwise as `known_user`."""
        account = await self.services.accounts.find(trimmed(name))
        user = canonical_username(trimmed(name))
        if account is None and isinstance(user, str):  # believed only if a master says so
            store = self.services.store
            await require_master(store.client, user, store.shards)
            account = await self.services.accounts.find(user)
        if account is None:
            raise ProblemRaised(account_problems.USER_NOT_FOUND)
        return account


class UserSessionsResource(AdminHandler):
    """`/api/admin/users/{user}/sessions`"""

    @operation(
        "The sessions of a user.",
        answer("The list.", LISTED),
        refuses=[account_problems.USER_NOT_FOUND],
    )
    async def get(self, name: str) -> None:
        user = await self.known_user(name)
        self.audit(AuditEvent.ADMIN_ACT, user, act="list_sessions")
        listed = await self.services.sessions.sessions_of(user)
        self.finish_json(list_view(listed, self.session.sid))

    @operation(
        "End all sessions of a user.",
        answer("The receipt.", RECEIPT),
        refuses=[account_problems.USER_NOT_FOUND],
    )
    async def delete(self, name: str) -> None:
        user = await self.known_user(name)
        self.audit(AuditEvent.ADMIN_ACT, user, act="end_sessions")
        receipt = await self.services.terminations.all_of(user, Reason.ADMIN)
        self.finish_receipt(receipt)


class UserDisabledResource(AdminHandler):
    """`PUT /api/admin/users/{user}/disabled`"""

    @operation(
        "Disable an account, which ends its sessions; or enable it again.",
        answer(
            "The receipt, or the user when the account was enabled.",
            {"oneOf": [RECEIPT, closed_object(user=USER, disabled={"const": False})]},
        ),
        takes=Body({"disabled": BOOLEAN}),
        refuses=[account_problems.USER_NOT_FOUND, account_problems.RENAME_UNFINISHED],
    )
    async def put(self, name: str) -> None:
        disabled = self.read_body().flag("disabled")
        account = await self.known_account(name)
        if account.moving_to:
            raise ProblemRaised(account_problems.RENAME_UNFINISHED)
        user = account.user
        change = "disabled" if disabled else "enabled"
        self.audit(AuditEvent.ADMIN_ACT, user, act=change)
        if not await self.services.accounts.set_disabled(user, disabled=disabled):
            raise ProblemRaised(account_problems.USER_NOT_FOUND)
        self.audit(AuditEvent.USER_UPDATED, user, change=change)
        if not disabled:
            self.finish_json({"user": user, "disabled": False})
            return
        receipt = await self.services.terminations.all_of(user, Reason.ACCOUNT_DISABLED)
        self.finish_receipt(receipt)
