"""The secret keys in the settings: given, in a file that was named, or in a file that is made."""

import stat
from pathlib import Path

import pytest

from server.crypto.keyring import new_secret, parse_secret
from settings import load_settings
from tests.support.engine.given_settings import SECRET, refusal

OTHER = "AnotherKeyThatOpensNothingAnotherKeyThatOp4"


def test_keys_are_given_newest_first() -> None:
    expected = (parse_secret(SECRET), parse_secret(OTHER))
    for text in (f"{SECRET},{OTHER}", f" {SECRET} \n {OTHER}\n"):
        assert load_settings({"CURFEW_SECRET_KEYS": text}).secret_keys == expected


@pytest.mark.parametrize(
    ("given", "problem"),
    [("secret-word", "is not base64url text"), ("c2VjcmV0", "has 6 bytes, 32 are needed"),
     ("A" * 43, "is one byte over and over"), (f"{SECRET},{SECRET}", "repeats key 1")],
)  # fmt: skip
def test_a_bad_key_is_refused_without_being_shown(given: str, problem: str) -> None:
    line = refusal({"CURFEW_SECRET_KEYS": given})
    assert line.startswith("CURFEW_SECRET_KEYS: ")
    assert problem in line
    assert "python run.py keys new" in line
    assert given not in line
    assert SECRET not in line


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    environment = {"CURFEW_DATA_DIR": str(tmp_path / "data")}
    first = load_settings(environment)
    file = tmp_path / "data" / "secret_keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert first.secret_keys == (parse_secret(file.read_text("ascii").strip()),)
    assert load_settings(environment).secret_keys == first.secret_keys
    other = load_settings({"CURFEW_DATA_DIR": str(tmp_path / "other")})
    assert other.secret_keys != first.secret_keys


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o601])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    file = key_file(tmp_path, mode)
    line = refusal({"CURFEW_SECRET_KEYS_FILE": str(file)})
    assert line == f"CURFEW_SECRET_KEYS_FILE: other users can read {file}. Run: chmod 600 {file}"


def test_a_key_file_of_ones_own_is_read(tmp_path: Path) -> None:
    file = key_file(tmp_path, 0o400)
    settings = load_settings({"CURFEW_SECRET_KEYS_FILE": str(file)})
    assert settings.secret_keys == (parse_secret(file.read_text("ascii").strip()),)


def test_a_key_file_is_not_made_where_one_was_named_or_others_can_connect(tmp_path: Path) -> None:
    named = refusal({"CURFEW_SECRET_KEYS_FILE": str(tmp_path / "keys")})
    assert named.startswith(f"CURFEW_SECRET_KEYS_FILE: {tmp_path / 'keys'}: No such file")
    public = {"CURFEW_HOST": "192.0.2.1", "CURFEW_TRUSTED_PROXIES": "192.0.2.2"}
    assert "keys new" in refusal(public | {"CURFEW_DATA_DIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


def test_a_key_file_with_something_else_in_it_is_refused_without_being_shown(
    tmp_path: Path,
) -> None:
    file = key_file(tmp_path, 0o600)
    for content in (b"\xff\xfe hush", b"hush", b""):
        file.write_bytes(content)
        line = refusal({"CURFEW_SECRET_KEYS_FILE": str(file)})
        assert line.startswith("CURFEW_SECRET_KEYS_FILE: ")
        assert "hush" not in line


def key_file(folder: Path, mode: int) -> Path:
    """Write a key file with this mode."""
    file = folder / "secret_keys"
    file.write_text(new_secret() + "\n", "ascii")
    file.chmod(mode)
    return file
