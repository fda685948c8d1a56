"""Curfew's own accounts as `Accounts`; tests/conformance has the rest."""

from server.core.account import Account
from server.core.reasons import NoSession, Reason
from server.core.session import Device
from server.services import Services
from server.sessions.creation import SignInInterrupted
from server.sessions.verdicts import LiveSession


async def test_no_session_survives_a_removal_either(services: Services) -> None:
    accounts = services.accounts._accounts
    ada = Account("ada", "hash", admin=False, disabled=False, created_at=1.0)
    assert await accounts.save(ada, based_on=0, operation="new")
    epochs = await services.sessions.epochs("ada")
    live = await services.sessions.sign_in("ada", epochs, Device("Test/1", "192.0.2.1"), None)
    assert isinstance(live, LiveSession)
    assert not await accounts.remove("ada", based_on=9, operation="no")
    assert await accounts.remove("ada", based_on=1, operation="remove")
    gone = await services.sessions.current(live.session.sid)
    assert isinstance(gone, NoSession)
    assert gone.reason is Reason.ACCOUNT_DELETED


async def test_a_sign_in_that_began_before_an_account_was_made_gets_no_session_of_it(
    services: Services,
) -> None:
    """Its own account may have been lost with an old master."""
    epochs = await services.sessions.epochs("ada")
    ada = Account("ada", "hash", admin=False, disabled=False, created_at=1.0)
    assert await services.accounts._accounts.save(ada, based_on=0, operation="new")
    interrupted = await services.sessions.sign_in(
        "ada", epochs, Device("Test/1", "192.0.2.1"), None
    )
    assert isinstance(interrupted, SignInInterrupted)
