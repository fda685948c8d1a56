"""Receipts on a busy store and a busy machine: what they say of the disk is true of each end."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.core.reasons import Reason
from server.core.receipt import Durability, State
from server.core.session import Device
from server.services import open_services
from server.sessions.verdicts import LiveSession
from server.store import acl
from settings import load_settings
from tests.support.servers.valkey import ValkeyServer

ENDS = 30
READERS = 3


@contextmanager
def busy(store: ValkeyServer) -> Iterator[None]:
    """Keep the store's event loop turning without writes, and the machine's cores computing."""
    is_over = threading.Event()

    def read() -> None:
        with store.client() as client:
            while not is_over.is_set():
                client.get("anything")

    computing = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for each in readers:
        each.start()
    try:
        yield
    finally:
        is_over.set()
        for each in readers:
            each.join()
        for process in computing:
            process.kill()
            process.wait()


async def end_sessions(store: ValkeyServer, data_dir: Path) -> set[Durability]:
    """End sessions one after the other, and return what their receipts say of the disk."""
    given = {"STORE_URL": store.url, "DATA_DIR": str(data_dir)}
    said = set()
    settings = load_settings({f"CURFEW_{name}": value for name, value in given.items()})
    async with open_services(settings, serves=False) as services:
        for _ in range(ENDS):
            epochs = await services.sessions.epochs("ann")
            live = await services.sessions.sign_in("ann", epochs, Device(), None)
            assert isinstance(live, LiveSession)
            receipt = await services.terminations.one(live.session, Reason.LOGOUT)
            assert (receipt.state, receipt.sessions) == (State.COMPLETE, 1)
            said.add(receipt.durability)
    return said


@pytest.mark.parametrize(
    ("appendonly", "appendfsync", "durability"),
    [
        ("yes", "always", Durability.FSYNC),
        ("yes", "everysec", Durability.MEMORY),
        ("yes", "no", Durability.MEMORY),
        ("no", "always", Durability.MEMORY),
    ],
)
async def test_each_receipt_says_what_is_known_of_its_end(
    appendonly: str, appendfsync: str, durability: Durability, tmp_path: Path
) -> None:
    with ValkeyServer(appendonly=appendonly, appendfsync=appendfsync) as store, busy(store):
        assert await end_sessions(store, tmp_path) == {durability}


async def test_a_setting_that_changes_is_in_the_next_receipt(tmp_path: Path) -> None:
    given = {"DATA_DIR": str(tmp_path)}
    with ValkeyServer(appendonly="yes", appendfsync="always") as store, store.client() as owner:
        given["STORE_URL"] = store.url
        settings = load_settings({f"CURFEW_{name}": value for name, value in given.items()})
        async with open_services(settings, serves=False) as services:
            said = []
            for mode in ("always", "everysec", "always"):
                owner.config_set("appendfsync", mode)
                said.append((await services.terminations.all_of("ann", Reason.ADMIN)).durability)
    assert said == [Durability.FSYNC, Durability.MEMORY, Durability.FSYNC]


async def test_a_store_that_may_not_tell_is_unknown(tmp_path: Path) -> None:
    with ValkeyServer(appendonly="yes", appendfsync="always") as store:
        with store.client() as owner:
            owner.execute_command("ACL", "SETUSER", acl.USER, "-waitaof")
        assert await end_sessions(store, tmp_path) == {Durability.UNKNOWN}
