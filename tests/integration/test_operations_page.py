"""The commands of the operations page, run as they are written there."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.crypto.keyring import new_secret
from tests.docs.markdown import blocks, page
from tests.support.clients.client import PASSWORD, Client
from tests.support.clients.sockets import end_of, frame
from tests.support.running.processes import eventually
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.valkey import ValkeyServer

COMMANDS = {block.name: block.text for block in blocks(page("docs/operations.md"), "sh")}


def run_block(name: str, server: CurfewServer, folder: Path, **words: str) -> None:
    """Run a block of the page in a folder.

    Args:
        name: stands above the block.
        server: whose environment the commands have.
        folder: where they are typed.
        words: what stands here for a word of the page.
    """
    text = COMMANDS[name]
    here = {".venv/bin/python run.py": f"{sys.executable} {ROOT / 'run.py'}", **words}
    for there, this in here.items():
        text = text.replace(there, this)
    ran = subprocess.run(
        ["sh", "-eu", "-c", text], cwd=folder, env=server.environment,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture
def server() -> Iterator[CurfewServer]:
    with CurfewServer() as running:
        yield running


async def signs_in(server: CurfewServer, name: str) -> bool:
    """Return whether somebody has an account."""
    async with Client(server.url) as client:
        body = {"username": name, "password": PASSWORD}
        return (await client.request("POST", "/api/login", body)).is_success


async def test_a_copy_taken_while_it_runs_brings_back_what_was_there(
    server: CurfewServer, tmp_path: Path
) -> None:
    (tmp_path / "data").symlink_to(server.data_dir)
    async with Client(server.url) as before, Client(server.url) as writing:
        await before.sign_up("ada")
        await writing.sign_up("bea")
        copying = asyncio.to_thread(run_block, "backup", server, tmp_path)
        task = asyncio.create_task(copying)
        while not task.done():
            await writing.request("PATCH", "/api/session/data", {"some": "words" * 100})
        await task
        (copy,) = (tmp_path / "backups").iterdir()
        assert not any(path.stat().st_mode & 0o077 for path in copy.rglob("*"))
        cookie = before.cookie
        await before.request("POST", "/api/logout")
        async with Client(server.url) as later:
            await later.sign_up("cyd")
        keys = (server.data_dir / "secret_keys").read_bytes()
        assert await asyncio.to_thread(server.stop) == 0
        await asyncio.to_thread(run_block, "restore", server, tmp_path)
        assert (server.data_dir / "secret_keys").read_bytes() == keys
        await asyncio.to_thread(server.start)
        before.cookie = cookie
        assert (await before.request("GET", "/api/session")).is_success, "it lives again"
        await asyncio.to_thread(run_block, "after_a_restore", server, tmp_path)
        assert (await before.request("GET", "/api/session")).status_code == 401
    assert await signs_in(server, "ada")
    assert await signs_in(server, "bea")
    assert not await signs_in(server, "cyd")


@pytest.mark.skipif(os.environ.get("CURFEW_FAULTS") != "all", reason="`make balancers` runs it")
async def test_a_store_of_ones_own_is_restored_under_servers_that_run(tmp_path: Path) -> None:
    with ValkeyServer(appendonly="yes", appendfsync="always") as store:
        own = {"data/valkey/appendonlydir": str(store.folder / "appendonlydir")}
        with CurfewServer(store_url=store.url, secret_keys=new_secret()) as server:
            async with Client(server.url) as client:
                await client.sign_up("ada")
                await asyncio.to_thread(run_block, "backup", server, tmp_path, **own)
                async with Client(server.url) as later:
                    await later.sign_up("cyd")
                    async with later.open_socket() as socket:
                        await frame(socket, "hello")
                        store.stop()
                        await asyncio.to_thread(run_block, "restore", server, tmp_path, **own)
                        store.start()
                        assert (await end_of(socket)).code == 4401
                assert (await client.request("GET", "/api/session")).is_success
                await asyncio.to_thread(run_block, "after_a_restore", server, tmp_path)
                assert (await client.request("GET", "/api/session")).status_code == 401
            assert not await signs_in(server, "cyd")


def test_an_upgrade_goes_on_when_the_new_code_serves(server: CurfewServer, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    systemctl = tmp_path / "systemctl"
    waits = f'echo "$*" > {asked}; while [ -e {asked} ]; do sleep 0.1; done'
    systemctl.write_text(f"#!/bin/sh\n{waits}\n")
    systemctl.chmod(0o755)
    first = server.pid

    def restart() -> None:
        """Do what systemd does."""
        eventually(asked.exists)
        assert asked.read_text() == "restart curfew\n"
        assert server.stop() == 0
        asked.unlink()
        server.start()

    with ThreadPoolExecutor() as threads:
        systemd = threads.submit(restart)
        here = {"systemctl": str(systemctl), ":8888/": f":{server.port}/"}
        run_block("upgrade", server, tmp_path, **here)
        assert server.pid != first
        systemd.result()
