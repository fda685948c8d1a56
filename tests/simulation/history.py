"""One seeded history: random faults and acts, then a time without faults, then the checks."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.core.messages import CloseCode
from server.core.receipt import NodeCounts
from server.engine import Engine
from server.store.contract import Stored
from tests.simulation.changing_rules import change_rules
from tests.simulation.failing_over import fail_over
from tests.simulation.wire import Wire
from tests.simulation.world import HASTY, Change, Node, World

STEPS = 14
PEACE = 6.0
"""Seconds without faults at the end: longer than holding, comparing and one retry take."""
LIVE_CODES = {None, CloseCode.UNVERIFIED}
"""How the socket of a live session may end up: open, or asked to come back."""


class HistoryFailed(AssertionError):
    """A history broke a promise. Its seed replays it exactly."""


def unchanged(engine: Engine) -> None:
    """Leave the engine as it is."""
    del engine


def run_history(seed: int, change: Change = unchanged, story: "Story | None" = None) -> None:
    """Run the history of a seed.

    Args:
        seed: decides everything that happens.
        change: breaks each engine on purpose.
        story: what happens beside the usual acts.

    Raises:
        HistoryFailed: the seed, and what went wrong.
    """
    world = World(seed, change)
    world.loop.run(_history(world, story or NOTHING_ELSE))
    problems = world.truth.violations + [str(each) for each in world.loop.failures]
    if problems:
        raise HistoryFailed(f"seed {seed}: {problems[0]} ({len(problems)} in all)")


async def _history(world: World, story: "Story") -> None:
    acts, weights = [*ACTS, *story.acts], [*WEIGHTS, *story.weights]
    story.begin(world)
    for _ in range(world.chance.choice([2, 2, 3])):
        await world.add_node()
    if world.chance.random() < 0.2:
        await world.add_node(HASTY)
    for user in ("ann", "ann", "bob"):
        await world.sign_in(world.nodes[0], user)
    for node in world.nodes:
        for token, _ in world.tokens:
            node.spawn(node.open_socket(token))
    for _ in range(STEPS):
        await asyncio.sleep(world.chance.choice([0.001, 0.02, 0.2, 0.6]) * world.chance.random())
        world.chance.choices(acts, weights)[0](world)
    make_peace(world)
    await asyncio.sleep(PEACE)
    _check_all(world)
    story.check(world)
    for node in world.nodes:
        await _check_receipt_of_peace(world, node)


def make_peace(world: World) -> None:
    """End all faults."""
    for each in world.truth.servers:
        each.thaw()
    for node in world.nodes:
        node.link.heal()
        if not world.is_failing_over:  # a node must leave an old master by itself
            node.link.reset()
        world.loop.go_on(node.name)


def _check_all(world: World) -> None:
    """Check that ends have reached every node, and that nobody else was signed out."""
    for node in world.nodes:
        if not node.engine.fence.is_open:
            world.truth.violations.append(f"{node.name} did not come back")
        for wire in node.wires:
            _check_socket(world, wire)


def _check_socket(world: World, wire: Wire) -> None:
    code, sid = wire.code, wire.sid
    if not isinstance(world.memory.load(sid), Stored):
        if code is None:
            world.truth.violations.append(f"a socket of {sid} outlived its session")
    elif code not in LIVE_CODES and not wire.is_excused and not world.truth.ended_before(sid):
        world.truth.violations.append(f"a socket of {sid}, which is live, was closed with {code}")


async def _check_receipt_of_peace(world: World, node: Node) -> None:
    """Check that an end without faults is confirmed by every node."""
    receipt = await node.spawn(node.end("user", world.tokens[0][1]))
    counted = receipt and receipt.nodes
    if counted != NodeCounts(acked=len(world.nodes)):
        world.truth.violations.append(f"without faults, {node.name} got {counted}")


def _node(world: World) -> Node:
    return world.chance.choice(world.nodes)


def _open(world: World) -> None:
    node, (token, _) = _node(world), world.chance.choice(world.tokens)
    node.spawn(node.open_socket(token))


def _ask(world: World) -> None:
    node, (token, _) = _node(world), world.chance.choice(world.tokens)
    node.spawn(node.request(token))


def _write(world: World) -> None:
    node, (token, _) = _node(world), world.chance.choice(world.tokens)
    node.spawn(node.write(token))


def _talk(world: World) -> None:
    for node in world.nodes:
        node.spawn(node.message())


def _end(world: World) -> None:
    """End something, often while a socket of it opens and others send messages."""
    node, (token, session) = _node(world), world.chance.choice(world.tokens)
    opener = _node(world)
    if world.chance.random() < 0.7:
        opener.spawn(opener.open_socket(token))
    what = world.chance.choices(["session", "user", "everything"], [6, 3, 1])[0]
    delay = world.chance.choice([0.0, 0.001, 0.004, 0.01])
    world.loop.call_later(delay, lambda: node.spawn(node.end(what, session)))
    for later in (0.1, 0.9, 1.3, 2.0):
        world.loop.call_later(later, lambda: _talk(world))


def _sign_in(world: World) -> None:
    node = _node(world)
    node.spawn(world.sign_in(node, world.chance.choice(["ann", "bob"])))


def _pause(world: World) -> None:
    """Pause a node, often with frames on their way to its sockets and an end meanwhile."""
    node, seconds = _node(world), world.chance.choice([0.1, 0.8, 1.5, 3.0])
    if world.chance.random() < 0.7:
        _talk(world)
    if world.chance.random() < 0.5:
        world.loop.call_later(seconds * world.chance.random(), lambda: _end(world))
    begins = world.chance.uniform(0, 0.008)
    world.loop.call_later(begins, lambda: world.loop.pause(node.name))
    world.loop.call_later(begins + seconds, lambda: world.loop.go_on(node.name))


def _cut(world: World) -> None:
    link = _node(world).link
    link.loses_requests = world.chance.random() < 0.6
    link.loses_replies = not link.loses_requests or world.chance.random() < 0.5
    world.loop.call_later(world.chance.choice([0.1, 0.7, 1.6, 4.0]), link.heal)


def _slow(world: World) -> None:
    link = _node(world).link
    link.slowest = world.chance.choice([0.05, 0.2])
    world.loop.call_later(world.chance.choice([0.5, 2.0]), link.heal)


def _reset(world: World) -> None:
    _node(world).link.reset()


def _freeze(world: World) -> None:
    server = world.server
    server.freeze()
    world.loop.call_later(world.chance.choice([0.1, 0.6, 1.4, 4.5]), server.thaw)


def _trim(world: World) -> None:
    world.memory.control.trim()


def _lapse(world: World) -> None:
    """Let a session lapse on a node with short timeouts, and end all of its user's elsewhere."""
    node, user = world.nodes[-1], world.chance.choice(["ann", "bob"])
    node.spawn(_lapse_and_end(world, node, user))


