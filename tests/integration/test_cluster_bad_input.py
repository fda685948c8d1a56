"""Wrong addresses of clusters: which setting, what was found, what is needed; nothing starts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from server.core.errors import ConfigurationError, StoreNotReached
from server.services import open_services
from server.store import acl
from settings import load_settings
from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.servers.valkey import PASSWORD, ValkeyServer

CLUSTERED: Final = {"cluster_enabled": "yes", "cluster_require_full_coverage": "no"}


@pytest.fixture(scope="module")
def member() -> Iterator[ValkeyServer]:
    """The only node of a cluster, which has no slots yet."""
    with ValkeyServer(tcp=True, cluster_port=str(free_port()), **CLUSTERED) as server:
        yield server


def address(*servers: ValkeyServer, login: str = f"{acl.USER}:{PASSWORD}") -> str:
    """The address of a cluster of these."""
    places = ",".join(f"127.0.0.1:{each.port}" for each in servers)
    return f"redis+cluster://{login}@{places}"


async def refusal(tmp_path: Path, url: str, **variables: str) -> str:
    """Why a server does not start here."""
    given = {"STORE_URL": url, "DATA_DIR": str(tmp_path), "STORE_WAIT": "1ms", **variables}
    settings = load_settings({f"CURFEW_{name}": value for name, value in given.items()})
    with pytest.raises((ConfigurationError, StoreNotReached)) as refused:
        async with open_services(settings):
            pass
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


def give_slots(member: ValkeyServer, *ranges: int) -> None:
    """Let it serve these slots, and no others."""
    with member.client() as owner:
        owner.execute_command("CLUSTER FLUSHSLOTS")
        owner.execute_command("CLUSTER ADDSLOTSRANGE", *ranges)
        eventually(lambda: b"cluster_state:ok" in owner.execute_command("CLUSTER", "INFO"))


async def test_seeds_that_do_not_answer_are_named(tmp_path: Path) -> None:
    port = free_port()
    told = await refusal(tmp_path, f"redis+cluster://127.0.0.1:{port}")
    assert f"the cluster of 127.0.0.1:{port}" in told
    assert "Start it, or correct CURFEW_STORE_URL." in told


async def test_slots_without_a_master_are_named(tmp_path: Path, member: ValkeyServer) -> None:
    give_slots(member, 0, 99, 101, 5460)
    told = await refusal(tmp_path, address(member))
    assert "Slots 100, 5461-16383 have no master" in told
    assert "Give every slot a master" in told
    with member.client() as owner:
        assert owner.execute_command("DBSIZE") == 0  # no partial start


async def test_a_wrong_password_is_the_addresss_fault(tmp_path: Path, member: ValkeyServer) -> None:
    told = await refusal(tmp_path, address(member, login="curfew:wrong"))
    assert "Correct the user and the password in CURFEW_STORE_URL." in told


async def test_a_user_without_the_rights_for_a_cluster_is_told_how_to_get_them(
    tmp_path: Path, member: ValkeyServer
) -> None:
    with member.client() as owner:
        owner.acl_setuser("poor", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@read"])
    told = await refusal(tmp_path, address(member, login="poor:pw"))
    assert "python run.py store acl" in told


async def test_a_single_server_is_no_cluster(tmp_path: Path) -> None:
    with ValkeyServer(tcp=True) as single:
        told = await refusal(tmp_path, address(single))
    assert re.search(r"CURFEW_STORE_URL is .*no member of a cluster. Set redis://", told), told


async def test_a_replica_of_a_single_server_is_no_cluster_either(tmp_path: Path) -> None:
    with (
        ValkeyServer(tcp=True) as master,
        ValkeyServer(tcp=True, replicaof=f"127.0.0.1 {master.port}") as replica,
    ):
        told = await refusal(tmp_path, address(replica))
    assert "no member of a cluster" in told


async def test_a_member_of_a_cluster_is_no_single_server(
    tmp_path: Path, member: ValkeyServer
) -> None:
    give_slots(member, 0, 8191)
    with member.client() as owner:
        owner.acl_setuser("asks", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all"])
        owner.execute_command("ACL", "SETUSER", "ours", *acl.acl_rules("pw", replicas=0))
    for user in ("asks", "ours"):  # a user of `store acl` for one server may not ask all
        told = await refusal(tmp_path, f"redis://{user}:pw@127.0.0.1:{member.port}")
        assert "CURFEW_STORE_URL leads to a member of a cluster" in told
        assert "redis+cluster://" in told
    with member.client() as owner:
        assert owner.execute_command("DBSIZE") == 0


async def test_another_number_of_shards_is_refused(tmp_path: Path, member: ValkeyServer) -> None:
    give_slots(member, 0, 16383)
    with member.client() as owner:
        owner.set("curfew:{00}:shards", "16")
    told = await refusal(tmp_path, address(member), SHARDS="8")
    assert "CURFEW_SHARDS is 8, but this store was laid out for 16. Set 16." in told
