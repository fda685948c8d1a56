"""`/account/security`: the second factors of one's own account."""

from typing import ClassVar

import segno

from handlers.api.factors import FactorActs, FactorChange
from handlers.http.access import Access
from handlers.http.problems import Problem
from handlers.pages.confirmation import ConfirmedForm
from handlers.pages.login import LoginForms
from handlers.pages.receipts import told
from server.accounts.second_factor_setup import TotpSetup
from server.core.factors import MAX_PASSKEYS, PASSKEY_NAME_CHARACTERS
from server.core.reasons import Reason

HOME = "/account/security"


class SecurityPage(FactorActs, LoginForms):
    """`/account/security`"""

    access = Access.SIGNED_IN

    async def get(self, *_: str) -> None:
        await self.show()

    async def show(
        self,
        *,
        error: str | None = None,
        notice: list[str] | None = None,
        recovery_codes: tuple[str, ...] = (),
    ) -> None:
        """The page, with what just happened."""
        factors = await self.services.factors.factors_of(self.user)
        self.render(
            "security.html",
            error=error,
            notice=notice or [],
            recovery_codes=recovery_codes,
            factors=factors,
            required=self.rules.second_factor_required,
            passkeys_possible=self.possible_site is not None,
            room_for_passkeys=len(factors.passkeys) < MAX_PASSKEYS,
            name_characters=PASSKEY_NAME_CHARACTERS,
        )


class SecurityForm(ConfirmedForm, SecurityPage):
    """Base of what the forms of the page are sent to."""

    carried: ClassVar[tuple[str, ...]] = ("end_other_sessions",)

    async def get(self, *_: str) -> None:
        """Somebody goes to the address that a form left in the address bar."""
        self.see_other(HOME)

    async def question(self, *_: str) -> str:
        return self.text("confirm.go_on")

    @property
    def ends_others_by_form(self) -> bool:
        """Whether other sessions are to be ended."""
        return self.field("end_other_sessions") == "on"

    async def show_change(self, notice: str, change: FactorChange) -> None:
        """The page with what was done; the login page if this session was ended by it."""
        if self.live is None:
            self.see_other(f"/login?reason={Reason.CREDENTIAL_CHANGED}")
            return
        lease = self.application.configuration.node_lease
        ended = change.receipt if change.receipt and change.receipt.sessions else None
        await self.show(
            notice=[notice, *(told(self.language, ended, lease) if ended else [])],
            recovery_codes=change.recovery_codes,
        )

    async def show_refusal(self, problem: Problem) -> None:
        await self.show(error=self.told(problem))


class BegunForm(SecurityForm):
    """Base of those whose fields are good for a short while only: proved elsewhere, begun anew."""

    @property
    def brings_proof(self) -> bool:
        """Never: its fields are for another purpose."""
        return False

    async def ask(self, *arguments: str, refused: Problem | None = None) -> None:  # noqa: ARG002
        self.set_status(403)
        about = self.text("confirm.go_on")
        await self.show_confirmation("/reauthenticate", {"next": HOME}, about=about)


class BeginTotpPage(SecurityForm):
    """`POST /account/security/totp`"""

    carried = ()

    async def act(self, *_: str) -> None:
        self.show_setup(self.services.factors.begin_totp(self.user))

    def show_setup(self, setup: TotpSetup, *, error: str | None = None) -> None:
        """The page that tells an app its secret, as a QR code and as text."""
        drawing = segno.make(self.uri_of(setup), error="m", micro=False)
        groups = [setup.secret[start : start + 4] for start in range(0, len(setup.secret), 4)]
        self.render(
            "totp_setup.html",
            error=error,
            setup=setup.setup,
            secret=" ".join(groups),
            # Attributes alone, no style: the content security policy allows none.
            drawing=drawing.svg_inline(border=4, light="#fff", omitsize=True, lineclass=None),
        )


class AddTotpPage(BegunForm, BeginTotpPage):
    """`POST /account/security/totp/confirm`"""

    async def act(self, *_: str) -> None:
        change = await self.add_totp(
            self.field("setup"), self.field("code"), end_others=self.ends_others_by_form
        )
        await self.show_change(self.text("totp.added"), change)

    async def show_refusal(self, problem: Problem) -> None:
        begun = self.services.factors.resume_totp(self.user, self.field("setup"))
        if problem.slug == "wrong-code" and begun is not None:
            self.show_setup(begun, error=self.told(problem))
        else:
            await super().show_refusal(problem)


class RemoveTotpPage(SecurityForm):
    """`POST /account/security/totp/remove`"""

    async def act(self, *_: str) -> None:
        change = await self.remove_totp(end_others=self.ends_others_by_form)
        await self.show_change(self.text("totp.removed"), change)


class RecoveryCodesPage(SecurityForm):
    """`POST /account/security/recovery-codes`"""

    async def act(self, *_: str) -> None:
        change = await self.renew_recovery_codes(end_others=self.ends_others_by_form)
        await self.show_change(self.text("recovery.renewed"), change)


class AddPasskeyPage(BegunForm):
    """`POST /account/security/passkeys`"""

    async def act(self, *_: str) -> None:
        change = await self.add_passkey(
            self.credential_field(), self.field("name"), end_others=self.ends_others_by_form
        )
        await self.show_change(self.text("passkeys.added"), change)


class RemovePasskeyPage(SecurityForm):
    """`POST /account/security/passkeys/remove`"""

    carried = ("id", "end_other_sessions")

    async def act(self, *_: str) -> None:
        change = await self.remove_passkey(self.field("id"), end_others=self.ends_others_by_form)
        await self.show_change(self.text("passkeys.removed"), change)
