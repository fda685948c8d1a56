"""An application that keeps accounts itself: people and commands reach its database."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from curfew import Application
from curfew.testing import PASSWORD, Client, InProcess
from examples.sql_accounts import Options, open_accounts
from server.core.one_time_codes import step_at
from server.core.reasons import NoSession, Reason
from server.crypto.totp import totp_codes
from tests.support.servers.server import ROOT
from tests.support.servers.stores import Store

OTHER_PASSWORD = "quite another sentence of words"


@pytest.fixture
def variables(store_url: str, tmp_path: Path) -> dict[str, str]:
    """The settings: a store, and a database beside it."""
    return {
        "CURFEW_STORE_URL": store_url,
        "PEOPLE_DATABASE": f"sqlite+aiosqlite:///{tmp_path}/people.sqlite",
    }


@pytest.fixture
async def served(variables: dict[str, str]) -> AsyncIterator[InProcess]:
    """The application."""
    application = Application(
        "People", settings=Options, accounts=lambda options: open_accounts(options.database)
    )
    async with InProcess(application, variables=variables) as served:
        yield served


@pytest.fixture
async def ada(served: InProcess) -> AsyncIterator[Client]:
    """Somebody who has signed up, and is signed in."""
    async with served.client() as client:
        yield await client.sign_up("ada")


def keys(valkey: Store) -> list[bytes]:
    with valkey.client() as raw:
        return [key for key in raw.scan_iter() if b":account" in key or b":look" in key]


async def test_a_whole_life_of_an_account_is_in_the_applications_database(
    served: InProcess, ada: Client, valkey: Store
) -> None:
    services = served.node.services
    begun = (await ada.request("POST", "/api/totp")).json()
    secret, now = begun["secret"], services.clock.now()
    code = totp_codes(secret, [step_at(now)])[step_at(now)]
    given = {"setup": begun["setup"], "code": code}
    added = await ada.request("PUT", "/api/totp", given)
    assert added.status_code < 300, added.text
    changed = await ada.request(
        "PUT", "/api/password", {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    )
    assert changed.status_code == 200, changed.text
    async with served.client() as second:
        owed = await second.request(
            "POST", "/api/login", {"username": "ada", "password": OTHER_PASSWORD}
        )
        assert "second" in owed.text
    assert keys(valkey) == []
    await services.account_changes.delete("ada")
    gone = await services.sessions.current(ada.sid)
    assert isinstance(gone, NoSession)
    assert gone.reason is Reason.ACCOUNT_DELETED
    assert keys(valkey) == []


async def test_commands_reach_the_same_accounts(
    variables: dict[str, str], tmp_path: Path, valkey: Store
) -> None:
    added = subprocess.run(  # noqa: ASYNC221 nothing else is to run
        [sys.executable, ROOT / "examples" / "sql_accounts.py", "user", "add", "bob", "--admin"],
        input=f"{PASSWORD}\n{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables, "CURFEW_DATA_DIR": str(tmp_path)},
    )
    assert added.stdout.endswith("bob can sign in now as an administrator.\n"), added.stderr
    async with open_accounts(variables["PEOPLE_DATABASE"]) as accounts:
        assert await accounts.administrators() == ["bob"]
    assert keys(valkey) == []
