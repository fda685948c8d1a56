"""What a server tells about itself: read from the text, whichever lines come before."""

import pytest
from redis.asyncio import Redis

from server.store.information import INFO, history_in, role_in, rounds_in

REPLICATION = b"# Replication\r\nrole:slave\r\nmaster_host:role:master\r\nmaster_replid:4f\r\n"
STATS = b"# Stats\r\ntotal_eventloop_cycles:5\r\neventloop_cycles:71\r\neventloop_cycles_all:9\r\n"


def test_the_line_that_is_asked_for_is_read_and_no_other() -> None:
    assert (role_in(REPLICATION), history_in(REPLICATION)) == ("slave", "4f")
    assert rounds_in(STATS) == 71


@pytest.mark.parametrize("told", [b"", b"# Stats\r\n", b"eventloop_cycles:many\r\nrole:\r\n"])
def test_a_server_that_does_not_tell_is_not_taken_at_any_word(told: bytes) -> None:
    assert (role_in(told), history_in(told), rounds_in(told)) == ("", "", None)


async def test_a_real_server_tells_all_three(client: Redis) -> None:
    replication = await client.execute_command(INFO, "replication")  # type: ignore[no-untyped-call]
    stats = await client.execute_command(INFO, "stats")  # type: ignore[no-untyped-call]
    assert role_in(replication) == "master"
    assert len(history_in(replication)) == 40
    assert rounds_in(stats)
