"""The rights of Curfew's user: what it needs and nothing that could change the server."""

import pytest
import redis

from server.store.acl import USER, acl_command, acl_file, acl_rules
from server.store.names import ShardNames
from tests.support.servers.valkey import ValkeyServer

PASSWORD = "a-word-of-this-test"


def test_everything_is_forbidden_before_something_is_allowed() -> None:
    rules = acl_rules(PASSWORD, replicas=0)
    assert rules[0] == "reset"
    assert all(rule.startswith("+") for rule in rules[rules.index("-@all") + 1 :])
    assert [rule for rule in rules if rule.startswith(("~", "%", "allkeys"))] == ["~curfew:*"]


def test_waiting_for_replicas_takes_two_commands_more() -> None:
    without, with_some = (set(acl_rules(PASSWORD, replicas=number)) for number in (0, 1))
    assert with_some - without == {"+wait", "+script|exists"}


def test_the_rule_is_told_as_one_line_and_as_a_file() -> None:
    rules = " ".join(acl_rules(PASSWORD, replicas=1))
    assert acl_command(PASSWORD, replicas=1) == f"ACL SETUSER {USER} {rules}"
    assert acl_file(PASSWORD) == f"user {USER} {rules}\n"


@pytest.mark.parametrize(
    "command",
    [
        *(["KEYS", "*"], ["FLUSHALL"], ["FLUSHDB"], ["CONFIG", "GET", "*"]),
        *(["CONFIG", "RESETSTAT"], ["SHUTDOWN"], ["ACL", "LIST"], ["EVAL", "return 1", "0"]),
        *(["REPLICAOF", "NO", "ONE"], ["SAVE"], ["MONITOR"], ["CLIENT", "KILL", "TYPE", "normal"]),
        *(["GET", "another program's"], ["SUBSCRIBE", "anything"], ["FUNCTION", "LIST"]),
    ],
    ids=" ".join,
)
def test_the_store_refuses_everything_else(valkey: ValkeyServer, command: list[str]) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set(ShardNames(0).epoch, "")
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command)
