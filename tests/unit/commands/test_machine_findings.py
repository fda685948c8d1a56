"""What is wrong on this machine; each case as a command: tests/integration."""

import errno
import socket
from pathlib import Path

import pytest

from server.commands.machine_findings import Listener, _finding_of, examine_machine
from server.processes.lock import locked_folder
from settings import load_settings
from tests.support.running.ports import free_port


def named(data_dir: Path, port: int) -> set[str]:
    """Return the settings that are named."""
    given = {"CURFEW_DATA_DIR": str(data_dir), "CURFEW_PORT": str(port)}
    return {each.setting for each in examine_machine(load_settings(given))}


def test_a_port_is_taken_unless_the_server_of_this_folder_has_it(tmp_path: Path) -> None:
    assert "CURFEW_PORT" not in named(tmp_path, free_port())
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert "CURFEW_PORT" in named(tmp_path, port)
        with locked_folder(tmp_path):
            assert "CURFEW_PORT" not in named(tmp_path, port)


def test_a_server_may_be_in_its_own_way(tmp_path: Path) -> None:
    port = str(free_port())

    def found(**given: str) -> list[str]:
        own = {"DATA_DIR": str(tmp_path), "PORT": port, "METRICS_PORT": port} | given
        settings = load_settings({f"CURFEW_{name}": value for name, value in own.items()})
        return [each.setting for each in examine_machine(settings)]

    assert found() == ["CURFEW_METRICS_PORT"]
    assert found(METRICS_ADDRESS="0.0.0.0") == ["CURFEW_METRICS_PORT"]  # noqa: S104 - only named
    assert found(METRICS_ADDRESS="127.0.0.2") == []
    assert found(HOST=f"unix:{tmp_path}/http.sock") == []


def test_a_log_file_is_one_that_can_be_written(tmp_path: Path) -> None:
    def found(file: Path) -> list[str]:
        given = {"CURFEW_DATA_DIR": str(tmp_path), "CURFEW_LOG_FILE": str(file)}
        findings = examine_machine(load_settings(given))
        return [each.found for each in findings if each.setting == "CURFEW_LOG_FILE"]

    assert found(tmp_path / "log") == []
    assert found(tmp_path) == [f"{tmp_path} is a folder"]
    assert found(tmp_path / "no" / "log") == [f"there is no folder {tmp_path / 'no'}"]


@pytest.mark.parametrize(
    ("error", "setting", "words"),
    [
        (OSError(errno.EADDRINUSE, "in use"), "CURFEW_PORT", "another program"),
        (OSError(errno.EACCES, "denied"), "CURFEW_PORT", "may not listen on port 80"),
        (OSError(errno.EADDRNOTAVAIL, "not here"), "CURFEW_HOST", "h cannot be listened on: not"),
        (UnicodeError("label too long"), "CURFEW_HOST", "not a host name"),
    ],
)
def test_it_is_told_what_keeps_a_server_from_listening(
    error: OSError | UnicodeError, setting: str, words: str
) -> None:
    finding = _finding_of(error, Listener("CURFEW_PORT", 80, "CURFEW_HOST", "h"))
    assert (finding.setting, finding.is_problem) == (setting, True)
    assert words in finding.found


def test_a_unix_socket_needs_a_folder_and_no_file_in_its_place(tmp_path: Path) -> None:
    def found(path: Path) -> list[str]:
        given = {"CURFEW_DATA_DIR": str(tmp_path), "CURFEW_HOST": f"unix:{path}"}
        findings = examine_machine(load_settings(given))
        return [each.found for each in findings if each.setting == "CURFEW_HOST"]

    assert found(tmp_path / "http.sock") == []
    assert found(tmp_path / "no" / "http.sock") == [
        f"this user cannot make a socket in {tmp_path / 'no'}"
    ]
    (tmp_path / "file").touch()
    assert found(tmp_path / "file") == [f"{tmp_path / 'file'} is no socket"]
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "taken"))
        other.listen()
        assert found(tmp_path / "taken") == [f"another program listens on {tmp_path / 'taken'}"]
    assert found(tmp_path / "taken") == []
