"""A store that is not there when the server starts, or is not ready: it is waited for, for a while.

Where waiting cannot help the start fails at once. The last line says where the store should be, and
what to do. Commands do not wait.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.store import acl
from tests.support.clients.client import Client
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.store_tls import Authority, TlsProxy
from tests.support.servers.valkey import PASSWORD, ValkeyServer
from tests.support.servers.workers import workers_of

SOON = 20.0
"""Seconds in which a start fails that waits for nothing; much less than it would wait."""
NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    with ValkeyServer(tcp=True) as running:
        yield running


@pytest.fixture
def late() -> Iterator[ValkeyServer]:
    """A store that is not started yet."""
    valkey = ValkeyServer(tcp=True, appendonly="yes", key_load_delay="200", appendfsync="everysec")
    yield valkey
    valkey.close()


def failed_start(
    url: str, *, store_wait: str = "30s", store_plaintext: str = "refuse"
) -> tuple[subprocess.CompletedProcess[str], float]:
    """Start a server that fails to; how it ended, and after how many seconds."""
    server = CurfewServer(store_url=url, store_wait=store_wait, store_plaintext=store_plaintext)
    with ExitStack() as stack:
        stack.push(server)  # cleans up behind it
        started = time.monotonic()
        ran = subprocess.run(
            [sys.executable, str(ROOT / "run.py")],
            cwd=ROOT,
            env=server.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return ran, time.monotonic() - started


async def test_a_store_that_comes_later_is_waited_for(late: ValkeyServer) -> None:
    with ExitStack() as stack:
        server = CurfewServer(store_url=late.url, processes="2")
        stack.push(server)
        starting = asyncio.create_task(asyncio.to_thread(server.start))
        told = f"waiting 30 s for the store at 127.0.0.1:{late.port}: it does not answer"
        await asyncio.to_thread(eventually, lambda: server.log_path.exists() and told in server.log)
        await asyncio.sleep(1)
        await asyncio.to_thread(late.start)
        await starting
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
        assert server.log.count("waiting") == 1
        assert "Traceback" not in server.log


async def test_a_store_that_loads_its_data_is_waited_for(late: ValkeyServer) -> None:
    late.start()
    with late.client() as owner, owner.pipeline() as pipeline:
        for number in range(20_000):
            pipeline.set(f"other:{number}", "")
        pipeline.execute()
    late.stop()
    with ExitStack() as stack:
        server = CurfewServer(store_url=late.url)
        stack.push(server)
        async with asyncio.TaskGroup() as starts:
            starts.create_task(asyncio.to_thread(late.start))
            await asyncio.sleep(0.2)  # it has begun to load, which takes seconds
            starts.create_task(asyncio.to_thread(server.start))
        assert f"the store at 127.0.0.1:{late.port}: it loads its data" in server.log


async def test_a_store_that_is_no_master_yet_is_waited_for(store: ValkeyServer) -> None:
    with ExitStack() as stack, store.client() as owner:
        owner.replicaof("127.0.0.1", "1")
        stack.callback(owner.replicaof, "NO", "ONE")
        server = CurfewServer(store_url=store.url)
        stack.push(server)
        starting = asyncio.create_task(asyncio.to_thread(server.start))
        told = "it is no master that serves"
        await asyncio.to_thread(eventually, lambda: server.log_path.exists() and told in server.log)
        owner.replicaof("NO", "ONE")
        await starting


@pytest.mark.parametrize(
    ("url", "place", "advice"),
    [
        (NOWHERE, "127.0.0.1:1", "Start it, or correct CURFEW_STORE_URL."),
        ("redis://curfew:hush@db.invalid", "db.invalid:6379", "Its name is not known"),
    ],
)
def test_the_wait_ends_with_a_line_that_says_where_and_what(
    url: str, place: str, advice: str
) -> None:
    ran, seconds = failed_start(url, store_wait="1500ms", store_plaintext="allow")
    waits, fails = ran.stderr.splitlines()
    assert f"waiting 1.5 s for the store at {place}" in waits
    assert fails.startswith(f"The store at {place} could not be used (")
    assert advice in fails
    assert (ran.returncode, ran.stdout) == (1, "")
    assert 1.5 < seconds < SOON
    assert "hush" not in ran.stderr


def test_a_refused_password_is_not_waited_for(store: ValkeyServer) -> None:
    ran, seconds = failed_start(store.url.replace(PASSWORD, "a-wrong-word"))
    (line,) = ran.stderr.splitlines()
    assert line == (
        f"The store at 127.0.0.1:{store.port} could not be used (AuthenticationError). "
        "Correct the user and the password in CURFEW_STORE_URL."
    )
    assert (ran.returncode, seconds < SOON) == (1, True)


def test_a_certificate_that_nobody_trusts_is_not_waited_for(
    store: ValkeyServer, tmp_path: Path
) -> None:
    with TlsProxy(store.port, Authority(tmp_path).certify("IP:127.0.0.1")) as proxy:
        url = f"rediss://{acl.USER}:{PASSWORD}@127.0.0.1:{proxy.port}/0"
        ran, seconds = failed_start(url)
    assert "(SSLCertVerificationError). Check its certificate" in ran.stderr
    assert (ran.returncode, seconds < SOON) == (1, True)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_at_once(signum: signal.Signals) -> None:
    server = CurfewServer(store_url=NOWHERE)
    with ExitStack() as stack:
        stack.push(server)
        with server.log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "run.py")],
                cwd=ROOT,
                env=server.environment,
                stderr=log,
                start_new_session=True,
            )
        eventually(lambda: "waiting" in server.log)
        signalled_at = time.monotonic()
        process.send_signal(signum)
        assert process.wait(20) == os.EX_OK
        assert time.monotonic() - signalled_at < 2
        assert "Traceback" not in server.log


async def test_a_worker_that_starts_during_an_outage_waits_too(late: ValkeyServer) -> None:
    late.start()
    with CurfewServer(store_url=late.url, node_lease="2s", log_level="debug") as server:
        async with Client(server.url) as ann:
            await ann.sign_up("ann")
            late.kill()
            (worker,) = workers_of(server)
            os.kill(worker, signal.SIGKILL)
            await asyncio.to_thread(eventually, lambda: "waiting 30 s" in server.log)
            await asyncio.to_thread(late.start)

            def is_ready() -> bool:
                return "200 GET /readyz" in server.log.rpartition("waiting")[2]

            while not is_ready():
                await asyncio.sleep(0.1)
                await ann.request("GET", "/readyz")
            assert (await ann.request("GET", "/api/session")).status_code == 200
        late.kill()
        (worker,) = workers_of(server)
        os.kill(worker, signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: server.log.count("waiting 30 s") == 2)
        stopped_at = time.monotonic()
        assert await asyncio.to_thread(server.stop) == os.EX_OK
        assert time.monotonic() - stopped_at < 5
        assert "Traceback" not in server.log


@pytest.mark.parametrize("words", [("doctor",), ("sessions", "end", "--all", "--yes")])
def test_a_command_does_not_wait(words: tuple[str, ...]) -> None:
    server = CurfewServer(store_url=NOWHERE)
    with ExitStack() as stack:
        stack.push(server)
        started = time.monotonic()
        ran = server.command(*words)
        assert time.monotonic() - started < SOON
    assert ran.stderr == (
        "The store at 127.0.0.1:1 could not be used (ConnectionError). "
        "Start it, or correct CURFEW_STORE_URL.\n"
    )
    assert (ran.returncode, ran.stdout) == (1, "")
