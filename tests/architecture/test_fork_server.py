"""Tests of the fork server: what it starts is, but for its imports, what Python would start."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from server.crypto.passwords import CHEAPEST, INTERACTIVE
from tests.support.running.processes import eventually, lives
from tests.support.servers.forks import FORKS, Fork, ForkServer
from tests.support.servers.server import ROOT

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "ONLY": "this"}

TELLS_ALL = """
    import gc, os, signal, sys, threading
    print(sys.argv, os.getcwd(), sorted(os.environ), sys.path[0], __name__, gc.isenabled())
    print([str(signal.getsignal(each)) for each in sorted(signal.valid_signals()) if each < 32])
    print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.set_wakeup_fd(-1))
    print(os.getsid(0) == os.getpid(), threading.active_count(), sys.stdin.read())
    print(sorted(os.listdir("/dev/fd"))[:-1], file=sys.stderr)
"""


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a program."""

    def write(text: str) -> Path:
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(text))
        return path

    return write


@pytest.fixture
def start(script: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Fork]:
    """Starts a program."""

    def begin(text: str) -> Fork:
        path = script(text)
        with (tmp_path / "output").open("ab") as output:
            files = [output.fileno()] * 3
            return FORKS.start([str(path)], files, folder=tmp_path, environment=ENVIRONMENT)

    return begin


def by_fork(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program by the fork server."""
    return FORKS.run(words, given="asked", folder=folder, environment=ENVIRONMENT, timeout=20)


def by_python(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it as people do."""
    return subprocess.run(
        [sys.executable, *words],
        input="asked",
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        start_new_session=True,
    )


def test_a_program_finds_what_a_new_python_gives_it(
    script: Callable[[str], Path], tmp_path: Path
) -> None:
    words = [str(script(TELLS_ALL)), "with", "words"]
    forked, started = by_fork(words, tmp_path), by_python(words, tmp_path)
    assert (forked.returncode, forked.stdout) == (0, started.stdout)
    assert forked.stderr == started.stderr


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ("pass", 0),
        ("raise SystemExit(78)", 78),
        ("raise SystemExit('no')", 1),
        ("raise RuntimeError", 1),
        ("import os; os._exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -9),
    ],
)
def test_how_it_ends_is_told(start: Callable[[str], Fork], ends: str, status: int) -> None:
    program = start(ends)
    assert program.wait(20) == status
    assert program.poll() == status


def test_all_who_wait_for_it_hear_of_its_end(start: Callable[[str], Fork]) -> None:
    program = start("import signal; signal.pause()")
    heard: list[int] = []
    waiting = [threading.Thread(target=lambda: heard.append(program.wait(20))) for _ in range(3)]
    for each in waiting:
        each.start()
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(0.05)
    program.send_signal(signal.SIGTERM)
    for each in waiting:
        each.join()
    assert heard == [-signal.SIGTERM] * 3
    program.send_signal(signal.SIGTERM)


def test_it_hashes_at_the_least_cost_and_a_person_s_server_does_not(
    script: Callable[[str], Path], tmp_path: Path
) -> None:
    asks = f"""
        import sys; sys.path.insert(0, {str(ROOT)!r})
        import server.services
        print(server.services.PasswordHasher()._parameters)
    """
    words = [str(script(asks))]
    assert by_fork(words, tmp_path).stdout == f"{CHEAPEST}\n"
    assert by_python(words, tmp_path).stdout == f"{INTERACTIVE}\n"


def test_importing_starts_no_thread_and_opens_no_file(
    script: Callable[[str], Path], tmp_path: Path
) -> None:
    asks = f"""
        import sys; sys.path.insert(0, {str(ROOT)!r})
        import os, threading
        import run, curfew
        print(threading.active_count(), len(os.listdir("/dev/fd")) - 1)
    """
    assert by_python([str(script(asks))], tmp_path).stdout == "1 3\n"


def test_when_it_ends_programs_that_run_go_on(
    script: Callable[[str], Path], tmp_path: Path
) -> None:
    forks = ForkServer()
    path = script("import signal; signal.pause()")
    program = forks.start([str(path)], [0, 1, 2], folder=tmp_path, environment=ENVIRONMENT)
    forks.close()
    assert lives(program.pid)
    os.kill(program.pid, signal.SIGKILL)
    eventually(lambda: not lives(program.pid))
    with pytest.raises(RuntimeError, match="the fork server has ended"):
        program.poll()
