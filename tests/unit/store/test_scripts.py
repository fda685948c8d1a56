"""The scripts: run by their hash, loaded again where they are gone, and described by a header."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis

from server.core.errors import StoreUnavailable
from server.core.receipt import Durability
from server.core.store_url import Place
from server.store.connection import open_client
from server.store.master import MasterLink, MasterUnknown
from server.store.scripts import FOLDER, Scripts, source_of
from tests.support.servers.valkey import ValkeyServer

NAMES = ["curfew:{00}:account:ann"]
ARGS: list[str | bytes | int] = ["o1", 0, "1 o1 \nbox", "ann"]


async def test_a_script_that_the_server_lost_is_loaded_again(
    scripts: Scripts, raw: redis.Redis
) -> None:
    assert await scripts.run("save_account", NAMES, ARGS) == b"saved"
    raw.script_flush()
    assert await scripts.run("save_account", NAMES, ["o2", *ARGS[1:]]) == b"conflict"


@pytest.mark.parametrize("times", [1, 9])
async def test_a_script_that_is_loaded_into_one_server_and_sent_to_another_is_sent_again(
    client: Redis, raw: redis.Redis, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """As during a failover: each command takes a connection of its own."""
    load, loaded = client.script_load, 0

    async def load_elsewhere(text: str) -> str:
        nonlocal loaded
        digest = str(await load(text))
        loaded += 1
        if loaded <= times:
            raw.script_flush()
        return digest

    raw.script_flush()
    monkeypatch.setattr(client, "script_load", load_elsewhere)
    if times == 1:
        assert await Scripts(client).run("save_account", NAMES, ARGS) == b"saved"
    else:
        with pytest.raises(StoreUnavailable, match="save_account"):
            await Scripts(client).run("save_account", NAMES, ARGS)
    assert loaded == 2


async def test_without_replicas_none_are_waited_for(scripts: Scripts) -> None:
    reply, confirmed = await scripts.run_confirmed("save_account", NAMES, ARGS)
    assert (reply, confirmed.replicated) == (b"saved", None)


async def test_an_end_that_no_replica_has_is_told_as_such(client: Redis, raw: redis.Redis) -> None:
    raw.script_flush()
    scripts = Scripts(client, replicas=1)
    reply, confirmed = await scripts.run_confirmed("save_account", NAMES, ARGS)
    assert (reply, confirmed.replicated) == (b"saved", False)
    assert raw.get(NAMES[0]) == b"1 o1 \nbox"


SOURCES = sorted(FOLDER.glob("*.lua"))
each_script = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


@each_script
def test_a_header_lists_every_key_and_says_what_is_returned(source: Path) -> None:
    text = source.read_text("utf-8")
    header = text[: re.search(r"^(?!--|#!)", text, re.MULTILINE).start()]  # type: ignore[union-attr]
    keys = re.search(r"KEYS(.*?)(?=\n-- (?:ARGV|Returns))", header, re.DOTALL)
    assert keys is not None
    numbers = [int(each) for each in re.findall(r"(?<= )(\d+)…? ", keys[1])]
    assert numbers == list(range(1, len(numbers) + 1))
    used = {int(each) for each in re.findall(r"KEYS\[(\d+)\]", text)}
    assert used <= set(numbers)
    assert "\n-- Returns " in header


def test_shared_parts_are_put_in_place_of_their_names() -> None:
    parts = sorted((FOLDER / "parts").glob("*.lua"))
    assert parts
    sources = [source_of(each) for each in SOURCES]
    assert not any(re.search("^-- include", each, re.MULTILINE) for each in sources)
    for part in parts:
        text = part.read_text("utf-8")
        assert sum(text in each for each in sources) > 1


@each_script
def test_an_argument_that_is_used_is_in_the_header(source: Path) -> None:
    text = source.read_text("utf-8")
    arguments = re.search(r"-- ARGV(.*?)(?=\n-- Returns|\n--\n)", text, re.DOTALL)
    used = {int(each) for each in re.findall(r"ARGV\[(\d+)\]", text)}
    listed = (
        [int(each) for each in re.findall(r"(?<= )(\d+)…? ", arguments[1])] if arguments else []
    )
    assert used <= set(listed)
    assert all(before < after for before, after in pairwise(listed))


def test_every_script_is_run_and_every_run_is_of_a_script() -> None:
    called: set[str] = set()
    for file in FOLDER.parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="run" | "run_confirmed"),
                    args=[ast.Constant(str(name)), *_],
                ):
                    called.add(name)
    by_kind = {"save_account", "save_activity"}  # `UserDocuments` makes these names
    assert called | by_kind == {source.stem for source in SOURCES}


@each_script
def test_a_stream_is_trimmed_whenever_it_is_appended_to(source: Path) -> None:
    appends = re.findall(r"redis\.call\('XADD', \S+, (.*?), '\*'", source.read_text("utf-8"))
    assert set(appends) <= {"'MAXLEN', '~', 10000"}


class Replaced:
    """Sentinels that hear of another master, while this many ends are written."""

    def __init__(self, times: int) -> None:
        self.place: Place | None = Place("old", 1)
        self.vouched_at = 0.0
        self.times = times
        self.asked: list[float] = []

    async def find(self) -> Place:
        """Return where the master is."""
        assert self.place
        return self.place

    async def confirm(self, since: float) -> Place:
        """Return where it is by now."""
        self.asked.append(since)
        if self.times:
            self.times -= 1
            self.place = Place("new", self.times)
        return await self.find()

    def doubt(self) -> None:
        """Do nothing."""


class Elsewhere(MasterLink):
    """A link with such a finder, whose connections lead where the address does."""

    def has_left(self, place: Place | None) -> bool:  # noqa: ARG002 it is whom it leads to
        """No connection leads elsewhere."""
        return False


@pytest.mark.parametrize("confirmed", [True, False])
async def test_what_must_count_is_written_again_if_another_master_was_made(
    client: Redis, raw: redis.Redis, *, confirmed: bool
) -> None:
    finder = Replaced(times=1)
    scripts = Scripts(client, link=Elsewhere(finder=finder))
    raw.config_resetstat()
    if confirmed:
        reply, _ = await scripts.run_confirmed("save_account", NAMES, ARGS)
    else:
        reply = await scripts.run("save_account", NAMES, ARGS, must_count=True)
    assert reply == b"saved"  # by its operation id: the second run answers like the first
    assert len(finder.asked) == 2
    assert raw.info("commandstats")["cmdstat_evalsha"]["calls"] >= 2


async def test_what_went_to_no_master_twice_is_not_said_to_be_done(client: Redis) -> None:
    scripts = Scripts(client, link=Elsewhere(finder=Replaced(times=2)))
    with pytest.raises(StoreUnavailable) as error:
        await scripts.run_confirmed("save_account", NAMES, ARGS)
    assert isinstance(error.value.__cause__, MasterUnknown)


async def test_other_writes_ask_nobody(client: Redis) -> None:
    finder = Replaced(times=1)
    await Scripts(client, link=Elsewhere(finder=finder)).run("save_account", NAMES, ARGS)
    assert finder.asked == []


async def test_an_answer_that_proves_nothing_is_asked_for_once_more() -> None:
    """A script that finds its work done writes nothing, and the store has nothing to say of it."""
    with ValkeyServer(appendonly="yes", appendfsync="always") as durable:
        async with open_client(durable.url) as client:
            scripts = Scripts(client)
            await scripts.run_confirmed("save_account", NAMES, ARGS)
            reply, confirmed = await scripts.run_confirmed("save_account", NAMES, ["o2", *ARGS[1:]])
    assert (reply, confirmed.durability) == (b"conflict", Durability.FSYNC)


async def test_if_the_second_question_is_not_answered_nothing_is_known(scripts: Scripts) -> None:
    async def silent() -> None:
        raise StoreUnavailable("end", "TimeoutError")

    found = await scripts._durability_of_another(silent, "end")  # type: ignore[arg-type]
    assert found is Durability.UNKNOWN
