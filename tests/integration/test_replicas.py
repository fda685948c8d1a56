"""Ends on a store with a replica: the receipt says whether the replica has them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.core.reasons import Reason
from server.core.receipt import Durability, Receipt, State
from server.core.session import Device
from server.services import open_services
from server.sessions.verdicts import LiveSession
from settings import load_settings
from tests.support.running.processes import eventually
from tests.support.servers.valkey import ValkeyServer


@pytest.fixture
def primary() -> Iterator[ValkeyServer]:
    with ValkeyServer(tcp=True, repl_diskless_sync_delay="0") as server:
        yield server


@pytest.fixture
def replica(primary: ValkeyServer) -> Iterator[ValkeyServer]:
    with ValkeyServer(tcp=True, replicaof=f"127.0.0.1 {primary.port}") as server:
        with server.client() as client:
            eventually(lambda: client.info("replication")["master_link_status"] == "up")
        yield server


async def end_a_session(store_url: str, data_dir: Path, replicas: int) -> Receipt:
    settings = load_settings(
        {
            "CURFEW_STORE_URL": store_url,
            "CURFEW_DATA_DIR": str(data_dir),
            "CURFEW_TERMINATION_REPLICAS": str(replicas),
        }
    )
    async with open_services(settings) as services:
        epochs = await services.sessions.epochs("ann")
        live = await services.sessions.sign_in("ann", epochs, Device(), None)
        assert isinstance(live, LiveSession)
        return await services.terminations.one(live.session, Reason.LOGOUT)


async def test_an_end_that_the_replica_has_is_complete(
    primary: ValkeyServer, replica: ValkeyServer, tmp_path: Path
) -> None:
    receipt = await end_a_session(primary.url, tmp_path, replicas=1)
    assert (receipt.state, receipt.durability) == (State.COMPLETE, Durability.REPLICAS)
    with replica.client() as client:
        assert any(b":ended:" in key for key in client.scan_iter())


async def test_an_end_that_too_few_replicas_have_is_pending(
    primary: ValkeyServer, replica: ValkeyServer, tmp_path: Path
) -> None:
    receipt = await end_a_session(primary.url, tmp_path, replicas=2)
    assert (receipt.state, receipt.durability) == (State.PENDING, Durability.MEMORY)
    assert receipt.sessions == 1
    assert replica.pid
