"""Forks two workers: `python -m tests.unit.processes.forking WORK`, and prints what came of them.

One JSON object a line on standard output: what the workers print, then what their parent saw.
"""

import json
import os
import signal
import sys
from collections.abc import Callable

from server.processes.signals import SignalInbox
from server.processes.workers import Workers


def show(**facts: object) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(facts) + "\n")


def show_signals() -> None:
    """Show how a worker treats signals, and what it blocks."""
    ignored = [each.name for each in signal.Signals if signal.getsignal(each) is signal.SIG_IGN]
    show(ignored=ignored, blocked=len(signal.pthread_sigmask(signal.SIG_BLOCK, ())))


def fail() -> None:
    """Fail like a program with a mistake."""
    raise RuntimeError("a mistake")


def stop() -> None:
    """Stand still, in the first place; end in the others."""
    if running_workers[0].place == 0:
        os.kill(os.getpid(), signal.SIGSTOP)


running_workers: list[Workers] = []
WORK: dict[str, Callable[[], None]] = {
    "return": lambda: None,
    "exit": lambda: sys.exit(7),
    "fail": fail,
    "signals": show_signals,
    "wait": signal.pause,
    "stop": stop,
    "place": lambda: show(place=running_workers[0].place),
    "end": lambda: os.kill(os.getpid(), signal.SIGTERM),
}


def main(name: str) -> None:
    """Start the workers, and stay until both are gone."""
    sys.stdout.write('{"before": "the fork"}\n')  # buffered, as this goes to a pipe
    with SignalInbox(signal.SIGCHLD, signal.SIGTERM) as inbox:
        workers = Workers(2, WORK[name], inbox)
        running_workers.append(workers)
        due = workers.seconds_left
        workers.start_due()
        pids, places = workers.pids, sorted(workers.places.values())
        running = workers.seconds_left
        if name == "wait":
            workers.send(signal.SIGTERM)
        killed = [workers.kill(pids[0]) for _ in range(2)] if name == "stop" else []
        statuses: list[int] = []
        signals: set[int] = set()
        while workers.pids:
            signals.update(inbox.wait(30).signals)
            for pid in workers.pids:
                gone, status = os.waitpid(pid, os.WNOHANG)
                if gone:
                    statuses.append(os.waitstatus_to_exitcode(status))
                    assert workers.exited(pid)
        show(
            statuses=statuses,
            signals=sorted(signal.Signals(each).name for each in signals),
            seconds_left=[due, running, workers.seconds_left],
            again=workers.exited(pids[0]),
            killed=killed,
            places=places,
            place=workers.place,
        )


if __name__ == "__main__":
    main(sys.argv[1])
