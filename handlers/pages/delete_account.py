"""The form that deletes one's own account. It always asks for a proof, however recent the last."""

from handlers.http.ending import delete_own_account
from handlers.pages.account import AccountView
from handlers.pages.confirmation import ConfirmedForm
from server.core.reasons import Reason


class DeleteAccountPage(ConfirmedForm):
    """`POST /account/delete`"""

    view = AccountView
    asks_always = True

    async def question(self, *_: str) -> str:
        return self.text("confirm.delete_account", user=self.session.name)

    async def act(self, *_: str) -> None:
        await delete_own_account(self)
        self.see_other(f"/login?reason={Reason.ACCOUNT_DELETED}")
