"""Starts Curfew's programs without their imports: it has done them, and forks for each program.

`forks` runs it and talks to it. To start Python and to import what Curfew needs is most of what a
server's start costs, and its workers are forks anyway. A fork becomes what a new Python would be:
with the given words, folder, environment and files, a session of its own, and no signal handlers.
One thing differs: it hashes passwords at the least cost that there is, as servers in a test's own
process do.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

import run
import server.services
from curfew import Application
from server.crypto.passwords import CHEAPEST, PasswordHasher
from tests.support.servers.forks import NUMBER, STANDARD

IMPORTED: Final = (run, Application)
"""With all that they import."""


def main() -> NoReturn:
    """Fork for each request until nobody can ask any more."""
    gc.disable()
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    woken = _woken_by_children()
    vars(server.services)["PasswordHasher"] = partial(PasswordHasher, CHEAPEST)
    gc.freeze()
    waiting: dict[int, int] = {}
    while True:
        readable, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            _tell_ended(waiting)
        if control.fileno() in readable:
            request, files = _receive(control)
            pid = os.fork()
            if pid == 0:
                control.detach()
                _become(request, files)
            waiting[pid] = files.pop()
            _tell(waiting[pid], pid)
            for each in files:
                os.close(each)


def _woken_by_children() -> int:
    """Return a pipe that can be read when a child has ended."""
    woken, waker = os.pipe()
    for end in (woken, waker):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    return woken


def _receive(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    head, files, _, _ = socket.recv_fds(control, NUMBER.size, STANDARD + 1, socket.MSG_WAITALL)
    if not head:
        sys.exit()
    (length,) = NUMBER.unpack(head)
    return json.loads(control.recv(length, socket.MSG_WAITALL)), files


def _tell_ended(waiting: dict[int, int]) -> None:
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        told = waiting.pop(pid)
        _tell(told, os.waitstatus_to_exitcode(status))
        os.close(told)


def _tell(told: int, number: int) -> None:
    with suppress(BrokenPipeError):  # who asked is not interested any more
        os.write(told, NUMBER.pack(number))


def _become(request: dict[str, Any], files: list[int]) -> NoReturn:
    """Be the program, to its end."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for each in range(STANDARD):
        os.dup2(files[each], each)
    os.closerange(STANDARD, os.sysconf("SC_OPEN_MAX"))
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv = request["words"]
    given = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:1] = [str(Path(sys.argv[0]).parent), *given]
    gc.enable()
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    main()
