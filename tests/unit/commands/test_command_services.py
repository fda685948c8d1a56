"""Which store a command works on, and who the audit trail says it was."""

import os
from pathlib import Path

import pytest

from server.commands.command_services import (
    existing_user,
    open_command_services,
    user_to_change,
)
from server.commands.errors import CommandFailed
from server.core.audit import AuditEvent
from server.core.errors import StoreUnavailable
from server.embedded.store import socket_path
from settings import Settings, load_settings
from tests.support.clients.client import PASSWORD


def settings_for(data_dir: Path, store_url: str | None = None) -> Settings:
    """Return the settings of a command on this store; without an address, on the embedded one."""
    given = {"CURFEW_DATA_DIR": str(data_dir)}
    return load_settings(given | ({"CURFEW_STORE_URL": store_url} if store_url else {}))


async def test_an_embedded_store_that_nobody_runs_is_started_and_stopped(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with open_command_services(settings) as services:
        await services.accounts.create("ada", PASSWORD)
        assert socket_path(tmp_path).exists()
    assert not socket_path(tmp_path).exists()
    async with open_command_services(settings) as services:
        assert await existing_user(services, "Ada") == "ada"


async def test_an_embedded_store_that_runs_is_used_and_left_running(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with open_command_services(settings) as outer:
        await outer.accounts.create("ada", PASSWORD)
        async with open_command_services(settings) as inner:
            assert await existing_user(inner, "ada") == "ada"
        assert await existing_user(outer, "ada") == "ada"


async def test_beside_a_store_of_ones_own_no_other_is_started(
    tmp_path: Path, store_url: str
) -> None:
    async with open_command_services(settings_for(tmp_path, store_url)):
        assert not socket_path(tmp_path).exists()


async def test_a_store_that_is_not_there_is_an_error_of_its_own_name(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, f"unix://{tmp_path}/nothing.sock")
    with pytest.raises(StoreUnavailable):
        async with open_command_services(settings):
            pass


async def test_what_a_command_does_is_recorded_as_the_work_of_an_administrator(
    tmp_path: Path, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_command_services(settings_for(tmp_path, store_url)) as services:
        services.audit.record(AuditEvent.USER_UPDATED, user="ada")
    (line,) = [each for each in caplog.records if each.name == "curfew.audit"]
    assert vars(line)["actor"] == f"command line, uid {os.getuid()}"
    assert vars(line)["user"] == "ada"


async def test_an_account_that_does_not_exist_is_named_in_the_error(
    tmp_path: Path, store_url: str
) -> None:
    async with open_command_services(settings_for(tmp_path, store_url)) as services:
        with pytest.raises(CommandFailed, match="There is no account 'nobody'"):
            await existing_user(services, "nobody")


async def test_what_an_unfinished_rename_has_left_is_not_changed(
    tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(_: object) -> None:
        raise StoreUnavailable("rename")

    async with open_command_services(settings_for(tmp_path, store_url)) as services:
        await services.accounts.create("ada", PASSWORD)
        assert await user_to_change(services, "Ada") == "ada"
        monkeypatch.setattr(services.renaming, "_remove", interrupted)
        with pytest.raises(StoreUnavailable):
            await services.renaming.rename("ada", "countess")
        with pytest.raises(CommandFailed, match="is being renamed"):
            await user_to_change(services, "ada")
        assert await existing_user(services, "ada") == "ada"
        assert await user_to_change(services, "countess") == "countess"
