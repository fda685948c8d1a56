"""A store that loses its role: its replica is promoted, while connections stay on the old master.

The replica stops following a while before, so that it lacks the latest writes. The old master then
becomes a replica, before or after the balancer moves; or nobody reaches it, and it goes on taking
itself for the master.
"""

from typing import TYPE_CHECKING, Final

from tests.simulation.servers import replica_of

if TYPE_CHECKING:
    from tests.simulation.servers import Server
    from tests.simulation.world import Node, World

BEHIND: Final = (0.0, 0.05, 0.2, 0.6)
"""Seconds of writes that the replica may lack."""
DEMOTED: Final = (-0.5, -0.05, 0.0, 0.05, 0.5, None)
"""Seconds from the balancer's move to the old master's demotion; None if it never is."""


def fail_over(world: "World") -> None:
    """Let the replica stop following, and then take over."""
    if world.is_failing_over:
        return
    world.is_failing_over = True
    old = world.server
    new = replica_of(old, "second")
    old.is_followed = False
    moved_in = world.chance.choice(BEHIND)
    demoted = world.chance.choice(DEMOTED)
    if demoted is not None:
        moved_in = max(moved_in, -demoted)
        world.loop.call_later(moved_in + demoted, lambda: old.demote(world.loop.now))
    world.loop.call_later(moved_in, lambda: _take_over(world, old, new))
    node = world.chance.choice(world.nodes)
    node.spawn(_sign_in_and_be_lost(world, node))


async def _sign_in_and_be_lost(world: "World", node: "Node") -> None:
    """Sign in where the replica does not hear of it, and open sockets on every node."""
    before = len(world.tokens)
    await world.sign_in(node, world.chance.choice(["ann", "bob"]))
    for token, _ in world.tokens[before:]:
        for each in world.nodes:
            each.spawn(each.open_socket(token))


def _take_over(world: "World", old: "Server", new: "Server") -> None:
    world.truth.follow(new)
    world.rooms.follow(new)
    world.truth.take_over(old, new)
    world.balancer.target = new
