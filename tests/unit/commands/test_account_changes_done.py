"""What the `user` commands that change accounts do, and say; as processes: tests/integration."""

import pytest

from server.accounts.outcomes import Denial
from server.commands import account_changes
from server.commands.account_changes import (
    REFUSALS,
    delete,
    list_users,
    make_administrator,
    rename,
)
from server.commands.errors import CommandFailed
from server.core.account import Account
from server.services import Services
from tests.support.clients.client import PASSWORD

Printed = pytest.CaptureFixture[str]


async def make(services: Services, *names: str, admin: bool = False) -> None:
    """Make accounts."""
    for name in names:
        assert isinstance(await services.accounts.create(name, PASSWORD, admin=admin), Account)


async def is_administrator(services: Services, name: str) -> bool:
    """Return whether an account has the role."""
    account = await services.accounts.find(name)
    assert account is not None
    return account.admin


async def test_accounts_are_listed_in_order_behind_a_name(
    services: Services, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = services.account_changes.page
    monkeypatch.setattr(services.account_changes, "page", lambda after: page(after, 2))
    await make(services, "cleo", "ann", "bob", "dora")
    await list_users(services, after="ann")
    told = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert told == ["bob", "cleo", "dora"]


async def test_a_role_is_given_and_the_last_administrators_is_taken_only_if_it_is_meant(
    services: Services, capsys: Printed
) -> None:
    await make(services, "ann")
    await make_administrator(services, name="Ann", remove=False, may_be_last=False)
    assert capsys.readouterr().out == "ann is an administrator now.\n"
    with pytest.raises(CommandFailed, match="say --force to mean it"):
        await make_administrator(services, name="ann", remove=True, may_be_last=False)
    assert await is_administrator(services, "ann")
    await make_administrator(services, name="ann", remove=True, may_be_last=True)
    assert '"state": "complete"' in capsys.readouterr().out
    assert not await is_administrator(services, "ann")


async def test_an_account_that_goes_meanwhile_gets_no_role(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def existing(*_: object) -> str:
        return "nobody"

    monkeypatch.setattr(account_changes, "existing_user", existing)
    with pytest.raises(CommandFailed) as refused:
        await make_administrator(services, name="nobody", remove=False, may_be_last=False)
    assert str(refused.value) == REFUSALS[Denial.ACCOUNT_NOT_FOUND]


async def test_an_account_is_deleted_if_somebody_says_yes_and_its_sessions_end_with_it(
    services: Services, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(services, "ann")
    monkeypatch.setattr(account_changes, "_confirm", lambda _: False)
    with pytest.raises(CommandFailed, match="Nothing was deleted"):
        await delete(services, name="ann", confirmed=False, may_be_last=False)
    assert await services.accounts.find("ann") is not None
    await delete(services, name="ann", confirmed=True, may_be_last=False)
    assert '"state": "complete"' in capsys.readouterr().out
    assert await services.accounts.find("ann") is None


async def test_a_renamed_account_has_the_new_name_and_a_name_that_is_taken_is_refused(
    services: Services, capsys: Printed
) -> None:
    await make(services, "ann", "bob")
    with pytest.raises(CommandFailed, match="taken"):
        await rename(services, name="ann", new_name="bob")
    await rename(services, name="ann", new_name="Countess")
    told = capsys.readouterr().out
    assert told.startswith("ann is countess now.\n")
    assert '"state": "complete"' in told
    assert await services.accounts.find("ann") is None
    assert await services.accounts.find("countess") is not None


async def test_an_account_whose_rename_was_interrupted_gets_no_other_name(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unfinished(*_: object) -> Denial:
        return Denial.RENAME_UNFINISHED

    await make(services, "ann")
    monkeypatch.setattr(services.renaming, "rename", unfinished)
    with pytest.raises(CommandFailed) as refused:
        await rename(services, name="ann", new_name="countess")
    assert str(refused.value) == REFUSALS[Denial.RENAME_UNFINISHED]
