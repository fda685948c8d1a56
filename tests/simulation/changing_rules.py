"""Settings that differ between nodes and change over time: nodes come with other session rules.

This is what an announced change looks like from the store: for a while some nodes judge the same
records by other rules. A session that lapsed by the rules of one lives by those of another, and
every end must find it all the same.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from server.core.errors import StoreUnavailable
from server.core.session import Rules

if TYPE_CHECKING:
    from tests.simulation.world import Node, World

MOST_NODES: Final = 5
BEFORE: Final = Rules(rotation_interval=timedelta(hours=1))
AFTER: Final = (
    replace(BEFORE, idle_timeout=timedelta(seconds=0.5)),
    replace(BEFORE, idle_timeout=timedelta(hours=3)),
    replace(BEFORE, absolute_timeout=timedelta(seconds=0.8)),
    replace(BEFORE, max_sessions_per_user=1),
    replace(
        BEFORE, rotation_interval=timedelta(seconds=0.2), rotation_grace=timedelta(seconds=0.2)
    ),
)
"""What a setting may be changed to."""


def change_rules(world: "World") -> None:
    """Start a node with other rules, on which people sign in, and whose sessions others end."""
    if len(world.nodes) < MOST_NODES:
        world.nodes[0].spawn(_join(world))


async def _join(world: "World") -> None:
    try:
        await world.add_node(world.chance.choice(AFTER))
    except StoreUnavailable:
        return  # it does not start during an outage
    node, user = world.nodes[-1], world.chance.choice(["ann", "bob"])
    for _ in range(world.chance.choice([1, 2])):
        node.spawn(_lapse_and_end(world, node, user))
        await asyncio.sleep(world.chance.uniform(0, 1))


async def _lapse_and_end(world: "World", node: "Node", user: str) -> None:
    """Let a session lapse where it was made, and end all of its user's elsewhere."""
    before = len(world.tokens)
    await world.sign_in(node, user)
    await asyncio.sleep(world.chance.uniform(0.3, 1.2))
    await world.sign_in(world.chance.choice(world.nodes), user)
    made = [session for _, session in world.tokens[before:] if session.user == user]
    if not made:
        return
    await world.chance.choice(world.nodes).end("user", made[0])
    for each in world.nodes:
        for token, _ in world.tokens[before:]:
            await each.request(token)
