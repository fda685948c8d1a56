"""An authenticator that a page of Chromium takes for a device of its own."""

from typing import Any

from playwright.sync_api import CDPSession, Page


class VirtualAuthenticator:
    """Verifies its person without asking, until it is told to refuse.

    Args:
        page: whose device it is, also after it went to other addresses.
    """

    def __init__(self, page: Page) -> None:
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        self._devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self._devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = {"authenticatorId": added["authenticatorId"]}

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """What it holds."""
        found = self._devtools.send("WebAuthn.getCredentials", self._id)
        credentials: list[dict[str, Any]] = found["credentials"]
        return credentials

    def replace_by_copy(self, sign_count: int) -> None:
        """Put a copy from earlier in the place of its one credential."""
        (credential,) = self.credentials
        self._devtools.send("WebAuthn.clearCredentials", self._id)
        copy = credential | {"signCount": sign_count}
        self._devtools.send("WebAuthn.addCredential", {**self._id, "credential": copy})

    def refuse(self) -> None:
        """Verify nobody from now on."""
        self._set(verified=False)

    def accept(self) -> None:
        """Verify its person again."""
        self._set(verified=True)

    def _set(self, *, verified: bool) -> None:
        self._devtools.send("WebAuthn.setUserVerified", {**self._id, "isUserVerified": verified})
