"""Whether two nodes judge the same records by different session rules, and how to say so.

What a node says of its rules is no secret and is not signed. So it is read strictly, and it decides
nothing but whether a start is refused and what is said about it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from server.core import strict_json
from server.core.durations import as_setting
from server.core.session import Json, Rules

SETTINGS: Final = {
    "idle_timeout": "CURFEW_IDLE_TIMEOUT",
    "absolute_timeout": "CURFEW_ABSOLUTE_TIMEOUT",
    "remember_idle_timeout": "CURFEW_REMEMBER_IDLE_TIMEOUT",
    "remember_absolute_timeout": "CURFEW_REMEMBER_ABSOLUTE_TIMEOUT",
    "rotation_interval": "CURFEW_ROTATION_INTERVAL",
    "rotation_grace": "CURFEW_ROTATION_GRACE",
    "reauthentication_window": "CURFEW_REAUTHENTICATION_WINDOW",
    "touch_interval": "CURFEW_TOUCH_INTERVAL",
    "max_sessions_per_user": "CURFEW_MAX_SESSIONS_PER_USER",
    "second_factor_required": "CURFEW_SECOND_FACTOR",
}
"""The setting of each rule. Every rule changes what becomes of a record that all nodes share."""

_TEXT: Final = re.compile(r"[\w.:-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NodeRules:
    """What a node says of itself.

    Attributes:
        host: the name of its machine.
        pid: its process id there.
        values: the value of each setting, as text.
        is_changing: whether it was started with the announcement of a change.
    """

    host: str
    pid: int
    values: Mapping[str, str]
    is_changing: bool

    def encode(self) -> str:
        """Return the text that `decode` reads."""
        return strict_json.encode(
            {
                "host": self.host,
                "pid": self.pid,
                "values": dict(self.values),
                "changing": self.is_changing,
            }
        )


@dataclass(frozen=True, slots=True)
class OtherRules:
    """A node with other rules than ours.

    Attributes:
        node: its id.
        where: its machine and process.
        values: ours and its value of each setting that differs.
        is_announced: whether one of both was started with the announcement of a change.
    """

    node: str
    where: str
    values: Mapping[str, tuple[str, str]]
    is_announced: bool

    def __str__(self) -> str:
        """Return what differs, as a clause."""
        pairs = (
            f"{name} is {here} here and {there}" for name, (here, there) in self.values.items()
        )
        return f"{' there, '.join(pairs)} at node {self.node} ({self.where})"


def host_label(name: str) -> str:
    """Return the name of a machine as it may stand in a note and in a line."""
    return re.sub(r"[^\w.:-]", "-", name, flags=re.ASCII)[:100] or "unknown"


def values_of(rules: Rules) -> Mapping[str, str]:
    """Return the value of each setting as text, the same for the same value."""
    return {setting: _text(getattr(rules, name)) for name, setting in SETTINGS.items()}


def decode(text: bytes) -> NodeRules | None:
    """Return what a node said; None if no node of ours wrote it."""
    try:
        content = strict_json.parse(text)
    except ValueError:
        return None
    match content:
        case {"host": str(host), "pid": int(pid), "values": dict(values), "changing": bool(is_so)}:
            words = [host, *values, *values.values()]
            if all(isinstance(each, str) and _TEXT.fullmatch(each) for each in words):
                return NodeRules(host, pid, _texts(values), is_so)
    return None


def other_rules(ours: NodeRules, others: Mapping[str, NodeRules]) -> Sequence[OtherRules]:
    """Return the nodes whose rules differ from ours.

    A setting that one of both does not have is not compared: it is of another version of Curfew.

    Args:
        ours: this node's rules.
        others: those of the other nodes, by their ids.
    """
    found = []
    for node, theirs in sorted(others.items()):
        differing = {
            name: (value, theirs.values[name])
            for name, value in ours.values.items()
            if theirs.values.get(name, value) != value
        }
        if differing:
            where = f"{theirs.host}, process {theirs.pid}"
            announced = ours.is_changing or theirs.is_changing
            found.append(OtherRules(node, where, differing, announced))
    return found


def refusal_of_rules(others: Sequence[OtherRules]) -> str:
    """Return the line with which a start is refused."""
    return (
        f"Nodes on one store must have the same session rules: {others[0]}. They would end each "
        "other's sessions. Give both the same value; or, to change it on one node after the other, "
        "start this one with CURFEW_RULES_CHANGE=rolling."
    )


def _texts(values: Mapping[str, Json]) -> Mapping[str, str]:
    return {name: str(value) for name, value in values.items()}


def _text(value: timedelta | int) -> str:
    if isinstance(value, bool):
        return "required" if value else "optional"
    if isinstance(value, int):
        return str(value)
    return as_setting(value)
