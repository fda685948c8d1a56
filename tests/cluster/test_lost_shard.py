"""A shard that lost all its data: its own people are signed out, and nobody else notices."""

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import ClientConnection

from tests.chaos.two_servers import two_servers
from tests.cluster.rig import ClusterFaultRig, name_in
from tests.support.clients.client import Client, frame
from tests.support.clients.people import People
from tests.support.clients.sockets import end_of, frames_of
from tests.support.running.waiting import until
from tests.support.servers.cluster import ValkeyCluster

pytestmark = pytest.mark.alone


@pytest.fixture
def rig() -> Iterator[ClusterFaultRig]:
    """Two servers on a cluster that writes nothing to disk."""
    with ValkeyCluster() as store, two_servers(store.url, store.url) as servers:
        yield ClusterFaultRig(store, servers)


async def at_b(rig: ClusterFaultRig, stack: AsyncExitStack, client: Client) -> ClientConnection:
    """Open a socket of a browser on the other server."""
    browser = await stack.enter_async_context(Client(rig.servers.b.url))
    browser.cookie = client.cookie
    socket = await stack.enter_async_context(browser.open_socket())
    await frame(socket, "hello")
    await frames_of(socket)  # that it was opened
    return socket


async def status_of(client: Client) -> int:
    """What the server answers to who asks for the session."""
    return (await client.request("GET", "/api/session")).status_code


async def ends_completely(rig: ClusterFaultRig, people: People) -> bool:
    """Whether somebody new in the shard can sign up, and log out everywhere."""
    somebody = await people.visitor()
    await somebody.sign_up(name_in([rig.shard]))
    receipt = (await somebody.request("POST", "/api/logout")).json()
    return bool(receipt["state"] == "complete")


async def test_only_the_people_of_a_shard_that_lost_its_data_are_signed_out(
    rig: ClusterFaultRig,
) -> None:
    async with rig.people() as people, AsyncExitStack() as stack:
        lost, spared = await people.somebody(), await people.somebody()
        theirs, others = await at_b(rig, stack, lost), await at_b(rig, stack, spared)
        rig.kill_shard()
        rig.restart_shard()
        rig.store.await_health()

        async def is_signed_out() -> bool:
            return await status_of(lost) == 401

        await until(is_signed_out)
        end = await end_of(theirs)
        assert (end.code, end.reason) == (4401, "unauthenticated")
        assert await frames_of(others) == []
        assert await status_of(spared) == 200
        await until(lambda: ends_completely(rig, people))
    assert "Traceback" not in rig.servers.a.log + rig.servers.b.log
