"""What was said about a room, and what was delivered in it although it must not.

A removal that was answered holds for everything whose publication begins later, until the
application gives the right again. After a failover the new master counts: a removal that it never
got did not happen there, and what a node publishes on an old master that takes itself for one is
no concern of the removals that only the new one has.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from tests.simulation.servers import Server
from tests.support.engine.keys import KEY

if TYPE_CHECKING:
    from tests.simulation.wire import Wire

ROOM = "den"
SEALER = Sealer(Keyring.from_secrets([KEY]))


@dataclass
class _Out:
    """A time in which a user had no right.

    Attributes:
        begins: when the removal was answered.
        ends: when the right was given again.
        on: the servers that have the removal.
        epoch: of the room it was in.
    """

    begins: float
    on: list[Server]
    epoch: str
    ends: float = float("inf")


@dataclass
class _Publication:
    """A message.

    Attributes:
        begins: when its publication was asked for.
        done: when a server took it, by server.
    """

    begins: float
    done: dict[str, tuple[float, Server]] = field(default_factory=dict)


class RoomTruth:
    """Judges what is delivered in the room.

    Args:
        now: the time.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._rights: set[str] = set()
        self._given: dict[str, float] = {}
        self._out: dict[str, list[_Out]] = {}
        self._removals: dict[Server, list[tuple[str, int, float, str]]] = {}
        self._messages: dict[int, _Publication] = {}
        self.adding: Counter[str] = Counter()
        self.got: dict[int, set[Wire]] = {}

    def follow(self, server: Server) -> None:
        """Note what a server does; it has the removals that it copied from the one before."""
        room = server.memory.rooms.rooms.get(ROOM)
        latest, epoch = (room.number, room.epoch) if room else (0, "")
        for outs in self._out.values():
            for out in outs:
                number = getattr(out, "number", 0)
                if number <= latest and out.epoch == epoch and out.on:
                    out.on.append(server)
        self._removals[server] = []
        rooms = server.memory.rooms
        rooms.on_publish = lambda box: self._published(server, box)
        rooms.on_add = self._added
        rooms.on_remove = lambda user, number: self._removals[server].append(
            (user, number, self._now(), rooms.rooms[ROOM].epoch)
        )

    def give(self, user: str) -> None:
        """Give a right in the application's own data."""
        self._rights.add(user)
        self._given[user] = self._now()
        for out in self._out.get(user, ()):
            out.ends = min(out.ends, self._now())

    def _added(self, user: str) -> None:
        """Note that a user was added. It may be by a request that the removal overtook."""
        if self.adding[user]:
            for out in self._out.get(user, ()):
                out.ends = min(out.ends, self._now())

    def take(self, user: str) -> None:
        """Take it away there."""
        self._rights.discard(user)

    def may_join(self, user: str) -> bool:
        """Return whether the application lets a user in."""
        return user in self._rights

    def removed(self, user: str, asked_at: float) -> None:
        """Note that a removal was answered."""
        if self._given.get(user, -1.0) >= asked_at:
            return  # given again while the removal was under way, and perhaps taken since
        if self.adding[user]:
            return  # the application adds and removes at the same time
        for server, removals in self._removals.items():
            for who, number, at, epoch in reversed(removals):
                if who == user and at >= asked_at:
                    out = _Out(self._now(), [server], epoch)
                    out.number = number  # type: ignore[attr-defined]
                    self._out.setdefault(user, []).append(out)
                    break

    def publishing(self) -> int:
        """Return the number of a new message."""
        number = len(self._messages) + 1
        self._messages[number] = _Publication(self._now())
        return number

    def delivered(self, wire: "Wire", frame: str, violations: list[str]) -> None:
        """Judge what a socket gets."""
        told = json.loads(frame)
        number, (epoch, _, place) = told["data"], told["position"].partition(".")
        if epoch != wire.joined:
            violations.append(f"{wire.user} got a message of a life of the room that it is not in")
        if int(place) <= wire.last.get(epoch, 0):
            violations.append(f"message {place} of the room came again, or out of order")
        wire.last[epoch] = int(place)
        self.got.setdefault(number, set()).add(wire)
        message = self._messages[number]
        for out in self._out.get(wire.user, ()):
            for done, server in message.done.values():
                if server in out.on and message.begins >= out.begins and done < out.ends:
                    late = message.begins - out.begins
                    violations.append(
                        f"{wire.user} got what was published {late:.4f} s after the removal"
                    )

    def _published(self, server: Server, box: bytes) -> None:
        opened = SEALER.open(box, purpose="room message 1", context=ROOM)
        assert opened is not None
        self._messages[int(opened.plaintext)].done[server.history] = (self._now(), server)
