"""Which settings hold the secret keys; what they refuse: tests/unit/test_settings_keys.py."""

from pathlib import Path

import pytest

from server.core.environment import Environment
from server.core.errors import ConfigurationError
from server.crypto.secret_keys import key_file, read_secret_keys, secret_keys

KEY = "NobodyKnowsThisKeyNobodyKnowsThisKeyNobody0"


def test_a_variable_goes_before_a_file_and_a_named_file_before_the_own(tmp_path: Path) -> None:
    named = {"CURFEW_SECRET_KEYS_FILE": "/etc/keys"}
    assert key_file(Environment(named | {"CURFEW_SECRET_KEYS": KEY}), tmp_path) is None
    assert key_file(Environment(named), tmp_path) == Path("/etc/keys")
    assert key_file(Environment({}), tmp_path) == tmp_path / "secret_keys"


def test_only_the_own_file_is_made_and_only_on_loopback(tmp_path: Path) -> None:
    own, named = tmp_path / "secret_keys", tmp_path / "named"
    with pytest.raises(ConfigurationError):
        secret_keys(Environment({}), own, loopback=False)
    read = Environment({"CURFEW_SECRET_KEYS_FILE": str(named)})
    with pytest.raises(ConfigurationError):
        secret_keys(read, named, loopback=True)
    assert list(tmp_path.iterdir()) == []
    assert secret_keys(Environment({}), own, loopback=True) == read_secret_keys(own)


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(ConfigurationError, match=r"CURFEW_DATA_DIR: .*/data cannot be used"):
        secret_keys(Environment({}), tmp_path / "data" / "secret_keys", loopback=True)
