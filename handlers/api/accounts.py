"""What administrators may do with accounts: list, delete and rename them, give the role."""

from typing import Final

from handlers.api.admin import AdminHandler
from handlers.api.answers import RECEIPT
from handlers.api.views import account_view
from handlers.http import account_problems
from handlers.http.access import Access
from handlers.http.base import BaseHandler
from handlers.http.body import Body
from handlers.http.ending import delete_own_account
from handlers.http.operation import answer, operation, query_parameter
from handlers.http.outcomes import require_done
from handlers.http.problems import ProblemRaised, bad_request
from handlers.http.schemas import (
    BOOLEAN,
    NEW_USER,
    TEXT,
    USER,
    Node,
    closed_object,
    nullable,
    reference,
)
from server.accounts.account_changes import PAGE
from server.core.audit import AuditEvent

FORCE: Final[Node] = {
    **BOOLEAN,
    "default": False,
    "description": "Whether nobody else may be left who is an administrator.",
}
AFTER: Final = query_parameter("after", TEXT, "The last name of the page before.", required=False)
LIMIT: Final = query_parameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": PAGE, "default": PAGE},
    "How many accounts at most.",
    required=False,
)
FORCED: Final = query_parameter("force", FORCE, FORCE["description"], required=False)
PAGE_SCHEMA: Final = closed_object(
    users={"type": "array", "items": reference("Account")},
    next={**nullable(TEXT), "description": "What `after` is for the next page; null at the end."},
)


class UsersResource(BaseHandler):
    """`GET /api/admin/users`"""

    access = Access.ADMIN

    @operation(
        "All accounts in the order of their names, a page at a time.",
        answer("The page.", PAGE_SCHEMA),
        parameters=[AFTER, LIMIT],
        refuses=[bad_request("")],
    )
    async def get(self) -> None:
        limit = self.get_query_argument("limit", str(PAGE))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= PAGE):
            raise ProblemRaised(bad_request(f"`limit` is a whole number from 1 to {PAGE}."))
        self.audit(AuditEvent.ADMIN_ACT, act="list_users")
        page = await self.services.account_changes.page(
            self.get_query_argument("after", "", strip=False), int(limit)
        )
        users = [account_view(each) for each in page.accounts]
        self.finish_json({"users": users, "next": page.following or None})


class UserResource(AdminHandler):
    """`/api/admin/users/{user}`"""

    @operation(
        "An account.",
        answer("The account.", reference("Account")),
        refuses=[account_problems.USER_NOT_FOUND],
    )
    async def get(self, name: str) -> None:
        account = await self.known_account(name)
        self.audit(AuditEvent.ADMIN_ACT, account.user, act="look_at_user")
        self.finish_json(account_view(account))

    @operation(
        "Delete an account with all that is kept of it, and end all its sessions.",
        answer("The receipt.", RECEIPT),
        parameters=[FORCED],
        refuses=[
            account_problems.USER_NOT_FOUND,
            account_problems.LAST_ADMINISTRATOR,
            account_problems.RENAME_UNFINISHED,
            bad_request(""),
        ],
    )
    async def delete(self, name: str) -> None:
        forced = self.get_query_argument("force", "false")
        if forced not in {"true", "false"}:
            raise ProblemRaised(bad_request("`force` is `true` or `false`."))
        user = await self.known_user(name)
        self.audit(AuditEvent.ADMIN_ACT, user, act="delete")
        outcome = await self.services.account_changes.delete(user, may_be_last=forced == "true")
        self.finish_receipt(require_done(outcome))


class UserAdminResource(AdminHandler):
    """`PUT /api/admin/users/{user}/admin`"""

    @operation(
        "Make an account an administrator's; or take the role away, which ends its sessions.",
        answer(
            "The receipt, or the user when the role was given.",
            {"oneOf": [RECEIPT, closed_object(user=USER, admin={"const": True})]},
        ),
        takes=Body({"admin": BOOLEAN}, {"force": FORCE}),
        refuses=[
            account_problems.USER_NOT_FOUND,
            account_problems.LAST_ADMINISTRATOR,
            account_problems.RENAME_UNFINISHED,
        ],
    )
    async def put(self, name: str) -> None:
        body = self.read_body()
        user = await self.known_user(name)
        act = "made_administrator" if body.flag("admin") else "no_administrator"
        self.audit(AuditEvent.ADMIN_ACT, user, act=act)
        changes = self.services.account_changes
        if body.flag("admin"):
            require_done(await changes.make_administrator(user))
            self.finish_json({"user": user, "admin": True})
            return
        outcome = await changes.take_role(user, may_be_last=body.flag("force"))
        self.finish_receipt(require_done(outcome))


class UserNameResource(AdminHandler):
    """`PUT /api/admin/users/{user}/name`"""

    @operation(
        "Give an account another name, which ends its sessions.",
        answer("The name and the receipt.", closed_object(user=USER, receipt=RECEIPT)),
        takes=Body({"name": NEW_USER}),
        refuses=[
            account_problems.USER_NOT_FOUND,
            account_problems.bad_username("", ""),
            account_problems.name_taken(""),
            account_problems.RENAME_UNFINISHED,
        ],
    )
    async def put(self, name: str) -> None:
        new = self.read_body().typed("name")
        user = await self.known_user(name)
        self.audit(AuditEvent.ADMIN_ACT, user, act="rename")
        renamed = require_done(await self.services.renaming.rename(user, new))
        self.live = None  # the receipt shows nothing of a session, as in `finish_receipt`
        self.finish_json({"user": renamed.user, "receipt": renamed.receipt.as_json()})


class AccountResource(BaseHandler):
    """`DELETE /api/account`"""

    access = Access.RECENT

    @operation(
        "Delete one's own account with all that is kept of it, and end all its sessions.",
        answer("The receipt.", RECEIPT, headers=["Set-Cookie", "Clear-Site-Data"]),
        refuses=[account_problems.LAST_ADMINISTRATOR, account_problems.RENAME_UNFINISHED],
    )
    async def delete(self) -> None:
        self.finish_receipt(await delete_own_account(self))
