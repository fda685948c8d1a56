"""Signals that come while a program only imports its modules."""

import os
import signal
import subprocess
import sys

import pytest


def run(*signals: str, serves: bool, pid_1: bool = False) -> tuple[int, str]:
    """Return the status of a program that gets signals, and what it printed."""
    program = (
        "import os, signal, sys\n"
        "own = os.getpid()\n"
        f"if {pid_1}: os.getpid = lambda: 1\n"
        "from server.processes.first_signals import handle_first_signals\n"
        f"handle_first_signals(serves={serves})\n"
        "for name in sys.argv[1:]: os.kill(own, getattr(signal, name))\n"
        "print('goes on', flush=True)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *signals], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ran.stderr or not serves
    return ran.returncode, ran.stdout


@pytest.mark.parametrize("signum", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("pid_1", [False, True])
def test_a_server_that_is_told_to_stop_before_it_began_ends_well(
    signum: str,
    pid_1: bool,  # noqa: FBT001 pytest passes it by name
) -> None:
    assert run(signum, serves=True, pid_1=pid_1) == (os.EX_OK, "")


def test_a_hang_up_ends_no_server() -> None:
    assert run("SIGHUP", serves=True) == (os.EX_OK, "goes on\n")


def test_process_1_ends_by_the_signal_that_the_kernel_would_drop() -> None:
    assert run("SIGTERM", serves=False, pid_1=True) == (128 + signal.SIGTERM, "")


@pytest.mark.parametrize("signum", ["SIGTERM", "SIGHUP"])
def test_any_other_program_keeps_the_usual_end(signum: str) -> None:
    assert run(signum, serves=False) == (-getattr(signal, signum), "")


def test_without_a_signal_it_goes_on() -> None:
    assert run(serves=True) == (os.EX_OK, "goes on\n")


@pytest.mark.parametrize("serves", [False, True])
def test_a_signal_that_came_while_python_started_is_not_lost(*, serves: bool) -> None:
    """Whoever started it had blocked the signal; the kernel keeps it."""
    program = (
        "import os, signal\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "from server.processes.first_signals import handle_first_signals\n"
        f"handle_first_signals(serves={serves})\n"
        "print('goes on', flush=True)\n"
    )
    block = {signal.SIGTERM, signal.SIGINT}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, block),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (os.EX_OK if serves else -signal.SIGTERM, "")
