"""Frames of an application's own, beside `message`: typed fields, and one method for each type.

class Game(SocketHandler):
@frame("move", x=int, y=int)
async def move(self, session: Session, x: int, y: int) -> None: ...
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from server.core.messages import BadFrame
from server.core.room_frames import BAD_FIELDS, ROOM_TYPES
from server.core.session import Json, Session
from server.realtime.socket_hooks import FrameHandler, FrameRefused

OURS: Final = ROOM_TYPES | {"ping", "activity", "message"}
_MARK: Final = "_curfew_frame"

Method = TypeVar("Method", bound=Callable[..., Any])


class FrameTaken(TypeError):
    """A type of frames that the protocol has already, or that has two handlers."""


def frame(kind: str, **fields: type) -> Callable[[Method], Method]:
    """Mark a method of a socket handler as the handler of a type of frames.

    The method gets the session and the fields, by name. A frame with other fields, or with values
    of other types, is answered by `error` and does not reach it.

    Args:
        kind: the type.
        fields: the type of each field's value: `str`, `int`, `float`, `bool`, `dict`, `list`; or
            `object` for any.

    Raises:
        FrameTaken: the protocol has this type already.
    """
    if kind in OURS:
        raise FrameTaken(kind)

    def mark(method: Method) -> Method:
        setattr(method, _MARK, (kind, fields))
        return method

    return mark


def own_frames_of(handler: type) -> dict[str, str]:
    """Return the names of the methods that are marked, by the type of frames.

    Raises:
        FrameTaken: two methods have one type.
    """
    found: dict[str, str] = {}
    for name in dir(handler):
        marked = getattr(getattr(handler, name, None), _MARK, None)
        if marked is None:
            continue
        if marked[0] in found:
            raise FrameTaken(marked[0])
        found[marked[0]] = name
    return found


def bound_frame(method: Callable[..., Any]) -> FrameHandler:
    """Return a marked method as the handler of its frames, which checks their fields first."""
    _, types = getattr(method, _MARK)

    async def handle(session: Session, fields: dict[str, Json]) -> None:
        if flaw := _flaw_of(fields, types):
            raise FrameRefused(flaw.code, flaw.detail)
        await method(session, **fields)

    return handle


def _flaw_of(fields: Mapping[str, Json], types: Mapping[str, type]) -> BadFrame | None:
    if fields.keys() != types.keys():
        return BAD_FIELDS
    for name, wanted in types.items():
        if not _is_a(fields[name], wanted):
            return BadFrame(BAD_FIELDS.code, f"The field {name} has another type.")
    return None


def _is_a(value: Json, wanted: type) -> bool:
    if wanted is object:
        return True
    if isinstance(value, bool):  # which Python takes for a number
        return wanted is bool
    return isinstance(value, int | float if wanted is float else wanted)
