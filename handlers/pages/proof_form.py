"""The form in which a signed-in person authenticates again: by password and code, or passkey."""

from collections.abc import Mapping

from handlers.http.passkey_site import site_of_request
from handlers.pages.base import PageHandler
from server.accounts.outcomes import NotDone
from server.accounts.reauthentication import Elevated
from server.core import strict_json
from server.core.factors import Method
from server.core.session import Json


class ProofForm:
    """Shows the form, and reads what it brings.

    Args:
        page: the handler of the request.
        password_field: the field in which the request brings a password.
    """

    def __init__(self, page: PageHandler, password_field: str = "password") -> None:  # noqa: S107 - a field's name
        self._page = page
        self._password_field = password_field

    @property
    def is_filled_in(self) -> bool:
        """Whether the request brings anything to check."""
        return bool(self._page.field(self._password_field) or self._page.field("credential"))

    async def check(self) -> Elevated | NotDone:
        """Check what the request brings; the session's token changes if it is right."""
        page, reauthentication = self._page, self._page.services.reauthentication
        if page.field("credential"):
            site = site_of_request(page)
            return await reauthentication.by_passkey(site, page.person, credential_in(page))
        return await reauthentication.by_password(
            page.person, page.field(self._password_field), page.field("code")
        )

    async def show(
        self, action: str, carried: Mapping[str, str], *, about: str, error: str | None = None
    ) -> None:
        """Ask for what this account needs.

        Args:
            action: the address that the form is sent to.
            carried: fields that the form sends along.
            about: a sentence that says what this is needed for.
            error: why the last try failed.
        """
        page = self._page
        factors = await page.services.factors.factors_of(page.user)
        has_passkey = Method.PASSKEY in factors.methods and site_of_request(page) is not None
        page.render(
            "confirm.html",
            action=action,
            carried=carried,
            about=about,
            error=error,
            takes_code=factors.enabled,
            passkeys=has_passkey,
        )


def credential_in(page: PageHandler) -> dict[str, Json]:
    """Return the passkey's answer that a script put into the form; empty if it is no object."""
    try:
        value = strict_json.parse(page.field("credential"))
    except strict_json.NotJson:
        return {}
    return value if isinstance(value, dict) else {}
