"""What other people's requests take meanwhile: one every 5 ms, from a process of its own.

    python -m benchmarks.probe PORT

Asks for `/healthz` until its standard input ends. Prints pairs: when, and for how many seconds.
"""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from benchmarks.client import Client
from benchmarks.load import request
from benchmarks.running import ROOT

EVERY: Final = 0.005


class Probe:
    """Probes a server as long as its context is entered.

    Args:
        port: of the server.

    Attributes:
        seen: when each request was sent, by `time.perf_counter`, and the seconds to its answer.
    """

    def __init__(self, port: int, path: str = "/healthz") -> None:
        self._command = [sys.executable, "-m", "benchmarks.probe", str(port), path]
        self.seen: list[tuple[float, float]] = []

    def __enter__(self) -> Self:
        """Start, and wait for the first answer."""
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None  # noqa: S101 for the type checker: it is a pipe
        self._process.stdout.readline()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        said, _ = self._process.communicate("")
        self.seen = [(at, taken) for at, taken in json.loads(said or "[]")]


def main(port: int, path: str) -> None:
    """Ask until nobody listens."""
    with suppress(PermissionError):
        os.nice(-10)  # else it would measure how long it waits for a processor itself
    text, seen = request(port, path, {}).encode(), list[tuple[float, float]]()
    with Client(port) as client:
        client.ask(text)
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], EVERY)[0]:
            seen.append((time.perf_counter(), client.ask(text)))
    print(json.dumps(seen))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
