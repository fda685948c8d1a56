"""The site at which a request makes or uses passkeys (WebAuthn's relying party)."""

from handlers.http.session import SessionHandler
from server.crypto.passkeys import Site, site_of


def site_of_request(handler: SessionHandler) -> Site | None:
    """Return the site of a request's address; None where browsers take no passkeys."""
    application = handler.application
    return site_of(handler.request.host, application.origins, application.additions.brand.name)
