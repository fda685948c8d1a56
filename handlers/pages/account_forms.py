"""The forms of `/account`: they end one session or several, and change the password."""

from typing import Final

from handlers.http.account_problems import WRONG_PASSWORD
from handlers.http.ending import clear_cookie_if_ended, end_many, scope_in
from handlers.http.outcomes import require_done
from handlers.http.problems import Problem, ProblemRaised
from handlers.pages.account import AccountView, device_label
from handlers.pages.confirmation import ConfirmedForm
from handlers.pages.other_sessions import ends_others
from handlers.pages.proof_form import ProofForm
from handlers.pages.receipts import others_notice
from server.accounts.own_sessions import EndScope
from server.core.reasons import Reason

QUESTIONS: Final = {EndScope.OTHERS: "confirm.end_others", EndScope.ALL: "confirm.end_all"}


class EndOnePage(ConfirmedForm):
    """`POST /account/sessions/{id}/end`"""

    view = AccountView

    async def question(self, *arguments: str) -> str:
        listed = require_done(await self.services.own_sessions.find(self.person, arguments[0]))
        return self.text(
            "confirm.end_one",
            device=device_label(self, listed),
            address=listed.session.device.ip,
        )

    async def act(self, *arguments: str) -> None:
        ended = require_done(await self.services.own_sessions.end_one(self.person, arguments[0]))
        clear_cookie_if_ended(self, ended)
        await AccountView(self).show_receipt(ended.receipt, Reason.LOGOUT)


class EndManyPage(ConfirmedForm):
    """`POST /account/sessions/end`"""

    view = AccountView
    carried = ("scope",)

    async def question(self, *_: str) -> str:
        return self.text(QUESTIONS[scope_in(self.field("scope"))])

    async def act(self, *_: str) -> None:
        ended = await end_many(self, scope_in(self.field("scope")))
        await AccountView(self).show_receipt(ended.receipt, Reason.TERMINATED)


class PasswordPage(ConfirmedForm):
    """`POST /account/password`: the form itself brings the password that a stale session needs."""

    view = AccountView
    password_field = "current_password"  # noqa: S105 - a field's name

    async def ask(self, *_: str, refused: Problem | None = None) -> None:
        """Show the form again: a question must not carry the new password along.

        If a code is missing, ask for the code first.
        """
        if refused and refused.slug == "second-factor-required":
            self.set_status_of(refused)
            await ProofForm(self).show(
                "/reauthenticate", {"next": "/account"}, about=self.sentence_for(refused)
            )
            return
        raise ProblemRaised(refused or WRONG_PASSWORD)

    async def act(self, *_: str) -> None:
        outcome = await self.services.password_change.change(
            self.person,
            self.field("current_password"),
            self.field("new_password"),
            end_others=ends_others(self),
        )
        changed = require_done(outcome)
        self.adopt(changed.session)
        notice = [self.text("password.changed"), *others_notice(self, changed.receipt)]
        await AccountView(self).show(notice=notice)
