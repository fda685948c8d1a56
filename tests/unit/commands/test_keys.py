"""What `keys add` writes to the key file; the commands that need a store: tests/integration."""

import stat
from pathlib import Path

import pytest

from server.commands.errors import CommandFailed
from server.commands.key_checks import versions_of
from server.commands.keys import add
from server.crypto.keyring import parse_secret
from settings import Settings, load_settings
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
