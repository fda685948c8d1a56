"""What `keys` commands write and say; with servers that run beside them: tests/integration."""

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.commands import keys
from server.commands.errors import CommandFailed
from server.commands.key_checks import versions_of
from server.commands.keys import add, list_keys, promote, reseal
from server.crypto.keyring import Keyring, parse_secret, version_of
from server.services import Services
from server.store.sealed_records import Resealed
from settings import Settings, load_settings
from tests.support.clients.client import PASSWORD
from tests.support.engine.keys import key, text_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with one key, in a file."""
    return load_settings({"CURFEW_DATA_DIR": str(tmp_path)})


def keys_in(settings: Settings) -> list[bytes]:
    """Return the keys in the file."""
    assert settings.secret_keys_file is not None
    return [parse_secret(each) for each in settings.secret_keys_file.read_text("ascii").split()]


@pytest.mark.parametrize(
    ("last", "old_at", "told"), [(False, 1, "in front"), (True, 0, "behind the others")]
)
def test_a_new_key_is_added_in_front_or_last(
    settings: Settings, capsys: pytest.CaptureFixture[str], *, last: bool, old_at: int, told: str
) -> None:
    add(settings, last=last)
    found = keys_in(settings)
    assert len(found) == 2
    assert found[old_at] == settings.secret_keys[0]
    new = versions_of(found)[1 - old_at]
    assert capsys.readouterr().out.startswith(f"{new} was added {told}.\n")
    assert settings.secret_keys_file is not None
    assert stat.S_IMODE(settings.secret_keys_file.stat().st_mode) == 0o600


def test_keys_of_the_environment_are_not_changed() -> None:
    settings = load_settings({"CURFEW_SECRET_KEYS": text_of(key("one"))})
    with pytest.raises(CommandFailed, match="The keys are in CURFEW_SECRET_KEYS"):
        add(settings, last=False)


def test_the_file_stays_as_it_is_while_another_command_changes_it(settings: Settings) -> None:
    assert settings.secret_keys_file is not None
    settings.secret_keys_file.with_name("secret_keys.new").touch()
    with pytest.raises(CommandFailed, match=r"secret_keys\.new is there: another command"):
        add(settings, last=False)
    assert keys_in(settings) == list(settings.secret_keys)


def test_a_file_that_cannot_be_written_is_named(settings: Settings) -> None:
    assert settings.secret_keys_file is not None
    settings.secret_keys_file.unlink()
    settings.data_dir.rmdir()
    with pytest.raises(CommandFailed, match=r"secret_keys cannot be written: No such file"):
        add(settings, last=False)


def with_keys(*secrets: bytes) -> Settings:
    """Return settings that have these keys, newest first."""
    return load_settings({"CURFEW_SECRET_KEYS": ",".join(map(text_of, secrets))})


async def test_a_record_is_sealed_again_under_the_newest_key_or_told_to_open_under_none(
    services: Services, configuration: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await services.accounts.create("ada", PASSWORD)
    new, newest = key("new"), key("newest")
    services.keyring.adopt(Keyring.from_secrets([new, *configuration.secret_keys]))
    await reseal(services, with_keys(new, *configuration.secret_keys), force=True)
    assert f"1 record was sealed again under {version_of(new)}." in capsys.readouterr().out
    services.keyring.adopt(Keyring.from_secrets([newest]))
    await reseal(services, with_keys(newest), force=True)
    told = capsys.readouterr().out
    assert f"0 records were sealed again under {version_of(newest)}." in told
    assert "1 opens under none of the keys, and stays as it is." in told
    await list_keys(services, with_keys(newest))
    assert "1 record is under none of these keys, and opens for nobody." in capsys.readouterr().out


async def test_a_record_that_is_written_all_the_time_fails_the_command(
    services: Services, configuration: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_: object) -> Resealed:
        return Resealed.BUSY

    await services.accounts.create("ada", PASSWORD)
    new = key("new")
    services.keyring.adopt(Keyring.from_secrets([new, *configuration.secret_keys]))
    monkeypatch.setattr(services.sealed, "reseal", busy)
    with pytest.raises(CommandFailed, match=r"1 was being written all the time\. Say"):
        await reseal(services, with_keys(new, *configuration.secret_keys), force=True)


async def test_a_key_that_a_running_server_lacks_is_put_in_front_only_by_force(
    services: Services, configuration: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = list[Sequence[bytes]]()
    monkeypatch.setattr(keys, "_write", lambda _, secrets: written.append(secrets))
    (old,), new = configuration.secret_keys, key("new")
    both = with_keys(old, new)
    with pytest.raises(CommandFailed):
        await promote(services, both, version=version_of(new), force=False)
    assert written == []
    await promote(services, both, version=version_of(new), force=True)
    assert written == [[new, old]]
