"""The embedded Valkey: it comes back from every death, keeps its data, and outlives nobody."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

from server.embedded.paths import log_path, owner_password_path, store_folder
from server.embedded.store import EmbeddedStore, StoreStartFailed, socket_path, store_url
from server.store import acl
from tests.support.running.processes import eventually, lives, processes_of
from tests.support.servers.valkey import owner_of_embedded

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux only")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder, in which no process may be left when the test is over.

    Its path is short enough for the socket to be in it, which Valkey's processes are known by.
    """
    with tempfile.TemporaryDirectory(prefix="curfew-") as parent:
        folder = Path(parent) / 'data "with" spaces'
        yield folder
        eventually(lambda: not processes_of(folder))


@pytest.fixture
def store(data_dir: Path) -> Iterator[EmbeddedStore]:
    """A started embedded store."""
    embedded = EmbeddedStore(data_dir)
    embedded.start()
    yield embedded
    embedded.stop()


def client(data_dir: Path) -> redis.Redis:
    """Make a client of the store in a folder."""
    return redis.Redis.from_url(
        owner_of_embedded(data_dir), decode_responses=True, socket_timeout=5
    )


def put(data_dir: Path, value: str) -> None:
    """Write one key."""
    with client(data_dir) as connection:
        connection.set("key", value)


def get(data_dir: Path) -> str | None:
    """Read it, None as long as nobody answers."""
    try:
        with client(data_dir) as connection:
            value = connection.get("key")
    except redis.RedisError:
        return None
    assert value is None or isinstance(value, str)
    return value


def valkey_pid(data_dir: Path) -> int:
    """Ask Valkey for its process."""
    with client(data_dir) as connection:
        return int(connection.info("server")["process_id"])


def test_data_survives_a_restart(data_dir: Path) -> None:
    first = EmbeddedStore(data_dir)
    first.start()
    put(data_dir, "kept")
    first.stop()
    assert get(data_dir) is None

    second = EmbeddedStore(data_dir)
    second.start()
    assert get(data_dir) == "kept"
    second.stop()


@pytest.mark.usefixtures("store")
def test_only_the_owner_can_reach_it_and_every_write_is_synced(data_dir: Path) -> None:
    assert store_folder(data_dir).stat().st_mode & 0o777 == 0o700
    assert socket_path(data_dir).stat().st_mode & 0o777 == 0o700
    with client(data_dir) as connection:
        assert connection.config_get("port", "appendonly", "appendfsync", "save") == {
            "port": "0",
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
        }
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.usefixtures("store")
def test_a_killed_valkey_comes_back_with_its_data(data_dir: Path) -> None:
    put(data_dir, "acknowledged")
    killed = valkey_pid(data_dir)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: not lives(killed))
    assert eventually(lambda: get(data_dir)) == "acknowledged"
    assert valkey_pid(data_dir) != killed


@pytest.mark.usefixtures("store")
def test_the_owners_password_can_be_read_at_every_moment(data_dir: Path) -> None:
    put(data_dir, "kept")
    before = owner_password_path(data_dir).read_text("ascii")
    os.kill(valkey_pid(data_dir), signal.SIGKILL)
    while (password := owner_password_path(data_dir).read_text("ascii")) == before:
        pass
    assert len(password) == len(before)
    assert eventually(lambda: get(data_dir)) == "kept"


@on_linux
def test_valkey_goes_with_a_killed_guard_and_both_can_be_spawned_again(
    data_dir: Path, store: EmbeddedStore
) -> None:
    put(data_dir, "kept")
    guard, valkey = store.pid, valkey_pid(data_dir)
    assert guard is not None
    os.kill(guard, signal.SIGKILL)
    os.waitpid(guard, 0)
    eventually(lambda: not lives(valkey))
    assert store.exited(guard)

    store.spawn()
    assert eventually(lambda: get(data_dir)) == "kept"
    assert store.pid != guard


def test_a_stranger_is_not_taken_for_the_guard(store: EmbeddedStore) -> None:
    assert not store.exited(os.getpid())


@on_linux
def test_a_frozen_valkey_is_killed_with_the_guard(data_dir: Path, store: EmbeddedStore) -> None:
    os.kill(valkey_pid(data_dir), signal.SIGSTOP)
    store.stop(timeout=0.2)
    eventually(lambda: not processes_of(data_dir))


def test_sigterm_to_the_guard_stops_valkey(data_dir: Path, store: EmbeddedStore) -> None:
    assert store.pid is not None
    os.kill(store.pid, signal.SIGTERM)
    eventually(lambda: store.pid is not None and store.exited(store.pid))
    assert processes_of(data_dir) == []


