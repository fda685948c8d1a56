"""`/account/security`: the second factors of a person's own account."""

from handlers.http.passkey_site import site_of_request
from handlers.pages.base import PageHandler
from handlers.pages.receipts import others_notice
from server.accounts.second_factor_changes import FactorChange
from server.core.factors import MAX_PASSKEYS, PASSKEY_NAME_CHARACTERS
from server.core.reasons import Reason

HOME = "/account/security"


class SecurityView:
    """Shows the security page, with what has just happened.

    Args:
        page: the handler of the request.
    """

    def __init__(self, page: PageHandler) -> None:
        self._page = page

    async def show(
        self,
        *,
        error: str | None = None,
        notice: list[str] | None = None,
        recovery_codes: tuple[str, ...] = (),
    ) -> None:
        """Show the page.

        Args:
            error: why nothing was done.
            notice: what was done, and further sentences on it.
            recovery_codes: new ones, which are shown only once.
        """
        page = self._page
        factors = await page.services.factors.factors_of(page.user)
        page.render(
            "security.html",
            error=error,
            notice=notice or [],
            recovery_codes=recovery_codes,
            factors=factors,
            required=page.rules.second_factor_required,
            passkeys_possible=site_of_request(page) is not None,
            room_for_passkeys=len(factors.passkeys) < MAX_PASSKEYS,
            name_characters=PASSKEY_NAME_CHARACTERS,
        )

    async def show_change(self, notice: str, change: FactorChange) -> None:
        """Show what was done; redirect to the login page if the change ended this session."""
        if self._page.live is None:
            self._page.see_other(f"/login?reason={Reason.CREDENTIAL_CHANGED}")
            return
        await self.show(
            notice=[notice, *others_notice(self._page, change.receipt)],
            recovery_codes=change.recovery_codes,
        )


class SecurityPage(PageHandler):
    """`/account/security`"""

    before_second_factor = True

    async def get(self) -> None:
        await SecurityView(self).show()
