"""What the engine needs of the streams between nodes: places in them, what a read returns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from server.core.events import Acknowledgement, EntryRejection, Event, Message


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a stream.

    Attributes:
        entry: id of the last entry that was read.
        count: how many entries had ever been added up to it. If more than that have been trimmed,
            some were trimmed unread.
        history: of the server that it was read from; empty if the server does not tell. In another
            history the same place may mean other entries.
    """

    entry: str
    count: int
    history: str = ""


Positions = Mapping[str, Position]
"""A position for each stream that is followed, by the stream's name."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read of the streams returned, in order.

    Attributes:
        events: of the control and message streams.
        acknowledgements: of this node's reply stream, and of those for all initiators.
        positions: where the next read begins.
        is_last: whether the streams had no more than this.
        lost_entries: whether control entries after the previous positions may be gone, because
            they were trimmed, the store lost its data, or another server has taken over, which may
            lack the last writes of the former. The batch is then incomplete.
        refused: why entries were refused, one for each.
        resume: where to go on after lost entries were made up for, if what came after the previous
            positions seems to be all there on another server; None for the ends of the streams.
        has_more: whether acknowledgements are left for the next read.
    """

    events: Sequence[Event]
    acknowledgements: Sequence[Acknowledgement]
    positions: Positions
    is_last: bool
    lost_entries: bool = False
    refused: Sequence[EntryRejection] = ()
    resume: Positions | None = None
    has_more: bool = False


def always() -> bool:
    """Return True: somebody waits for acknowledgements."""
    return True


class ControlLog(Protocol):
    """The streams that nodes follow by position."""

    async def tail(self) -> Positions:
        """Return the ends of the streams as they are now."""

    async def read(self, positions: Positions, awaits: Callable[[], bool] = always) -> Batch:
        """Return the entries after `positions`; wait a short time if there are none.

        Args:
            positions: where to begin.
            awaits: returns whether this node waits for acknowledgements now. If not, those for all
                initiators are skipped.
        """

    async def disconnect(self) -> None:
        """Drop the connection, whatever its state; the next read opens another."""

    async def acknowledge(self, initiator: str, acknowledgement: Acknowledgement) -> None:
        """Tell the initiator of some ends that this node has carried them out."""

    async def acknowledge_together(self, acknowledgement: Acknowledgement) -> None:
        """Tell the initiators of some ends, all at once, that this node has carried them out."""

    async def send(self, message: Message) -> None:
        """Append a message for sockets; it is delivered at most once."""
