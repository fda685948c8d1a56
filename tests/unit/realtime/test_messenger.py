"""Messages between a user's sockets: sealed in the store, and delivered to the others only."""

import json

import pytest

from server.core.errors import StoreUnavailable
from server.core.events import MessageSent
from server.core.session import Json
from server.realtime.messenger import PURPOSE, Messenger
from tests.support.engine.memory_node import SEALER, Client, MemoryNode
from tests.support.engine.virtual_time import on_virtual_time, settle

DATA: Json = {"text": "meet me at the café", "list": [1, None, {"deep": True}]}


class Talking:
    """A node with two sockets of Ann's and one of Ben's."""

    def __init__(self) -> None:
        self.node = MemoryNode()
        self.node.open_fence()
        self.messenger: Messenger = self.node.engine.socket_dependencies.messenger

    async def arrive(self) -> list[Client]:
        """Sign in, and open the sockets."""
        clients = [
            await self.node.connect(await self.node.sign_in(user)) for user in ("ann", "ann", "ben")
        ]
        await settle()
        return clients

    async def sent(self, user: str, connection: str) -> MessageSent:
        """Send a message; return it as the store has it."""
        await self.messenger.send(user, connection, DATA)
        [(_, entry)] = self.node.memory.messages.entries
        assert isinstance(entry, MessageSent)
        return entry


@on_virtual_time
async def test_a_message_arrives_at_the_users_other_sockets_as_it_was_sent() -> None:
    talking = Talking()
    sender, receiver, other = await talking.arrive()
    message = await talking.sent("ann", sender.socket.id)
    talking.messenger.deliver(message)
    await settle()
    frame = receiver.peer.frames[-1]
    assert frame == {"type": "message", "from": sender.socket.id, "data": DATA}
    assert (sender.peer.types(), other.peer.types()) == (["hello"], ["hello"])


@on_virtual_time
async def test_the_store_learns_nothing_of_what_is_said() -> None:
    talking = Talking()
    message = await talking.sent("ann", "s1")
    assert b"meet" not in message.box
    assert json.dumps(DATA).encode() not in message.box


@on_virtual_time
async def test_a_message_that_was_moved_to_another_user_is_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    talking = Talking()
    *_, other = await talking.arrive()
    message = await talking.sent("ann", "s1")
    talking.messenger.deliver(MessageSent("ben", message.connection, message.box))
    await settle()
    assert other.peer.types() == ["hello"]
    assert "a message did not open and was dropped" in caplog.text


@on_virtual_time
async def test_what_is_sealed_for_another_purpose_is_no_message() -> None:
    talking = Talking()
    receiver, *_ = await talking.arrive()
    box = SEALER.seal(b"1", purpose=PURPOSE + " of another kind", context="ann")
    talking.messenger.deliver(MessageSent("ann", "s1", box))
    await settle()
    assert receiver.peer.types() == ["hello"]


@on_virtual_time
async def test_a_message_that_may_not_have_been_sent_is_a_failure_and_not_sent_again() -> None:
    talking = Talking()
    talking.node.link.loses_replies = True
    with pytest.raises(StoreUnavailable):
        await talking.messenger.send("ann", "s1", DATA)
    assert talking.node.memory.messages.added == 1
