"""The forms of `/account/security`: they add and remove second factors."""

import segno

from handlers.http.factor_change import adopt_change, totp_uri_of
from handlers.http.outcomes import require_done
from handlers.http.passkey_site import site_of_request
from handlers.http.problems import Problem
from handlers.pages.base import PageHandler
from handlers.pages.confirmation import ConfirmedForm
from handlers.pages.other_sessions import END_OTHERS, ends_others
from handlers.pages.proof_form import credential_in
from handlers.pages.security import HOME, SecurityView
from server.accounts.outcomes import NotDone
from server.accounts.second_factor_changes import FactorChange
from server.accounts.second_factor_setup import TotpSetup


class BeginTotpPage(ConfirmedForm):
    """`POST /account/security/totp`"""

    view, home = SecurityView, HOME
    before_second_factor = changes_second_factors = True
    carried = ("next",)

    async def act(self, *_: str) -> None:
        show_totp_setup(self, self.services.factors.begin_totp(self.user))


class AddTotpPage(ConfirmedForm):
    """`POST /account/security/totp/confirm`"""

    view, home = SecurityView, HOME
    before_second_factor = changes_second_factors = True
    proved_elsewhere = HOME

    async def act(self, *_: str) -> None:
        setup, code = self.field("setup"), self.field("code")
        change = await self.services.factor_changes.add_totp(
            self.person, setup, code, end_others=ends_others(self)
        )
        await show_change(self, "totp.added", change)

    async def show_refusal(self, problem: Problem) -> None:
        begun = self.services.factors.resume_totp(self.user, self.field("setup"))
        if problem.slug == "wrong-code" and begun is not None:
            show_totp_setup(self, begun, error=self.sentence_for(problem))
        else:
            await super().show_refusal(problem)


class RemoveTotpPage(ConfirmedForm):
    """`POST /account/security/totp/remove`"""

    view, home = SecurityView, HOME
    before_second_factor = changes_second_factors = True
    carried = (END_OTHERS,)

    async def act(self, *_: str) -> None:
        change = await self.services.factor_changes.remove_totp(
            self.person, end_others=ends_others(self)
        )
        await show_change(self, "totp.removed", change)


class RecoveryCodesPage(ConfirmedForm):
    """`POST /account/security/recovery-codes`"""

    view, home = SecurityView, HOME
    before_second_factor = changes_second_factors = True
    carried = (END_OTHERS,)

    async def act(self, *_: str) -> None:
        change = await self.services.factor_changes.renew_recovery_codes(
            self.person, end_others=ends_others(self)
        )
        await show_change(self, "recovery.renewed", change)


class AddPasskeyPage(ConfirmedForm):
    """`POST /account/security/passkeys`"""

    view, home = SecurityView, HOME
    before_second_factor = changes_second_factors = True
    proved_elsewhere = HOME

    async def act(self, *_: str) -> None:
        change = await self.services.factor_changes.add_passkey(
            self.person,
            site_of_request(self),
            credential_in(self),
            self.field("name"),
            end_others=ends_others(self),
        )
        await show_change(self, "passkeys.added", change)


class RemovePasskeyPage(ConfirmedForm):
    """`POST /account/security/passkeys/remove`"""

    view, home = SecurityView, HOME
    before_second_factor = changes_second_factors = True
    carried = ("id", END_OTHERS)

    async def act(self, *_: str) -> None:
        change = await self.services.factor_changes.remove_passkey(
            self.person, self.field("id"), end_others=ends_others(self)
        )
        await show_change(self, "passkeys.removed", change)


async def show_change(page: PageHandler, notice: str, outcome: FactorChange | NotDone) -> None:
    """Show the page with what a change came to.

    Args:
        page: the handler of the request.
        notice: key of the sentence that says what was done.
        outcome: of the change.

    Raises:
        ProblemRaised: it was not done.
    """
    change = require_done(outcome)
    adopt_change(page, change)
    await SecurityView(page).show_change(page.text(notice), change)


def show_totp_setup(page: PageHandler, setup: TotpSetup, *, error: str | None = None) -> None:
    """Show the secret of an authenticator app, as a QR code and as text."""
    drawing = segno.make(totp_uri_of(page, setup), error="m", micro=False)
    groups = [setup.secret[start : start + 4] for start in range(0, len(setup.secret), 4)]
    page.render(
        "totp_setup.html",
        error=error,
        setup=setup.setup,
        secret=" ".join(groups),
        # The content security policy allows no style, so the picture has attributes only.
        drawing=drawing.svg_inline(border=4, light="#fff", omitsize=True, lineclass=None),
    )
