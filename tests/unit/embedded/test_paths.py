import os
from pathlib import Path

import pytest

from server.embedded.paths import (
    SOCKET_PATH_BYTES,
    has_store,
    log_path,
    require_own,
    socket_path,
    store_folder,
)


def test_everything_is_in_one_folder_of_the_data_folder() -> None:
    data_dir = Path("/srv/data")
    assert store_folder(data_dir) == Path("/srv/data/valkey")
    assert log_path(data_dir) == Path("/srv/data/valkey/valkey.log")
    assert socket_path(data_dir) == Path("/srv/data/valkey/valkey.sock")


def test_a_relative_folder_is_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert socket_path(Path("data")) == socket_path(tmp_path / "data")


def folder_of(socket_bytes: int) -> Path:
    """A data folder whose socket has a path of so many bytes."""
    return Path("/" + "x" * (socket_bytes - len("//valkey/valkey.sock")))


def test_a_socket_is_in_its_folder_as_long_as_the_system_takes_its_path() -> None:
    longest = folder_of(SOCKET_PATH_BYTES)
    assert len(os.fsencode(socket_path(longest))) == SOCKET_PATH_BYTES
    assert socket_path(longest).parent == store_folder(longest)
    short = socket_path(folder_of(SOCKET_PATH_BYTES + 1))
    assert short.parent == Path(f"/tmp/curfew-{os.geteuid()}")  # noqa: S108
    assert len(os.fsencode(short)) < SOCKET_PATH_BYTES


def test_length_is_counted_in_bytes() -> None:
    assert socket_path(Path("/" + "é" * 45)).is_relative_to("/tmp")  # noqa: S108


def test_each_long_folder_has_a_short_socket_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = folder_of(200), folder_of(201)
    first = socket_path(one)
    assert first != socket_path(other)
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    assert socket_path(one) == first


@pytest.fixture
def short_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of `/tmp`, where anybody can make anything."""
    monkeypatch.setattr("server.embedded.paths.SHORT_FOLDER", tmp_path)
    return tmp_path


def test_a_folder_of_this_user_is_taken(short_folder: Path) -> None:
    (short_folder / "ours").mkdir()
    require_own(short_folder / "ours")


def test_a_link_is_refused_wherever_it_leads(short_folder: Path) -> None:
    (short_folder / "ours").mkdir()
    (short_folder / "link").symlink_to(short_folder / "ours")
    with pytest.raises(PermissionError, match="not a folder of this user"):
        require_own(short_folder / "link")


def test_a_file_is_refused(short_folder: Path) -> None:
    (short_folder / "file").touch()
    with pytest.raises(PermissionError):
        require_own(short_folder / "file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(short_folder: Path) -> None:
    (short_folder / "theirs").mkdir()
    os.chown(short_folder / "theirs", 12345, 12345)
    with pytest.raises(PermissionError):
        require_own(short_folder / "theirs")


def test_what_is_not_there_is_not_ours(short_folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        require_own(short_folder / "nothing")


def test_a_folder_that_the_user_chose_is_not_examined(tmp_path: Path) -> None:
    require_own(tmp_path / "nothing" / "at" / "all")


def test_a_folder_has_a_store_once_one_ran_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not any(map(has_store, (tmp_path, tmp_path / "data", tmp_path / "file")))
    store_folder(tmp_path).mkdir()
    assert has_store(tmp_path)
