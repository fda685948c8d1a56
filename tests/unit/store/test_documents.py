"""Sealed documents: the header that scripts compare, the box that nobody can change."""

from typing import Final

import pytest
from redis.asyncio import Redis

from server.core.session import Json
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.documents import (
    Document,
    DocumentCodec,
    UnreadableDocument,
    UserDocuments,
    mark_of,
)
from server.store.scripts import Scripts
from tests.support.engine.keys import key
from tests.support.engine.quiet import Unreadable

OLD: Final = Sealer(Keyring.from_secrets([key("old")]))
BOTH: Final = Sealer(Keyring.from_secrets([key("new"), key("old")]))
CODEC: Final = DocumentCodec(BOTH, "a test")
CONTENT: Final[dict[str, Json]] = {"name": "é", "list": [1, None]}
RECORD: Final = CODEC.encode(CONTENT, "ann", revision=7, operation="op1", epoch="e1")
HEADER, _, BOX = RECORD.partition(b"\n")


def test_scripts_read_revision_operation_and_epoch_in_front_of_the_box() -> None:
    assert HEADER == b"7 op1 e1"
    without_epoch = CODEC.encode(CONTENT, "ann", revision=1, operation="op1")
    assert without_epoch.startswith(b"1 op1 \n")


def test_what_is_sealed_is_compact_json_in_ascii() -> None:
    opened = BOTH.open(BOX, purpose="a test", context="ann")
    assert opened is not None
    assert opened.plaintext == rb'{"name":"\u00e9","list":[1,null]}'


def test_a_document_opens_as_it_was_sealed() -> None:
    assert CODEC.decode(RECORD, "ann") == Document(CONTENT, 7, b"e1", stale_key=False)


def test_a_document_under_an_older_key_is_due_to_be_sealed_again() -> None:
    record = DocumentCodec(OLD, "a test").encode(CONTENT, "ann", revision=1, operation="op1")
    found = CODEC.decode(record, "ann")
    assert isinstance(found, Document)
    assert found.stale_key


def test_a_document_opens_for_its_owner_its_kind_and_its_keys_alone() -> None:
    assert CODEC.decode(RECORD, "bob") == UnreadableDocument(7)
    assert DocumentCodec(BOTH, "another").decode(RECORD, "ann") == UnreadableDocument(7)
    assert DocumentCodec(OLD, "a test").decode(RECORD, "ann") == UnreadableDocument(7)
    assert CODEC.decode(HEADER + b"\n" + BOX[:-1], "ann") == UnreadableDocument(7)


@pytest.mark.parametrize("revision", [b"", b"0", b"07", b"-7", b"7.0", b"x", b"9" * 16])
def test_a_revision_that_the_scripts_cannot_count_opens_nothing(revision: bytes) -> None:
    record = revision + b" op1 e1\n" + BOX
    assert CODEC.decode(record, "ann") == UnreadableDocument(0)


class Accounts(UserDocuments):
    """Documents that are saved like accounts."""

    def __init__(self, client: Redis) -> None:
        self.unreadable = Unreadable()
        super().__init__(
            client, Scripts(client), CODEC, "account", "curfew:{{00}}:{}".format,
            self.unreadable,
        )  # fmt: skip


async def test_of_two_saves_that_are_based_on_one_revision_the_first_wins(client: Redis) -> None:
    documents = Accounts(client)
    assert await documents.load("ann") is None
    assert await documents.save("ann", {"n": 1}, based_on=0, operation="a", args=["ann"])
    assert not await documents.save("ann", {"n": 2}, based_on=0, operation="b", args=["ann"])
    assert await documents.save("ann", {"n": 3}, based_on=1, operation="c", args=["ann"])
    assert await documents.load("ann") == Document({"n": 3}, 2, b"")


async def test_a_save_whose_reply_was_lost_may_be_repeated(client: Redis) -> None:
    documents = Accounts(client)
    for _ in range(2):
        assert await documents.save("ann", {"n": 1}, based_on=0, operation="a", args=["ann"])
    assert await documents.load("ann") == Document({"n": 1}, 1, b"")


async def test_a_document_that_does_not_open_is_reported(client: Redis) -> None:
    documents = Accounts(client)
    await client.set("curfew:{00}:ann", b"3 op1 \ngarbage")
    assert await documents.load("ann") == UnreadableDocument(3)
    assert documents.unreadable.users == ["ann"]


def test_a_mark_is_short_and_tells_operations_apart() -> None:
    marks = {mark_of(f"{number:032x}") for number in range(1000)}
    assert len(marks) == 1000
    assert {len(each) for each in marks} == {11}
    assert not any(set(each) & {" ", "\n", "="} for each in marks)
