"""The sub-commands of run.py without a server: they start the embedded store for themselves."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.clients.client import PASSWORD
from tests.support.clients.people import people_of
from tests.support.running.processes import processes_of
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

Run = Callable[..., CompletedProcess[str]]


@contextmanager
def not_started(server: CurfewServer) -> Iterator[CurfewServer]:
    """Clean up behind a server without starting it before."""
    with ExitStack() as stack:
        yield stack.push(server)


@pytest.fixture
def server() -> Iterator[CurfewServer]:
    """A server that is not started; its folder does not exist yet."""
    with not_started(CurfewServer()) as server:
        yield server
        assert processes_of(server.data_dir) == []


@pytest.fixture
def run(server: CurfewServer) -> Run:
    """Runs a command on its folder."""
    return server.command


async def test_accounts_made_before_the_first_start_can_sign_in_after_it(
    server: CurfewServer, run: Run
) -> None:
    added = run("user", "add", "early", "--admin", given=f"{PASSWORD}\n")
    assert (added.returncode, added.stdout) == (0, "early can sign in now as an administrator.\n")
    assert " curfew.audit  user_created " in added.stderr
    assert processes_of(server.data_dir) == []
    server.start()
    async with people_of(server.url) as people:
        await (await people.visitor()).sign_in("early")
    server.stop()


async def test_sessions_are_listed_and_ended_while_no_server_runs(
    server: CurfewServer, run: Run
) -> None:
    server.start()
    async with people_of(server.url) as people:
        client = await people.somebody()
        server.stop()

        assert client.sid in run("sessions", "list").stdout
        receipt = json.loads(run("sessions", "end", client.sid).stdout)
        assert (receipt["state"], receipt["sessions"]) == ("complete", 1)
        assert receipt["nodes"] == {"acked": 0, "lease_expired": 0, "waiting": 0}
        assert receipt["durability"] == "fsync"
        assert run("sessions", "list").stdout == ""

        server.start()
        answer = await client.request("GET", "/api/session")
        assert (answer.status_code, answer.json()["reason"]) == (401, "admin")
    server.stop()


def test_keys_new_prints_a_key_that_a_server_takes_and_never_the_same(run: Run) -> None:
    keys = {run("keys", "new").stdout.strip() for _ in range(3)}
    assert len(keys) == 3
    with CurfewServer(secret_keys=",".join(keys)) as server:
        assert "Curfew serves on" in server.log


def test_doctor_tells_what_it_found(server: CurfewServer, run: Run) -> None:
    examined = run("doctor")
    assert (examined.returncode, examined.stderr) == (0, "")
    told = dict(line.split(None, 1) for line in examined.stdout.splitlines())
    assert re.match(r"answers in [0-9.]+ ms", told["store"])
    assert told["durability"] == "fsync"
    assert told["data"] == str(server.data_dir)
    assert server.url in told["origins"]
    secret = (server.data_dir / "secret_keys").read_text().strip()
    assert secret not in examined.stdout


def test_doctor_warns_of_a_store_that_forgets(valkey: ValkeyServer) -> None:
    valkey.flush()
    with not_started(CurfewServer(store_url=valkey.url)) as server:
        examined = server.command("doctor")
    assert "durability memory: a crash of the store can bring ended sessions" in examined.stdout


def test_a_store_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with not_started(CurfewServer(store_url=f"unix://{tmp_path}/none.sock")) as server:
        refused = server.command("sessions", "list")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "CURFEW_STORE_URL" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("user",),
        ("user", "add"),
        ("user", "add", "a", "b"),
        ("user", "remove", "ada"),
        ("sessions",),
        ("sessions", "end"),
        ("sessions", "end", "--user", "ada", "--all"),
        ("sessions", "list", "ada"),
        ("keys",),
        ("keys", "old"),
        ("doctor", "--now"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_explained_and_touches_nothing(
    server: CurfewServer, run: Run, arguments: tuple[str, ...]
) -> None:
    refused = run(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("usage: run.py")
    assert "Traceback" not in refused.stderr
    assert not server.data_dir.exists()


@pytest.mark.parametrize("command", [(), ("sessions", "list"), ("doctor",)])
def test_a_wrong_setting_is_one_line_that_names_it(command: tuple[str, ...]) -> None:
    with not_started(CurfewServer(idle_timeout="soon")) as server:
        refused = server.command(*command)
    assert refused.returncode == os.EX_CONFIG
    assert refused.stderr.startswith("CURFEW_IDLE_TIMEOUT is 'soon'; it takes")
    assert refused.stderr.count("\n") == 1


def test_help_lists_the_commands(run: Run) -> None:
    told = run("--help")
    assert told.returncode == 0
    for command in ("user", "sessions", "keys", "doctor"):
        assert command in told.stdout
