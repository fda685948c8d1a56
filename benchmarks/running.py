"""Starts what is measured, and waits until it answers."""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

from server.embedded.valkey import start_valkey, write_configuration
from tests.support.running.ports import free_port

ROOT: Final = Path(__file__).parents[1]
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0


class NotMeasurable(Exception):
    """Something that a measurement needs is not there; the text says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running program.

    Attributes:
        name: as people call it.
        port: where it serves, on 127.0.0.1.
        pids: the processes that serve.
        path: of the request that is measured.
        headers: of that request.
    """

    name: str
    port: int
    pids: Sequence[int]
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def process(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in the project's folder, and end it."""
    with log.open("ab") as output:
        started = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def valkey(folder: Path) -> Iterator[int]:
    """Run the Valkey that Curfew embeds as the peers' store: on a port, in memory; yield the port.

    It writes nothing to the disk, as an ordinary store of sessions does not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, configuration = free_port(), folder / "valkey.conf"
    settings = {"bind": "127.0.0.1", "port": str(port), "dir": str(folder)}
    write_configuration(configuration, {**settings, "save": "", "appendonly": "no"})
    started = start_valkey(configuration, log=folder / "valkey.log")
    try:
        await_true(lambda: _listens(port), started, folder / "valkey.log")
        yield port
    finally:
        started.terminate()
        started.wait()


def await_answer(port: int, path: str, started: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a program answers a request with 200.

    Raises:
        NotMeasurable: it ended, or it took too long.
    """
    await_true(lambda: answer(port, path)[0] == HTTPStatus.OK, started, log)


def answer(
    port: int, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send one request; return status, headers and body.

    Raises:
        OSError: nobody listens.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        answered = connection.getresponse()
        return answered.status, answered.headers, answered.read()
    finally:
        connection.close()


def await_true(question: Callable[[], bool], started: subprocess.Popen[bytes], log: Path) -> float:
    """Wait until the answer is yes; return the moment, by `time.perf_counter`.

    Args:
        question: asked every few milliseconds; an `OSError` means no.
        started: the process that the answer depends on.
        log: what it printed.

    Raises:
        NotMeasurable: the process ended, or it took too long.
    """
    until = time.perf_counter() + START_SECONDS
    while time.perf_counter() < until and started.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            if question():
                return time.perf_counter()
        time.sleep(0.002)
    last = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise NotMeasurable(f"{started.args!r} does not answer. It printed:\n{last}")


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), 1):
        return True
