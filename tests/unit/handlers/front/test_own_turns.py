"""A connection's own turns: its peer's, and behind a proxy those of whose request it carries."""

import asyncio

from handlers.front.own_turns import OwnTurns
from handlers.front.turns import BEGIN_AT_MOST, Turns


def turns_here() -> Turns:
    """Turns of the running loop."""
    return Turns(asyncio.get_running_loop())


async def test_a_connection_waits_once_however_often_it_is_asked() -> None:
    share, gone_on = turns_here().share_of("192.0.2.1"), list[int]()
    own = OwnTurns(share, lambda: gone_on.append(1))
    for _ in range(BEGIN_AT_MOST):
        assert own.may_begin()
    for _ in range(3):
        assert not own.may_begin()
    assert own.waits
    for _ in range(5):
        await asyncio.sleep(0)
    assert (gone_on, own.waits) == ([1], False)


async def test_a_request_takes_its_clients_turns_until_it_ends() -> None:
    turns = turns_here()
    proxy = turns.share_of("203.0.113.1", is_of_many=True)
    client = turns.share_of("192.0.2.1", is_behind=True)
    own = OwnTurns(proxy, lambda: None)
    assert own.has_many_clients
    assert own.may_begin_for(client, lambda: None)
    own.request.begin()
    assert (own.share, client.under_way, proxy.under_way) == (client, 1, 0)
    own.end_request()
    assert (own.share, client.under_way) == (proxy, 0)


async def test_a_request_of_a_client_that_has_had_its_turn_begins_later() -> None:
    turns, begun = turns_here(), list[int]()
    proxy = turns.share_of("203.0.113.1", is_of_many=True)
    clients = [turns.share_of(f"192.0.2.{each}", is_behind=True) for each in (1, 2)]
    assert all(each.may_begin() for each in clients)
    assert not OwnTurns(proxy, lambda: None).may_begin_for(clients[0], lambda: begun.append(1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert begun == [1]


async def test_a_request_whose_client_the_proxy_does_not_name_begins_as_the_proxys() -> None:
    proxy = turns_here().share_of("203.0.113.1", is_of_many=True)
    own = OwnTurns(proxy, lambda: None)
    assert own.may_begin_for(proxy, lambda: None)
    own.request.begin()
    own.end_request()
    assert (own.share, proxy.under_way) == (proxy, 0)
