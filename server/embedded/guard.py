"""The guard of the embedded Valkey: `python -m server.embedded.guard DATA_DIR`.

A server that is killed with kill -9 cannot stop Valkey, and a Valkey that dies cannot restart
itself. So the guard restarts Valkey while the other end of its standard input is open, and stops it
at end of file. If the guard itself is killed, the kernel kills Valkey (Linux), or the next guard
shuts it down.

A service manager may send SIGTERM to all processes of a service at once, the store's too. A store
that stopped then would be missed by the requests under way. So Valkey is started deaf to SIGTERM,
and the guard acts on it only when no server uses the data folder any more.
"""

import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import IO, NoReturn

from server.embedded.paths import log_path, owner_password_path, socket_path, store_folder
from server.embedded.valkey import (
    ValkeyMissing,
    send_command,
    start_valkey,
    valkey_binary,
    write_configuration,
)
from server.processes.lock import is_locked, try_lock
from server.processes.restarts import RestartPlan
from server.processes.signals import SignalInbox, blocked
from server.store.acl import OWNER, USER, embedded_acl_file

log = logging.getLogger("guard")

STDIN = 0

KILL_AFTER_SECONDS = 10.0
"""How long Valkey may take to stop by itself."""

LOCK_SECONDS = 12.0
"""More than another guard takes to stop its Valkey, less than the server waits for this guard."""

POLL_SECONDS = 0.05

TOLD_POLL_SECONDS = 0.2
"""The time between two looks whether a server still uses the folder, after a SIGTERM."""


class _OwnerGone(Exception):
    """The server is gone, or the guard was told to stop."""


class Guard:
    """Keeps one Valkey running in one data folder.

    Args:
        data_dir: the data folder; its `valkey` folder exists.
        inbox: the signals of this process.
    """

    def __init__(self, data_dir: Path, inbox: SignalInbox) -> None:
        """Lock and start nothing yet."""
        self._data_dir = data_dir
        self._told = False
        self._folder = store_folder(data_dir)
        self._socket = socket_path(data_dir)
        self._log = log_path(data_dir)
        self._owner_password = owner_password_path(data_dir)
        self._inbox = inbox

    def run(self) -> int:
        """Lock the folder, print `ready`, and keep Valkey running until told to stop.

        Returns:
            The exit status: 0, or 75 (EX_TEMPFAIL) if the folder stayed locked.
        """
        # Two locks show who uses the folder: another guard, which is about to stop, or a Valkey
        # that has lost its guard and that nobody else will stop.
        with self._open("guard.lock") as ours, self._open("lock") as valkeys:
            try:
                if not (self._acquire(ours) and self._acquire(valkeys, stop_orphan=True)):
                    log.error("another process still uses %s", self._folder)
                    return os.EX_TEMPFAIL
                self._socket.unlink(missing_ok=True)
                os.write(sys.stdout.fileno(), b"ready\n")
                self._keep_running(valkeys)
            except _OwnerGone:
                return os.EX_OK

    def _open(self, name: str) -> IO[str]:
        return (self._folder / name).open("a", encoding="ascii")

    def _acquire(self, lock: IO[str], *, stop_orphan: bool = False) -> bool:
        deadline = time.monotonic() + LOCK_SECONDS
        while not try_lock(lock):
            if time.monotonic() > deadline:
                return False
            if stop_orphan:
                self._stop_orphan()
            self._wait(POLL_SECONDS)
        return True

    def _stop_orphan(self) -> None:
        with suppress(OSError):
            send_command(self._socket, "SHUTDOWN", "NOSAVE", "NOW", "FORCE", login=self._login())

    def _login(self) -> tuple[str, str] | None:
        """Return what the owner logs in with; None for a Valkey from before there was an owner."""
        try:
            return OWNER, self._owner_password.read_text(encoding="ascii")
        except FileNotFoundError:
            return None

    def _keep_running(self, lock: IO[str]) -> NoReturn:
        plan = RestartPlan()
        while True:
            while not plan.is_due:
                self._wait(plan.seconds_left)
            plan.started()
            self._run_valkey(lock)
            plan.died()

    def _run_valkey(self, lock: IO[str]) -> None:
        """Run Valkey until it dies or the owner is gone."""
        self._write_users()
        write_configuration(self._folder / "valkey.conf", self._settings())
        with blocked(signal.SIGTERM):
            valkey = start_valkey(
                self._folder / "valkey.conf", log=self._log, inherit=(lock.fileno(),)
            )
        try:
            while valkey.poll() is None:
                self._wait()
            log.warning("valkey %d is gone (status %s)", valkey.pid, valkey.returncode)
        finally:
            _stop(valkey)

    def _write_users(self) -> None:
        """Write who may do what.

        Only this user of the machine can open the socket, so Curfew's password protects nothing.
        The rights do: a hole in Curfew does not give access to every command of Valkey. What does
        give it is in a file that has to be read first.
        """
        password = secrets.token_urlsafe(32)
        # In one step, since somebody may be reading it: there always is one, and it is whole.
        new = self._owner_password.with_suffix(".new")
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(password)
        new.replace(self._owner_password)
        users = embedded_acl_file(USER, password)
        (self._folder / "users.acl").write_text(users, encoding="ascii")

    def _wait(self, seconds: float | None = None) -> None:
        if self._told:
            seconds = min(TOLD_POLL_SECONDS, seconds or TOLD_POLL_SECONDS)
        woken = self._inbox.wait(seconds, also=STDIN)
        if {signal.SIGTERM, signal.SIGINT}.intersection(woken.signals):
            self._told = True
        # Nothing is ever written to the pipe, so it is only readable when it was closed.
        if woken.readable or (self._told and not is_locked(self._data_dir)):
            raise _OwnerGone

    def _settings(self) -> dict[str, str | Path]:
        return {
            "port": "0",
            "unixsocket": self._socket,
            "unixsocketperm": "700",
            "aclfile": self._folder / "users.acl",
            "dir": self._folder,
            # A session whose end was reported must not come back after a crash.
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            # An evicted tombstone would let an ended session live again.
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "logfile": self._log,
            "loglevel": "notice",
        }


def _stop(valkey: subprocess.Popen[bytes]) -> None:
    valkey.send_signal(signal.SIGINT)  # it is deaf to SIGTERM; both stop it in the same way
    try:
        valkey.wait(KILL_AFTER_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("valkey %d does not stop, killing it", valkey.pid)
        valkey.kill()
        valkey.wait()


def main(arguments: Sequence[str]) -> int:
    """Guard the store of one data folder.

    Args:
        arguments: the data folder.

    Returns:
        The exit status of the process.
    """
    (data_dir,) = arguments
    logging.basicConfig(
        # As Valkey itself does, it notices when the file was renamed.
        handlers=[WatchedFileHandler(log_path(Path(data_dir)))],
        level=logging.INFO,
        format="%(process)d:G %(asctime)s.%(msecs)03d # %(message)s",
        datefmt="%d %b %Y %H:%M:%S",
    )
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is meant for the server
    with SignalInbox(signal.SIGCHLD, signal.SIGTERM, signal.SIGINT) as inbox:
        try:
            valkey_binary()
            return Guard(Path(data_dir), inbox).run()
        except (ValkeyMissing, OSError) as error:
            log.error("%s", error)  # noqa: TRY400 the reason is the message
            return os.EX_UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