async def _lapse_and_end(world: World, node: Node, user: str) -> None:
    await world.sign_in(node, user)
    token, session = world.tokens[-1]
    await asyncio.sleep(world.chance.uniform(0.4, 0.8))
    await world.sign_in(node, user)
    await _node(world).end("user", session)
    for each in world.nodes:
        await each.request(token)


def _set_clock(world: World) -> None:
    """Set the store's clock, often around an end, and often right again later."""
    by = world.chance.choice([-600, -120, -5, -1, 1, 5, 120, 600])
    world.clock_error += by
    if world.chance.random() < 0.7:
        world.loop.call_later(world.chance.choice([0.001, 0.02, 0.2]), lambda: _end(world))
    if world.chance.random() < 0.5:
        world.loop.call_later(world.chance.uniform(0.2, 2), lambda: _set_right(world))


def _lose_list(world: World) -> None:
    """Lose the list of nodes, as a store does that comes back with older data."""
    world.truth.lost_list(world.memory.nodes)
    world.memory.nodes.clear()
    world.memory.renewals.clear()
    world.loop.call_later(world.chance.choice([0.001, 0.1, 0.4]), lambda: _end(world))


def _fail_over(world: World) -> None:
    """Promote the replica, with ends and sign-ins around it."""
    for later in (0.005, 0.05, 0.3, 0.8):
        if world.chance.random() < 0.5:
            act = world.chance.choice([_end, _end, _sign_in, _open])
            world.loop.call_later(later * world.chance.random() * 2, act, world)
    fail_over(world)


def _set_right(world: World) -> None:
    world.clock_error = 0.0


Act = Callable[[World], object]
_WEIGHTED: list[tuple[Act, int]] = [
    (_end, 6),
    (_open, 3),
    (_ask, 3),
    (_write, 2),
    (_talk, 3),
    (_sign_in, 1),
    (_pause, 4),
    (_cut, 4),
    (_slow, 2),
    (_reset, 2),
    (_freeze, 2),
    (_trim, 1),
    (_lapse, 1),
    (change_rules, 1),
    (_set_clock, 2),
    (_lose_list, 1),
    (_fail_over, 1),
]
ACTS = [act for act, _ in _WEIGHTED]
WEIGHTS = [weight for _, weight in _WEIGHTED]


@dataclass(frozen=True)
class Story:
    """What happens in a history beside the usual acts.

    Attributes:
        begin: called first.
        acts: may happen at each step, by their weights.
        weights: as `WEIGHTS`.
        check: called when all is quiet again.
    """

    begin: Act = id
    acts: Sequence[Act] = ()
    weights: Sequence[int] = ()
    check: Act = id


NOTHING_ELSE = Story()
