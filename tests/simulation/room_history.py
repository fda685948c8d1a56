"""Histories of rooms: the faults of every other history, with rights given and taken meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from server.core.errors import StoreUnavailable
from server.core.rooms import Member, Published, RoomOptions, ToRoom
from server.store.contract import Stored
from tests.simulation.history import ACTS, PEACE, WEIGHTS, Act, HistoryFailed, make_peace, unchanged
from tests.simulation.room_truth import ROOM
from tests.simulation.world import Change, Node, World

STEPS = 18
USERS = ("ann", "bob")
JOIN = f'{{"type":"join","room":"{ROOM}"}}'
LEAVE = f'{{"type":"leave","room":"{ROOM}"}}'
MAKING_AGAIN = 6
"""How often the room is made again, as `WEIGHTS`."""
AFTER = 1.5
"""Seconds in which a message reaches every member without faults."""


def run_room_history(seed: int, change: Change = unchanged, *, is_made_again: bool = False) -> None:
    """Run the history of a seed.

    Args:
        seed: decides everything that happens.
        change: breaks each engine on purpose.
        is_made_again: whether the room may be deleted and made again.

    Raises:
        HistoryFailed: the seed, and what went wrong.
    """
    world = World(seed, change, has_rooms=True)
    again = [(_make_again, MAKING_AGAIN)] if is_made_again else []
    world.loop.run(_history(world, again))
    problems = world.truth.violations + [str(each) for each in world.loop.failures]
    if problems:
        raise HistoryFailed(f"seed {seed}: {problems[0]} ({len(problems)} in all)")


async def _history(world: World, more: Sequence[tuple[Act, int]]) -> None:
    acts = [*ROOM_ACTS, *ACTS, *(act for act, _ in more)]
    weights = [*ROOM_WEIGHTS, *WEIGHTS, *(weight for _, weight in more)]
    world.memory.rooms.create(ROOM, "e1", RoomOptions(presence=world.chance.random() < 0.5))
    for _ in range(world.chance.choice([2, 2, 3])):
        await world.add_node()
    for user in ("ann", "ann", "bob"):
        await world.sign_in(world.nodes[0], user)
    await _grant(world, world.nodes[0], world.chance.choice(USERS))
    for node in world.nodes:
        for token, _ in world.tokens:
            node.spawn(node.open_socket(token))
    for _ in range(STEPS):
        await asyncio.sleep(world.chance.choice([0.001, 0.02, 0.2, 0.6]) * world.chance.random())
        world.chance.choices(acts, weights)[0](world)
    make_peace(world)
    await asyncio.sleep(PEACE)
    if more:
        await world.nodes[0].spawn(_create(world, world.nodes[0]))
    await _check_peace(world)


async def _check_peace(world: World) -> None:
    """Check that without faults a message reaches every socket of a member that is open."""
    node = world.nodes[0]
    world.rooms.give("ann")
    await node.spawn(node.engine.rooms.add(ROOM, user="ann"))
    await asyncio.sleep(AFTER)
    # A node that was taken for gone may find out by this one; its sockets are told that it is lost.
    await _publish_on(world, node)
    await asyncio.sleep(AFTER)
    number = world.rooms.publishing()
    await node.spawn(node.engine.rooms.publish(ToRoom(ROOM), number))
    await asyncio.sleep(AFTER)
    for each in world.nodes:
        for wire in each.wires:
            lives = isinstance(world.memory.load(wire.sid), Stored)
            got = wire in world.rooms.got.get(number, ())
            if wire.user == "ann" and lives and wire.code is None and not got:
                world.truth.violations.append(f"without faults, {each.name} did not get a message")
    _check_presence(world)


def _check_presence(world: World) -> None:
    """Check that the store has exactly the sockets that are in the room."""
    open_wires = [
        (Member(wire.user, wire.sid), node.name)
        for node in world.nodes
        for wire in node.wires
        if wire.code is None and wire.is_in_room
    ]
    counted = world.memory.rooms.rooms[ROOM].present
    if counted != Counter(open_wires):
        world.truth.violations.append(f"{counted} are present, {Counter(open_wires)} are open")


def _node(world: World) -> Node:
    return world.chance.choice(world.nodes)


def _publish(world: World) -> None:
    node = _node(world)
    node.spawn(_publish_on(world, node))


async def _publish_on(world: World, node: Node) -> Published | None:
    number = world.rooms.publishing()
    try:
        sent = await node.engine.rooms.publish(ToRoom(ROOM), number)
    except StoreUnavailable:
        return None
    return sent if isinstance(sent, Published) else None


def _give(world: World) -> None:
    node, user = _node(world), world.chance.choice(USERS)
    node.spawn(_grant(world, node, user))


async def _grant(world: World, node: Node, user: str) -> None:
    """Give a right; half of the time the sockets ask by themselves."""
    world.rooms.give(user)
    if world.chance.random() < 0.6:
        world.rooms.adding[user] += 1
        try:
            await node.engine.rooms.add(ROOM, user=user)
        except StoreUnavailable:
            return
        finally:
            world.rooms.adding[user] -= 1
    else:
        _ask(world)


def _take(world: World) -> None:
    """Take a right away, often while sockets ask for it, and publish as soon as it is gone."""
    node, user = _node(world), world.chance.choice(USERS)
    if world.chance.random() < 0.5:
        _ask(world)
    else:
        _open(world, user)
    delay = world.chance.choice([0.0, 0.001, 0.004, 0.01, 0.02])
    world.loop.call_later(delay, lambda: node.spawn(_remove(world, node, user)))


async def _remove(world: World, node: Node, user: str) -> None:
    asked_at = world.loop.now
    world.rooms.take(user)
    try:
        await node.engine.rooms.remove(ROOM, user=user)
    except StoreUnavailable:
        return
    world.rooms.removed(user, asked_at)
    for _ in range(world.chance.choice([1, 3])):
        await _publish_on(world, node)


def _ask(world: World) -> None:
    """Let some sockets ask to join."""
    for node in world.nodes:
        for wire in node.wires:
            if wire.code is None and wire.socket is not None and world.chance.random() < 0.5:
                node.spawn(wire.socket.receive(JOIN))


def _open(world: World, user: str) -> None:
    """Open sockets of a user, which enter the room if the server has added the user."""
    for token, made in world.tokens:
        if made.user == user:
            opener = _node(world)
            opener.spawn(opener.open_socket(token))


def _leave(world: World) -> None:
    node = _node(world)
    for wire in node.wires:
        if wire.code is None and wire.socket is not None and world.chance.random() < 0.5:
            node.spawn(wire.socket.receive(LEAVE))


def _lose_removal(world: World) -> None:
    """Trim a removal that a paused node has not read; what is published then it will read."""
    paused, node, user = _node(world), _node(world), world.chance.choice(USERS)
    world.loop.pause(paused.name)
    world.loop.call_later(0.2, lambda: world.loop.go_on(paused.name))
    if paused is not node:
        node.spawn(_remove_and_trim(world, node, paused, user))


async def _remove_and_trim(world: World, node: Node, paused: Node, user: str) -> None:
    asked_at = world.loop.now
    world.rooms.take(user)
    try:
        await node.engine.rooms.remove(ROOM, user=user)
    except StoreUnavailable:
        return
    _trim(world, paused)
    world.rooms.removed(user, asked_at)
    await _publish_on(world, node)


def _lose_inbox(world: World) -> None:
    """Lose what is in the inbox of a node, as a store does that trims it."""
    _trim(world, _node(world))


def _trim(world: World, node: Node) -> None:
    inbox = world.memory.rooms.inboxes.get(node.name, [])
    inbox[:] = [None] * len(inbox)


def _make_again(world: World) -> None:
    """Delete the room, and make it again, perhaps at once; then people come again."""
    node = _node(world)
    node.spawn(_delete_and_create(world, node))
    for later in (0.01, 0.1):
        world.loop.call_later(later, lambda: _ask(world))
    world.loop.call_later(0.15, lambda: _give(world))
    world.loop.call_later(0.3, lambda: _publish(world))


async def _delete_and_create(world: World, node: Node) -> None:
    with suppress(StoreUnavailable):
        await node.engine.rooms.delete(ROOM)
    await asyncio.sleep(world.chance.choice([0.0, 0.0, 0.02, 0.1]))
    with suppress(StoreUnavailable):
        await _create(world, node)


async def _create(world: World, node: Node) -> None:
    options = RoomOptions(presence=world.chance.random() < 0.5)
    await node.engine.rooms.create(ROOM, options)


_WEIGHTED: list[tuple[Act, int]] = [
    (_publish, 9),
    (_give, 5),
    (_take, 8),
    (_ask, 3),
    (_leave, 1),
    (_lose_inbox, 2),
    (_lose_removal, 3),
]
ROOM_ACTS = [act for act, _ in _WEIGHTED]
ROOM_WEIGHTS = [weight for _, weight in _WEIGHTED]
