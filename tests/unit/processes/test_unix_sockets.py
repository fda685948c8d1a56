"""Only a socket that refuses everybody is free."""

import socket
from pathlib import Path

import pytest

from server.processes.unix_sockets import is_taken


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_is_taken_while_its_program_runs(tmp_path: Path, kind: socket.SocketKind) -> None:
    path = tmp_path / "a.sock"
    assert not is_taken(path)
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(str(path))
        if kind is socket.SOCK_STREAM:
            other.listen(0)
        assert is_taken(path)
        assert is_taken(path), "also while nobody accepts, and the queue is full"
    assert path.exists()
    assert not is_taken(path)


def test_no_socket_and_no_folder_are_free(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not is_taken(tmp_path / "file" / "a.sock")
    assert not is_taken(tmp_path / "missing" / "a.sock")
