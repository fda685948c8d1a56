"""Sockets of a service manager are used only if they listen, and if the settings are for them."""

import os
import socket
from pathlib import Path

import pytest

from handlers.serving import inherited
from handlers.serving.inherited import inherited_sockets, require_fit
from server.core.errors import ConfigurationError
from settings import Settings, load_settings

NEIGHBOURS = (900, 901)
"""Descriptors that nothing else in this process has."""


def descriptors_from(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take descriptors from here on for those of the service manager."""
    monkeypatch.setattr(inherited, "FIRST_DESCRIPTOR", first)


def variables(count: int, names: str = "") -> dict[str, str]:
    """Return what a service manager sets."""
    return {"LISTEN_FDS": str(count), "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": names}


def test_without_a_service_manager_there_are_none() -> None:
    for given in ({}, {"LISTEN_FDS": "1"}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
                  {"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())}):  # fmt: skip
        found = inherited_sockets(given, os.getpid())
        assert (found.serving, found.scrapes) == ([], [])


def test_a_socket_named_metrics_is_for_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = NEIGHBOURS
    for wanted in NEIGHBOURS:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            os.dup2(listening.fileno(), wanted)
    descriptors_from(first, monkeypatch)
    found = inherited_sockets(variables(2, "curfew.socket:metrics"), os.getpid())
    assert [each.fileno() for each in found.serving] == [first]
    assert [each.fileno() for each in found.scrapes] == [second]
    for each in (*found.serving, *found.scrapes):
        assert not each.get_inheritable()
        assert not each.getblocking()
        each.close()


def test_what_does_not_listen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as idle:
        descriptors_from(idle.fileno(), monkeypatch)
        with pytest.raises(ConfigurationError, match=r"LISTEN_FDS: .* does not listen"):
            inherited_sockets(variables(1), os.getpid())
    read, write = os.pipe()
    descriptors_from(read, monkeypatch)
    with pytest.raises(ConfigurationError, match=rf"LISTEN_FDS: file descriptor {read} \(a\) "):
        inherited_sockets(variables(1, "a"), os.getpid())
    os.close(read)
    os.close(write)


def settings(folder: Path, **given: str) -> Settings:
    """Return settings with these."""
    named = {f"CURFEW_{name.upper()}": value for name, value in given.items()}
    return load_settings({"CURFEW_DATA_DIR": str(folder), **named})


def test_a_socket_on_another_port_needs_its_origins(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        require_fit(settings(tmp_path, port=port), [listening])
        require_fit(settings(tmp_path, origins="https://app.example"), [listening])
        with pytest.raises(ConfigurationError, match=f"Set CURFEW_PORT={port}, or CURFEW_ORIGINS"):
            require_fit(settings(tmp_path), [listening])


def test_a_socket_that_others_reach_does_not_stand_in_for_loopback(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening:  # noqa: S104 - what is refused
        port = str(listening.getsockname()[1])
        with pytest.raises(ConfigurationError, match=r"Set CURFEW_HOST=0\.0\.0\.0"):
            require_fit(settings(tmp_path, port=port), [listening])
        safe = settings(tmp_path, port=port, trusted_proxies="10.0.0.2", host="127.0.0.1")
        with pytest.raises(ConfigurationError, match="CURFEW_HOST"):
            require_fit(safe, [listening])


def test_a_unix_socket_fits(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "http.sock"))
        require_fit(settings(tmp_path), [listening])
