"""The key file: read for its owner alone, made once, and replaced in one step."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.core.errors import ConfigurationError
from server.crypto.key_file import (
    _others_can_read,
    make_key_file,
    read_key_file,
    replace_keys,
    split_keys,
)

NAME = "CURFEW_SECRET_KEYS_FILE"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Make a key file with one key."""
    path = tmp_path / "data" / "secret_keys"
    make_key_file(path, "first")
    return path


def mode_of(path: Path) -> int:
    """Return the permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("text", ["a,b", " a b ", "a\nb\n", "\ta , \r\n b"])
def test_keys_stand_between_spaces_lines_or_commas(text: str) -> None:
    assert split_keys(text) == ["a", "b"]


def test_a_key_file_is_made_with_its_folder_for_its_owner_alone(file: Path) -> None:
    assert file.read_text("ascii") == "first\n"
    assert (mode_of(file), mode_of(file.parent)) == (0o600, 0o700)


def test_a_folder_that_is_there_is_used_and_those_above_it_are_made(tmp_path: Path) -> None:
    make_key_file(tmp_path / "secret_keys", "first")
    make_key_file(tmp_path / "a" / "b" / "secret_keys", "first")
    assert (tmp_path / "secret_keys").read_text("ascii") == "first\n"
    assert (tmp_path / "a" / "b" / "secret_keys").exists()


def test_a_key_file_that_is_there_stays(file: Path) -> None:
    make_key_file(file, "second")
    assert read_key_file(NAME, file) == "first\n"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=f"CURFEW_DATA_DIR: {tmp_path}/file/data cannot"):
        make_key_file(tmp_path / "file" / "data" / "secret_keys", "first")


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o601, 0o610])
def test_a_file_that_others_can_reach_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"{NAME}: other users can read {file}"):
        read_key_file(NAME, file)


def test_a_missing_file_is_refused_with_the_way_to_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"No such file.*keys new"):
        read_key_file(NAME, tmp_path / "nothing")


def test_what_is_no_text_is_refused_without_being_shown(file: Path) -> None:
    file.write_bytes(b"\xff hush")
    with pytest.raises(ConfigurationError, match="not ASCII text") as refused:
        read_key_file(NAME, file)
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_keys_are_replaced_and_the_file_stays_its_owners(file: Path) -> None:
    replace_keys(file, ["newest", "older"])
    assert read_key_file(NAME, file) == "newest\nolder\n"
    assert mode_of(file) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_link_to_the_key_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    replace_keys(link, ["newest"])
    assert link.is_symlink()
    assert file.read_text("ascii") == "newest\n"


def test_a_reader_that_has_the_file_open_goes_on_with_the_former_keys(file: Path) -> None:
    with file.open(encoding="ascii") as reading:
        replace_keys(file, ["newest"])
        assert reading.read() == "first\n"


def test_of_two_that_change_it_at_once_the_second_is_refused(file: Path) -> None:
    under_way = file.with_name("secret_keys.new")
    under_way.touch()
    with pytest.raises(FileExistsError):
        replace_keys(file, ["newest"])
    assert file.read_text("ascii") == "first\n"
    assert under_way.exists()


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond one byte."""
    allowed, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, most))


def test_a_full_disk_changes_no_keys_and_is_in_nobodys_way_later(file: Path) -> None:
    with full_disk(), pytest.raises(OSError, match="File too large"):
        replace_keys(file, ["newest", "first"])
    assert file.read_text("ascii") == "first\n"
    replace_keys(file, ["newest", "first"])
    assert file.read_text("ascii") == "newest\nfirst\n"


def test_on_a_full_disk_no_key_file_without_a_key_is_made(tmp_path: Path) -> None:
    file = tmp_path / "secret_keys"
    with full_disk(), pytest.raises(ConfigurationError):
        make_key_file(file, "first")
    make_key_file(file, "first")
    assert file.read_text("ascii") == "first\n"


def test_no_file_is_left_open(file: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    replace_keys(file, ["newest"])
    assert len(list(Path("/dev/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("owner", "mode", "refuses"),
    [(0, 0o440, False), (0, 0o400, False), (0, 0o444, True), (0, 0o460, True), (0, 0o450, True),
     (10_001, 0o440, True), (10_001, 0o600, False)],
)  # fmt: skip
def test_a_cluster_may_give_a_file_of_root_to_the_group(
    owner: int, mode: int, *, refuses: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 10_001)
    file = os.stat_result((mode, 0, 0, 1, owner, 10_001, 0, 0, 0, 0))
    assert _others_can_read(file) is refuses
