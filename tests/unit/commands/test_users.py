"""Where a password comes from when nobody sits at a terminal."""

import io

import pytest

from server.commands.errors import CommandFailed
from server.commands.users import (
    _read_password,
    add,
    disable,
    enable,
    reset_factors,
    set_password,
)
from server.core.account import Account
from server.services import Services
from tests.support.clients.client import PASSWORD

OTHER = PASSWORD[::-1]


@pytest.mark.parametrize(
    ("given", "password"),
    [("a secret \n", "a secret "), ("first\nsecond\n", "first"), ("no end", "no end"), ("", "")],
)
def test_a_password_is_the_first_line_of_standard_input(
    monkeypatch: pytest.MonkeyPatch, given: str, password: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert _read_password("Password: ") == password


async def account_of(services: Services, name: str) -> Account:
    """Return an account that is there."""
    account = await services.accounts.find(name)
    assert account is not None
    return account


async def test_an_account_is_made_with_a_password_that_was_typed_or_not_at_all(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandFailed, match="at least 15 characters"):
        await add(services, name="ann", admin=False)
    assert await services.accounts.find("ann") is None
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    await add(services, name="Ann", admin=True)
    assert capsys.readouterr().out == "ann can sign in now as an administrator.\n"
    assert (await account_of(services, "ann")).admin


async def test_a_disabled_account_is_enabled_again(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    await services.accounts.create("ann", PASSWORD)
    await disable(services, name="ann")
    assert (await account_of(services, "ann")).disabled
    await enable(services, name="ann")
    assert not (await account_of(services, "ann")).disabled
    receipt, line = capsys.readouterr().out.splitlines()
    assert '"state": "complete"' in receipt
    assert line == "ann can sign in again."


async def test_a_new_password_that_is_refused_changes_nothing(
    services: Services, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.accounts.create("ann", PASSWORD)
    before = await account_of(services, "ann")
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandFailed, match="at least 15 characters"):
        await set_password(services, name="ann")
    assert await account_of(services, "ann") == before
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{OTHER}\n"))
    await set_password(services, name="ann")
    assert (await account_of(services, "ann")).password_hash != before.password_hash
    assert '"state": "complete"' in capsys.readouterr().out


async def test_where_there_is_no_second_factor_it_is_said_and_sessions_end_all_the_same(
    services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    await services.accounts.create("ann", PASSWORD)
    await reset_factors(services, name="ann")
    line, receipt = capsys.readouterr().out.splitlines()
    assert line == "There was no second factor."
    assert '"state": "complete"' in receipt


async def test_an_account_that_goes_meanwhile_is_not_said_to_be_disabled(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object, **__: object) -> bool:
        return False

    await services.accounts.create("ann", PASSWORD)
    monkeypatch.setattr(services.accounts, "set_disabled", gone)
    with pytest.raises(CommandFailed, match="no such account any more"):
        await disable(services, name="ann")
