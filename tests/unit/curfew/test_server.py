"""The kit's server leaves nothing behind, and asks all processes that it has."""

import os
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from curfew.testing import Server, eventually
from curfew.testing import server as module
from curfew.testing.control import ENDING, ask_all
from curfew.testing.defaults import DEFAULTS
from tests.support.running.processes import lives

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


class Deaf(Server):
    """Never serves, and does not stop when it is asked to."""

    def serving_words(self) -> list[str]:
        """Return what ignores the signal."""
        return [sys.executable, "-c", DEAF]


def test_one_that_never_serves_is_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "eventually", partial(eventually, seconds=0.1))
    server = Deaf()
    with pytest.raises(AssertionError, match="still False"), server:
        pytest.fail("it serves")
    assert not lives(server.pid)
    assert not server.log_path.parent.exists()


def test_one_that_does_not_stop_is_killed_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deaf, "_is_ready", lambda _: True)
    monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    with pytest.raises(subprocess.TimeoutExpired), Deaf() as server:
        monkeypatch.setattr(server, "stop", lambda: Server.stop(server, signal.SIGCONT))
    assert not lives(server.pid)
    assert not server.log_path.exists()


def test_it_has_started_when_all_its_processes_listen_to_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listening: list[list[Any]] = [[None, None], [None], []]
    monkeypatch.setattr(Deaf, "_is_ready", lambda _: True)
    monkeypatch.setattr(Deaf, "_ask", lambda *_: listening.pop())
    monkeypatch.setattr(Deaf, "stop", Deaf._kill)
    with Deaf("some:application", processes="2"):
        assert listening == []


def test_it_has_started_when_all_its_processes_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that answers may be the first."""
    line = 'curfew_workers{{node="all",state="serving"}} {}.0\n'
    told = [line.format(2), line.format(1), ""]
    monkeypatch.setattr(Deaf, "_is_ready", lambda _: True)
    monkeypatch.setattr(Deaf, "_metrics", lambda _: told.pop())
    monkeypatch.setattr(Deaf, "stop", Deaf._kill)
    with Deaf(processes="2"):
        assert told == []


def test_a_process_that_was_killed_is_not_asked(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(tmp_path / f"1{ENDING}"))
    assert ask_all(tmp_path, {}) == []


def test_it_gives_a_server_no_variable_that_is_no_setting() -> None:
    server = Server("some:application", idle_timeout="5m")
    given = {name for name in server.environment if name.startswith("CURFEW_")}
    server.clean_up()
    own = {"CURFEW_DATA_DIR", "CURFEW_PORT", "CURFEW_IDLE_TIMEOUT"}
    assert given - set(os.environ) == own | set(DEFAULTS)


def test_as_many_accounts_as_tests_make_are_allowed_unless_a_test_says_otherwise() -> None:
    for given, told in (({}, "1000000"), ({"signups_per_address": "5"}, "5")):
        server = Server("some:application", environment=None, **given)
        assert server.environment["CURFEW_SIGNUPS_PER_ADDRESS"] == told
        server.clean_up()
