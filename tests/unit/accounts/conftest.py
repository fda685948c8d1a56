"""People who use a node's services without HTTP."""

from collections.abc import Iterator

import pytest

from server.accounts.requester import Person, Requester
from server.core.account import Account
from server.core.one_time_codes import step_at
from server.core.rooms import Admitted, EntryMode, Member
from server.core.session import Device
from server.crypto.totp import totp_codes
from server.services import Services
from server.sessions.verdicts import LiveSession
from server.store.room_contract import Turn
from tests.support.clients.client import PASSWORD
from tests.support.servers.valkey import ValkeyServer

HOME = Device("Test/1", "192.0.2.1")


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A Valkey for the test alone, which keeps its data when it is killed."""
    with ValkeyServer(appendonly="yes") as own:
        yield own


@pytest.fixture
def visitor() -> Requester:
    """A browser without a session."""
    return Requester(HOME)


@pytest.fixture
async def ada(services: Services) -> Account:
    """An account."""
    made = await services.accounts.create("ada", PASSWORD)
    assert isinstance(made, Account)
    return made


@pytest.fixture
async def person(services: Services, ada: Account, visitor: Requester) -> Person:
    """The account's owner, signed in."""
    return await signed_in(services, ada.user, visitor)


async def signed_in(services: Services, user: str, requester: Requester) -> Person:
    """Return somebody who has signed in by the password."""
    live = await services.sign_in.by_password(user, PASSWORD, requester)
    assert isinstance(live, LiveSession)
    return Person(requester.device, live)


def code_of(secret: str, now: float) -> str:
    """Return what an app shows at a moment."""
    return totp_codes(secret, [step_at(now)])[step_at(now)]


async def rooms_of(services: Services, user: str) -> list[str]:
    """The rooms whose store lets somebody in."""
    store, me = services.rooms._store, Member(user, "00sid")
    (names,) = await store.rooms_of([me])
    turn = Turn("n9", 1)
    asked = {name: await store.enter(name, turn, EntryMode.GRANTED, {me: 1}) for name in names}
    return [name for name, each in asked.items() if isinstance(each, Admitted) and each.is_in[0]]
