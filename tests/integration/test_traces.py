"""A logout is one trace over two processes: the request, the store, and the close on each node."""

import json
from typing import Any, Final

from tests.support.clients.people import people_of
from tests.support.clients.sockets import end_of, frame
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer
from tests.support.servers.workers import workers_of

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
PROXY: Final = "b7ad6b7169203331"


def spans_in(log: str) -> list[Any]:
    """The spans in what a server wrote."""
    lines = [line for line in log.splitlines() if line.startswith('{"name"')]
    return [json.loads(line) for line in lines]


async def test_a_logout_is_one_trace_from_the_proxy_to_every_nodes_close() -> None:
    with CurfewServer(processes="2", traces="console", trusted_proxies="127.0.0.1/32") as server:
        eventually(lambda: len(workers_of(server)) == 2)
        async with people_of(server.url) as people:
            client = await people.somebody()
            async with client.open_socket() as socket:
                await frame(socket, "hello")
                answer = await client.request(
                    "POST",
                    "/api/logout",
                    traceparent=f"00-{TRACE}-{PROXY}-01",
                    X_Forwarded_For="203.0.113.7",
                )
                await end_of(socket)
        assert answer.status_code == 200
        server.stop()
        every = spans_in(server.log)
    spans = [each for each in every if each["context"]["trace_id"] == f"0x{TRACE}"]
    ids = {each["name"]: each["context"]["span_id"] for each in spans}
    parents = {each["name"]: each["parent_id"] for each in spans}
    assert parents["POST LogoutHandler"] == f"0x{PROXY}"
    assert parents["end sessions"] == ids["POST LogoutHandler"]
    assert parents["write the end"] == parents["wait for the nodes"] == ids["end sessions"]
    closes = [each for each in spans if each["name"] == "close sockets"]
    assert {each["parent_id"] for each in closes} == {ids["write the end"]}
    assert len({each["attributes"]["curfew.node"] for each in closes}) == 2
    assert sum(each["attributes"]["curfew.sockets_closed"] for each in closes) == 1
    assert answer.headers["traceparent"] == (
        f"00-{TRACE}-{ids['POST LogoutHandler'].removeprefix('0x')}-01"
    )
    user = json.dumps(every)
    assert "person-" not in user, "no span names a user"
