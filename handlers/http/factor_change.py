"""Changes of second factors: what JSON handlers and pages have in common."""

from handlers.http.session import SessionHandler
from server.accounts.second_factor_changes import FactorChange
from server.accounts.second_factor_setup import TotpSetup
from server.crypto.totp import totp_uri


def adopt_change(handler: SessionHandler, change: FactorChange) -> None:
    """Continue with the session after a change.

    Args:
        handler: of the request.
        change: what was done. If it ended the session, the browser forgets its cookie.

    Raises:
        ProblemRaised: the session ended meanwhile, in another way.
    """
    if change.session is None:
        handler.clear_session_cookie()
    else:
        handler.adopt(change.session)


def totp_uri_of(handler: SessionHandler, setup: TotpSetup) -> str:
    """Return what an authenticator app reads from a QR code."""
    return totp_uri(
        setup.secret,
        user=handler.user,
        site=handler.request.host,
        issuer=handler.application.additions.brand.name,
    )
