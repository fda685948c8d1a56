"""Which rules differ, how that is said, and what is not taken for a note of a node."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from server.core import strict_json
from server.core.rule_differences import (
    SETTINGS,
    NodeRules,
    decode,
    host_label,
    other_rules,
    refusal_of_rules,
    values_of,
)
from server.core.session import Rules

RULES = Rules()
SHORT = replace(RULES, idle_timeout=timedelta(seconds=90), max_sessions_per_user=3)


def node(rules: Rules = RULES, *, is_changing: bool = False) -> NodeRules:
    """What a node says of itself."""
    return NodeRules("web1", 7, values_of(rules), is_changing)


def test_every_rule_is_compared() -> None:
    assert set(SETTINGS) == {each.name for each in fields(Rules)}


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(1, "1ms"), (1500, "1500ms"), (90_000, "90s"), (1_800_000, "30m"), (43_200_000, "12h")],
)
def test_a_duration_is_said_as_a_setting_takes_it(milliseconds: int, text: str) -> None:
    rules = replace(RULES, idle_timeout=timedelta(milliseconds=milliseconds))
    assert values_of(rules)["CURFEW_IDLE_TIMEOUT"] == text


def test_a_demand_is_said_as_a_setting_takes_it() -> None:
    values = values_of(replace(RULES, second_factor_required=True))
    assert values["CURFEW_SECOND_FACTOR"] == "required"
    assert values_of(RULES)["CURFEW_SECOND_FACTOR"] == "optional"


def test_only_nodes_with_other_rules_are_found_and_each_setting_is_named() -> None:
    (other,) = other_rules(node(), {"b": node(), "a": node(SHORT)})
    assert str(other) == (
        "CURFEW_IDLE_TIMEOUT is 30m here and 90s there, "
        "CURFEW_MAX_SESSIONS_PER_USER is 10 here and 3 at node a (web1, process 7)"
    )
    assert not other.is_announced
    assert str(other) in refusal_of_rules([other])


@pytest.mark.parametrize(("ours", "theirs"), [(True, False), (False, True), (True, True)])
def test_it_is_enough_that_one_of_both_announces_the_change(*, ours: bool, theirs: bool) -> None:
    others = {"a": node(SHORT, is_changing=theirs)}
    (other,) = other_rules(node(is_changing=ours), others)
    assert other.is_announced


def test_a_setting_of_another_version_is_not_compared() -> None:
    newer = replace(node(), values={**node().values, "CURFEW_NEW": "1"})
    older = replace(node(), values={"CURFEW_IDLE_TIMEOUT": "30m"})
    assert other_rules(node(), {"a": newer, "b": older}) == []


def test_a_note_is_read_as_it_was_written() -> None:
    assert decode(node().encode().encode()) == node()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"host":"web1"}',
        strict_json.encode({"host": "web1\n", "pid": 7, "values": {}, "changing": False}).encode(),
        strict_json.encode(
            {"host": "web1", "pid": 7, "values": {"A": "a line\nmore"}, "changing": False}
        ).encode(),
        strict_json.encode(
            {"host": "web1", "pid": 7, "values": {"A": 1}, "changing": False}
        ).encode(),
    ],
)
def test_nothing_else_is_a_note(text: bytes) -> None:
    assert decode(text) is None


def test_any_name_of_a_machine_can_stand_in_a_note() -> None:
    for name in ("web1.example", "ein Rechner\n", "", "x" * 300):
        written = replace(node(), host=host_label(name))
        assert decode(written.encode().encode()) == written
