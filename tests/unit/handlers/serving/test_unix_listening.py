"""A Unix socket replaces one that nobody listens on, and nothing else."""

import socket
import stat
from pathlib import Path

import pytest

from handlers.serving.unix_listening import listen_on_path


def connects(path: Path) -> bool:
    """Return whether somebody listens there."""
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(path)) == 0


def test_it_listens_for_its_user_and_group_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with listen_on_path(path):
        assert connects(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    listen_on_path(path).close()
    assert not connects(path)
    with listen_on_path(path):
        assert connects(path)


def test_a_server_that_listens_is_not_displaced(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with listen_on_path(path), pytest.raises(OSError, match="another program listens there"):
        listen_on_path(path)


def test_a_socket_of_another_kind_is_not_displaced(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(OSError, match="another program listens there"):
            listen_on_path(path)


def test_a_file_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="no socket"):
        listen_on_path(path)
    assert path.read_text() == "mine"


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        listen_on_path(tmp_path / "missing" / "http.sock")
