"""Rules of listed nodes are compared; a note goes with its node."""

import asyncio
from datetime import timedelta

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import ConfigurationError
from server.core.rule_differences import NodeRules
from server.store.clock import StoreClock
from server.store.names import ShardNames
from server.store.node_rules import NodeRulesBoard
from server.store.nodes import RedisNodeRegistry
from server.store.scripts import Scripts
from tests.support.running.waiting import until

NAME = ShardNames(0).rules


class Fleet:
    """Nodes on one store."""

    def __init__(self, client: Redis, scripts: Scripts) -> None:
        clock, lease = StoreClock(client), timedelta(seconds=5)
        self.registry = RedisNodeRegistry(client, scripts, clock, 1, lease)
        self._client = client
        self._scripts = scripts

    async def node(self, name: str, idle: str, *, is_changing: bool = False) -> NodeRulesBoard:
        """A listed node with this idle timeout."""
        await self.registry.renew(name, 1)
        ours = NodeRules("web1", 7, {"CURFEW_IDLE_TIMEOUT": idle}, is_changing)
        lease = timedelta(milliseconds=-460)  # so that a refusal comes within 0.3 s
        return NodeRulesBoard(self._client, self._scripts, self.registry, name, ours, lease)


@pytest.fixture
def fleet(client: Redis, scripts: Scripts) -> Fleet:
    return Fleet(client, scripts)


async def test_nodes_with_the_same_rules_agree(fleet: Fleet) -> None:
    one, two = await fleet.node("n1", "30m"), await fleet.node("n2", "30m")
    await one.agree()
    await two.agree()
    assert not await one.others()


async def test_another_rule_is_refused_and_its_note_is_taken_back(
    fleet: Fleet, raw: redis.Redis
) -> None:
    one, two = await fleet.node("n1", "30m"), await fleet.node("n2", "1h")
    await one.agree()
    with pytest.raises(ConfigurationError, match="is 1h here and 30m at node n1"):
        await two.require_same()
    with pytest.raises(ConfigurationError, match="is 1h here and 30m at node n1"):
        await two.agree()
    assert raw.hkeys(NAME) == [b"n1"]


async def test_of_two_that_begin_at_once_one_goes_on(fleet: Fleet) -> None:
    one, two = await fleet.node("n1", "30m"), await fleet.node("n2", "1h")
    outcomes = await asyncio.gather(one.agree(), two.agree(), return_exceptions=True)
    assert sorted(isinstance(each, ConfigurationError) for each in outcomes) == [False, True]


async def test_a_node_that_crashed_is_waited_for(fleet: Fleet, raw: redis.Redis) -> None:
    one, two = await fleet.node("n1", "30m"), await fleet.node("n2", "1h")
    await one.agree()
    waiting = asyncio.create_task(two.agree())
    await until(lambda: _is_contested(raw))
    await fleet.registry.remove("n1")
    await waiting
    assert raw.hkeys(NAME) == [b"n2"]


async def _is_contested(raw: redis.Redis) -> bool:
    return raw.hkeys(NAME) == [b"n1"]


async def test_an_announced_change_is_told_by_both_until_it_is_over(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "curfew.rules")
    old, new = await fleet.node("n1", "30m"), await fleet.node("n2", "1h", is_changing=True)
    await old.agree()
    await new.agree()
    old._log(await old.others())
    old._log(await old.others())
    await fleet.registry.remove("n2")
    old._log(await old.others())
    assert [(each.levelname, each.getMessage()[:30]) for each in caplog.records] == [
        ("WARNING", "session rules differ while the"),
        ("INFO", "all nodes have the same sessio"),
    ]


async def test_an_unannounced_difference_of_running_nodes_is_an_error_in_the_log(
    fleet: Fleet, caplog: pytest.LogCaptureFixture, raw: redis.Redis
) -> None:
    one, two = await fleet.node("n1", "30m"), await fleet.node("n2", "1h")
    running = [asyncio.create_task(each.run()) for each in (one, two)]

    async def is_told() -> bool:
        return any(each.levelname == "ERROR" for each in caplog.records)

    await until(is_told)
    for each in running:
        each.cancel()
    await asyncio.wait(running)
    assert raw.hkeys(NAME) == []


async def test_what_strangers_write_is_no_node(fleet: Fleet, raw: redis.Redis) -> None:
    one = await fleet.node("n1", "30m")
    await fleet.registry.renew("n2", 1)
    await fleet.registry.renew("n 3", 1)
    raw.hset(NAME, "n2", "garbage")
    raw.hset(NAME, "n 3", '{"host":"h","pid":1,"values":{},"changing":false}')
    await one.agree()
    assert not await one.others()
