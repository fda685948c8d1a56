"""Somebody edits what is not sealed, under a running server of two processes."""

import pytest

from server.store.names import ShardNames
from tests.support.clients.client import Client, frame
from tests.support.clients.sockets import end_of
from tests.support.servers.server import CurfewServer
from tests.support.servers.stores import Store

TEN_YEARS = 10 * 365 * 86_400


@pytest.mark.proves("A88", "7.3.1")
async def test_no_ttl_and_no_score_prolongs_a_session_or_gives_it_to_another(
    store_url: str, valkey: Store
) -> None:
    with CurfewServer(store_url=store_url, processes="2", idle_timeout="2s") as server:
        async with Client(server.url) as ann, Client(server.url) as eve:
            await ann.sign_up("ann")
            async with ann.open_socket() as socket:
                await frame(socket, "hello")
                of_ann = ShardNames.of_user("ann", valkey.shards)
                of_eve = ShardNames.of_user("eve", valkey.shards)
                with valkey.client() as raw:
                    for key in (of_ann.session(ann.sid), of_ann.index("ann")):
                        assert raw.expire(key, TEN_YEARS)
                    raw.zadd(of_ann.index("ann"), {ann.sid: 9e9})
                    raw.zadd(of_eve.index("eve"), {ann.sid: 9e9})
                await eve.sign_up("eve")
                listed = (await eve.request("GET", "/api/sessions")).json()["sessions"]
                assert [each["id"] for each in listed] == [eve.sid]
                refused = await eve.request("DELETE", f"/api/sessions/{ann.sid}")
                assert refused.status_code == 404
                end = await end_of(socket)
                assert (end.code, end.reason) == (4408, "idle_timeout")
            answer = await ann.request("GET", "/api/session")
            assert (answer.status_code, answer.json()["reason"]) == (401, "idle_timeout")
