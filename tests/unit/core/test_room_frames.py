"""The frames of rooms."""

import json
from typing import Any

import pytest

from server.core.messages import BadFrame
from server.core.room_frames import (
    AcknowledgeFrame,
    JoinFrame,
    LeaveFrame,
    PresenceFrame,
    SharedFrame,
    published,
    read_room_frame,
)


@pytest.mark.parametrize(
    ("kind", "fields", "frame"),
    [
        ("join", {"room": "den"}, JoinFrame("den")),
        ("join", {"room": "den", "after": "p"}, JoinFrame("den", "p")),
        ("leave", {"room": "den"}, LeaveFrame("den")),
        ("presence", {"room": "den"}, PresenceFrame("den")),
        ("ack", {"id": "1"}, AcknowledgeFrame("1")),
        ("move", {}, None),
    ],
)
def test_a_frame_is_read(kind: str, fields: dict[str, Any], frame: object) -> None:
    assert read_room_frame(kind, fields) == frame


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("join", {}), ("join", {"room": "a", "after": 1}), ("leave", {"x": 1}), ("ack", {"room": 1})],
)
def test_other_fields_are_refused(kind: str, fields: dict[str, Any]) -> None:
    read = read_room_frame(kind, fields)
    assert isinstance(read, BadFrame)
    assert read.code == "bad_fields"


def test_only_what_is_there_is_said() -> None:
    assert json.loads(published("[1]")) == {"type": "published", "data": [1]}
    told = json.loads(published("1", room="den", position="p", mark="m", replayed=True))
    assert told == {
        "type": "published",
        "room": "den",
        "position": "p",
        "ack": "m",
        "replayed": True,
        "data": 1,
    }


def test_a_shared_frame_is_text_with_a_topic() -> None:
    frame = SharedFrame("{}", "den")
    assert (frame, frame.topic, frame.wire) == ("{}", "den", b"")