def test_both_go_when_their_server_is_killed(data_dir: Path) -> None:
    program = (
        "import pathlib, signal, sys\n"
        "from server.embedded.store import EmbeddedStore\n"
        "store = EmbeddedStore(pathlib.Path(sys.argv[1]))\n"
        "store.start()\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, data_dir], stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            eventually(lambda: len(processes_of(data_dir)) == 3)
        finally:
            server.kill()
    eventually(lambda: not processes_of(data_dir))


def test_a_second_guard_waits_for_the_first(data_dir: Path, store: EmbeddedStore) -> None:
    put(data_dir, "kept")
    old = valkey_pid(data_dir)
    os.kill(old, signal.SIGSTOP)
    second = EmbeddedStore(data_dir)
    store.abandon()
    second.spawn()
    try:
        eventually(lambda: len(processes_of(data_dir, "server.embedded.guard")) == 2)
        os.kill(old, signal.SIGCONT)
        eventually(lambda: not lives(old))
        assert eventually(lambda: get(data_dir)) == "kept"
    finally:
        second.stop()


ORPHAN = (
    "import fcntl, os, pathlib, subprocess, sys\n"
    "from server.embedded.valkey import valkey_binary\n"
    "lock = os.open(pathlib.Path(sys.argv[1]) / 'lock', os.O_CREAT | os.O_RDWR)\n"
    "fcntl.flock(lock, fcntl.LOCK_EX)\n"
    "command = [valkey_binary(), *sys.argv[2:]]\n"
    "subprocess.Popen(command, pass_fds=[lock], stdout=subprocess.DEVNULL)\n"
)
"""Starts a Valkey that nobody guards, in a folder, with arguments."""


def test_a_valkey_without_a_guard_is_asked_to_leave(data_dir: Path) -> None:
    """It is from before there was an owner with a password."""
    folder = store_folder(data_dir)
    folder.mkdir(parents=True)
    options: list[str | Path] = ["--port", "0", "--dir", folder]
    options += ["--unixsocket", socket_path(data_dir), "--logfile", folder / "orphan.log"]
    subprocess.run([sys.executable, "-c", ORPHAN, folder, *options], check=True)
    orphan = eventually(lambda: processes_of(data_dir, "valkey-server"))

    store = EmbeddedStore(data_dir)
    store.start()
    assert processes_of(data_dir, "valkey-server") != orphan
    store.stop()


def test_a_valkey_that_lost_its_guard_is_asked_to_leave_by_its_owner(data_dir: Path) -> None:
    store, folder = EmbeddedStore(data_dir), store_folder(data_dir)
    store.start()
    store.stop()
    subprocess.run([sys.executable, "-c", ORPHAN, folder, folder / "valkey.conf"], check=True)
    orphan = eventually(lambda: processes_of(data_dir, "valkey-server"))
    store.start()
    assert processes_of(data_dir, "valkey-server") != orphan
    store.stop()


def test_a_long_folder_gets_a_short_socket(tmp_path: Path) -> None:
    data_dir = tmp_path / ("long" * 30)
    assert len(os.fsencode(socket_path(data_dir))) <= 103
    assert socket_path(data_dir) == socket_path(data_dir)
    assert socket_path(data_dir) != socket_path(tmp_path / ("long" * 31))

    store = EmbeddedStore(data_dir)
    store.start()
    put(data_dir, "kept")
    assert get(data_dir) == "kept"
    assert socket_path(data_dir).parent.stat().st_mode & 0o777 == 0o700
    store.stop()
    assert not socket_path(data_dir).exists()


def test_a_broken_log_of_writes_fails_the_start_and_points_to_the_log(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    appended = store_folder(data_dir) / "appendonlydir"
    appended.mkdir(parents=True)
    (appended / "appendonly.aof.manifest").write_text("this is no manifest\n")
    monkeypatch.setattr("server.embedded.store.START_SECONDS", 2.0)
    store = EmbeddedStore(data_dir)
    with pytest.raises(StoreStartFailed) as failed:
        store.start()
    assert str(log_path(data_dir)) in str(failed.value)
    assert "manifest" in log_path(data_dir).read_text()


def test_a_guard_that_gives_up_fails_the_start_at_once(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "valkey").mkdir()
    (data_dir / "valkey" / "guard.lock").mkdir()
    started = time.monotonic()
    with pytest.raises(StoreStartFailed, match="gave up"):
        EmbeddedStore(data_dir).start()
    assert time.monotonic() - started < 5


def test_a_folder_that_cannot_be_made_fails_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreStartFailed, match="file"):
        EmbeddedStore(tmp_path / "file").start()


def test_a_short_socket_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / ("long" * 30)
    monkeypatch.setattr("server.embedded.paths.SHORT_FOLDER", tmp_path)
    (tmp_path / f"curfew-{os.geteuid()}").symlink_to(tmp_path)
    with pytest.raises(StoreStartFailed, match="not a folder of this user"):
        store_url(data_dir)
    with pytest.raises(StoreStartFailed, match="not a folder of this user"):
        EmbeddedStore(data_dir).start()


@pytest.mark.usefixtures("store")
def test_who_does_not_log_in_may_only_ask_whether_the_store_is_there(data_dir: Path) -> None:
    with redis.Redis.from_url(f"unix://{quote(str(socket_path(data_dir)))}") as stranger:
        assert stranger.ping()
        for command in ("GET curfew:x", "KEYS *", "CONFIG GET dir", "ACL LIST", "SHUTDOWN"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                stranger.execute_command(*command.split())


@pytest.mark.usefixtures("store")
def test_nobody_comes_from_curfews_rights_to_more_without_a_file_of_the_owner(
    data_dir: Path,
) -> None:
    with redis.Redis.from_url(store_url(data_dir), single_connection_client=True) as curfew:
        for user in ("default", acl.OWNER, acl.USER):
            with suppress(redis.exceptions.AuthenticationError):
                curfew.execute_command("AUTH", user, acl.USER)
            with pytest.raises(redis.exceptions.NoPermissionError):
                curfew.execute_command("CONFIG", "GET", "dir")
    file = owner_password_path(data_dir)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text("ascii") not in (file.parent / "users.acl").read_text("ascii")
