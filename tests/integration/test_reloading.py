"""SIGHUP: the log file, the certificate and the keys change under a server that goes on serving."""

import asyncio
import os
import signal
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest

from server.crypto.certificate import ensure_certificate
from server.crypto.keyring import new_secret, parse_secret, version_of
from tests.support.clients.people import people_of
from tests.support.running.processes import eventually
from tests.support.servers.certified import CertifiedServer
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

KEPT = "not reloaded, the old one stays in use"


def hang_up(server: CurfewServer) -> None:
    """Tell the server to reload, as logrotate does."""
    os.kill(server.pid, signal.SIGHUP)


# ── The log file ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "curfew.log"


@pytest.fixture
def logging_server(log_file: Path) -> Iterator[CurfewServer]:
    """Two workers that log to a file."""
    with CurfewServer(processes="2", log_file=str(log_file), log_level="debug") as running:
        eventually(lambda: len(workers_of(running)) == 2)
        yield running


def ask(server: CurfewServer, times: int) -> None:
    """Cause so many lines."""
    for _ in range(times):
        with urlopen(f"{server.url}/healthz", timeout=5):
            pass


def lines_in(*files: Path) -> int:
    """Count the lines of these requests."""
    return sum(each.read_text("utf-8").count("/healthz") for each in files)


def test_a_rotated_log_file_is_continued_in_a_new_one_without_a_gap(
    logging_server: CurfewServer, log_file: Path
) -> None:
    ask(logging_server, 20)
    old = log_file.rename(log_file.with_suffix(".1"))
    ask(logging_server, 20)
    hang_up(logging_server)
    eventually(log_file.exists)
    ask(logging_server, 20)
    eventually(lambda: lines_in(old, log_file) == 60)
    settled = old.stat().st_size
    ask(logging_server, 20)
    eventually(lambda: lines_in(old, log_file) == 80)
    assert old.stat().st_size == settled  # nobody writes to it any more
    assert logging_server.stop() == 0
    assert "curfew.access" not in logging_server.log


def test_a_log_file_that_cannot_be_opened_is_said_in_the_old_one(
    logging_server: CurfewServer, log_file: Path
) -> None:
    old = log_file.rename(log_file.with_suffix(".1"))
    log_file.mkdir()
    hang_up(logging_server)
    eventually(lambda: old.read_text("utf-8").count(f"{KEPT}: the log file") == 3)
    ask(logging_server, 5)
    eventually(lambda: lines_in(old) == 5)


def test_a_server_whose_log_file_cannot_be_made_does_not_start(tmp_path: Path) -> None:
    server = CurfewServer(log_file=str(tmp_path / "nowhere" / "log"))
    with pytest.raises(AssertionError, match=r"CURFEW_LOG_FILE: .*No such file or directory"):
        server.start()


# ── The certificate ───────────────────────────────────────────────────────────────────────────────


def served_by(server: CertifiedServer) -> set[str]:
    """Connect often enough that every worker answers, and return their certificates."""
    return {ssl.get_server_certificate(("127.0.0.1", server.port), timeout=5) for _ in range(30)}


def test_a_new_certificate_is_served_by_all_workers_and_broken_files_change_nothing() -> None:
    with CertifiedServer(processes="2") as server:
        # One that is only starting could not start with files that do not belong together.
        eventually(lambda: 'state="serving"} 2.0' in metrics_of(server))
        before = workers_of(server)
        file, key = server._certificate, server._certificate.with_name("key.pem")
        first = served_by(server)
        new, new_key = file.with_name("new.pem"), file.with_name("new_key.pem")
        ensure_certificate(new, new_key, frozenset({"127.0.0.1"}))

        new.replace(file)  # its key is not there yet
        hang_up(server)
        eventually(lambda: server.log.count(KEPT) == 3)
        assert served_by(server) == first

        new_key.replace(key)
        hang_up(server)
        eventually(lambda: served_by(server) == {file.read_text("ascii")})
        assert workers_of(server) == before


def metrics_of(server: CertifiedServer) -> str:
    """What any worker tells of all."""
    return httpx.get(f"{server.url}/metrics", verify=server.trust).text


# ── The keys ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A key file with one key."""
    keys = tmp_path / "keys"
    keys.touch(mode=0o600)
    keys.write_text(f"{new_secret()}\n", "ascii")
    return keys


@pytest.fixture
def server(keys: Path) -> Iterator[CurfewServer]:
    """Three workers with the keys in the file."""
    with CurfewServer(processes="3", secret_keys_file=str(keys)) as running:
        eventually(lambda: len(workers_of(running)) == 3)
        yield running


def add_key(keys: Path) -> None:
    """Put a new key in front."""
    keys.write_text(f"{new_secret()}\n{keys.read_text('ascii')}", "ascii")


def drop_old_key(keys: Path) -> None:
    """Keep the first one alone."""
    keys.write_text(keys.read_text("ascii").splitlines()[0] + "\n", "ascii")


async def test_keys_change_under_people_who_work_and_nobody_is_signed_out(
    server: CurfewServer, keys: Path
) -> None:
    async with people_of(server.url) as people:
        clients = [await people.somebody() for _ in range(3)]
        cookies = {each.cookie for each in clients}
        for change in (add_key, drop_old_key):
            change(keys)
            hang_up(server)
            deadline = time.monotonic() + 2.0
            while time.monotonic() < deadline:
                answers = [await each.request("GET", "/api/session") for each in clients]
                assert [each.status_code for each in answers] == [200] * 3
        assert not cookies & {each.cookie for each in clients}  # the new key has signed others
        for pid in workers_of(server):  # those that replace them have the new key, too
            os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: len(workers_of(server)) == 3)
        for client in clients:
            again = await people.visitor()  # the connections of the others went with the workers
            again.cookie = client.cookie
            assert (await again.request("GET", "/api/session")).status_code == 200


@pytest.mark.parametrize("text", [f"{new_secret()}\n", "weak\n", ""], ids=["other", "weak", "none"])
def test_keys_that_would_open_nothing_are_refused(
    server: CurfewServer, keys: Path, text: str
) -> None:
    keys.write_text(text, "ascii")
    hang_up(server)
    eventually(lambda: server.log.count(KEPT) == 4)
    assert "keys, newest first" not in server.log
    assert len(workers_of(server)) == 3


def test_a_worker_that_starts_in_the_middle_of_a_reload_signs_with_the_new_key_too(
    server: CurfewServer, keys: Path
) -> None:
    old = keys.read_text("ascii").split()
    add_key(keys)
    new = keys.read_text("ascii").split()
    slow, killed, _ = workers_of(server)
    os.kill(slow, signal.SIGSTOP)
    hang_up(server)
    eventually(lambda: server.log.count(keys_line(*old, new[0])) == 2)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: killed not in workers_of(server) and len(workers_of(server)) == 3)
    os.kill(slow, signal.SIGCONT)
    eventually(lambda: server.log.count(keys_line(*new)) == 3)


def keys_line(*keys: str) -> str:
    """What a worker says when it has these keys, newest first."""
    versions = (str(version_of(parse_secret(each))) for each in keys)
    return f"keys, newest first: {', '.join(versions)}\n"
