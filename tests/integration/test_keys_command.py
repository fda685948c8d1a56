"""Secret keys come, move to the front and go: nobody is signed out who need not be."""

import re
import shlex
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from handlers.http.cookie import SessionCookie
from server.core.token import issue_token
from server.crypto.keyring import Keyring, parse_secret, version_of
from server.crypto.sealer import Sealer, version_of_box
from server.store.codec import SessionCodec
from server.store.contract import Stored
from server.store.names import ShardNames
from tests.docs.markdown import blocks, page
from tests.support.clients.client import COOKIE, PASSWORD, Client, frame
from tests.support.clients.sockets import end_of
from tests.support.engine.keys import key, text_of
from tests.support.running.processes import eventually
from tests.support.servers.server import CurfewServer

NAMES = ShardNames(0)
PAGE = page("docs/howto/rotate-secret-keys.md")
KEY_A, KEY_B, KEY_C = (text_of(key(each)) for each in "abc")


@pytest.fixture
def server() -> Iterator[CurfewServer]:
    with CurfewServer() as running:
        yield running


def keys_of(server: CurfewServer) -> list[str]:
    """The key file's."""
    return (server.data_dir / "secret_keys").read_text("ascii").split()


def versions_of(server: CurfewServer) -> list[str]:
    """Their versions, newest first."""
    return [str(version_of(parse_secret(each))) for each in keys_of(server)]


def keys(server: CurfewServer, *words: str) -> str:
    """What `keys …` prints when it succeeds."""
    answer = server.command("keys", *words)
    assert answer.returncode == 0, answer.stderr
    assert not any(key in answer.stdout + answer.stderr for key in keys_of(server))
    return answer.stdout


def refused(server: CurfewServer, *words: str) -> str:
    """What `keys …` says when it refuses, and changes nothing."""
    before = keys_of(server)
    answer = server.command("keys", *words)
    assert answer.returncode == 1, answer.stdout
    assert keys_of(server) == before
    return answer.stderr


def restart(server: CurfewServer) -> None:
    """Stop it in good order, and start it again."""
    server.stop()
    server.start()


async def is_live(client: Client) -> bool:
    """Whether the session is served."""
    return (await client.request("GET", "/api/session")).status_code == 200


@pytest.mark.proves("A7", "11.2.2", "13.3.4")
async def test_a_key_comes_and_its_predecessor_goes_without_signing_anybody_out(
    server: CurfewServer,
) -> None:
    async with Client(server.url) as ann, Client(server.url) as away:
        await ann.sign_up("ann")
        await away.sign_up("away")
        (old,), signed_by_old = versions_of(server), ann.cookie
        keys(server, "add", "--last")
        assert versions_of(server)[0] == old
        new = versions_of(server)[1]
        mode = (server.data_dir / "secret_keys").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert "1 of 1 running server does not have" in refused(server, "promote", new)
        restart(server)
        assert await is_live(ann)
        assert ann.cookie == signed_by_old
        keys(server, "promote", new)
        assert versions_of(server) == [new, old]
        restart(server)

        assert await is_live(ann)
        assert ann.cookie != signed_by_old
        listed = keys(server, "list").splitlines()
        assert listed[0].startswith(f"1  {new}  1 session, 0 accounts and ")
        assert "cookies for 13 h" in listed[0]
        assert listed[0].endswith("had by 1 and written with by 1 of 1 server")
        assert listed[1].startswith(f"2  {old}  1 session, 2 accounts and ")
        assert "are still under" in refused(server, "retire")
        assert re.match(r"[3-9] records were sealed again", keys(server, "reseal"))
        assert "cookies" in refused(server, "retire")
        assert await is_live(away)  # and has a new cookie now
        with server.owner() as raw:
            assert raw.delete(NAMES.signing_key(int(old))) == 1  # as if 13 hours had passed
        keys(server, "retire")
        assert versions_of(server) == [new]
        restart(server)

        assert await is_live(ann)
        assert await is_live(away)
        await away.sign_in("away")
        ann.cookie = signed_by_old
        assert not await is_live(ann)


@pytest.mark.proves("A7", "13.3.4")
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_leaked_key_goes_at_once_and_the_accounts_stay(
    server: CurfewServer, place: int
) -> None:
    """The procedure of the page, line by line, on three keys of which any one has leaked."""
    async with Client(server.url) as ann:
        await ann.sign_up("ann")
        server.stop()
        keys(server, "add")
        keys(server, "add", "--last")
        server.start()
        assert await is_live(ann)
        kept, leaked = keys_of(server), keys_of(server)[place]
        kept.remove(leaked)
        forged = cookie_made_with(server, leaked, ann.sid)
        ann.cookie = forged
        assert await is_live(ann)

        server.stop()
        assert "Say which" in refused(server, "retire", "--force")
        version = str(version_of(parse_secret(leaked)))
        for line in emergency_lines():
            words = [version if word.isdecimal() else word for word in line]
            ran = server.command(*words)
            assert ran.returncode == 0, ran.stderr
        server.start()

        assert keys_of(server)[1:] == kept
        ann.cookie = forged
        assert not await is_live(ann)
        await ann.sign_in("ann", PASSWORD)
        assert await is_live(ann)


def emergency_lines() -> list[list[str]]:
    """What the page tells to type when a key was stolen: the words of each command."""
    (block,) = [each for each in blocks(PAGE, "sh") if "--force" in each.text]
    return [shlex.split(line.partition("run.py ")[2]) for line in block.text.splitlines()]


def cookie_made_with(server: CurfewServer, key: str, sid: str) -> str:
    """What somebody with the key, and a copy of the store from when it was in front, can make."""
    ring = Keyring.from_secrets([parse_secret(key)])
    readers = Keyring.from_secrets([parse_secret(each) for each in keys_of(server)])
    with server.owner() as raw:
        value = raw.get(ShardNames.of_session(sid).session(sid))
    assert isinstance(value, bytes)
    stored = SessionCodec(Sealer(readers)).decode(value, sid)
    assert isinstance(stored, Stored)
    cookie = SessionCookie(
        COOKIE, ring.derive("session cookie"), max_age=timedelta(days=1), secure=True
    )
    return cookie.encode(str(issue_token(sid, stored.session.seed, stored.session.generation)))


async def test_nothing_that_is_sealed_in_the_store_is_overlooked(server: CurfewServer) -> None:
    """Messages on their way are: they are gone before any key is."""
    async with Client(server.url) as ann, Client(server.url) as visitor:
        await visitor.request("PATCH", "/api/session/data", {"a": 1})
        await ann.sign_up("ann")
        async with ann.open_socket() as socket:
            await frame(socket, "hello")
        version = int(versions_of(server)[0])

        def all_are_counted() -> bool:
            """Recent activity is written a moment after what it tells of."""
            with server.owner() as raw:
                plain = [name for name in raw.scan_iter() if raw.type(name) == b"string"]
                values = [each for each in map(raw.get, plain) if isinstance(each, bytes)]
            sealed = [each for each in values if version.to_bytes(4) in each]
            boxes = [each.partition(b"\n")[2] for each in sealed]
            assert all(version_of_box(box) == version for box in boxes)
            counted = re.findall(r"(\d+) (?:session|account|list)s?\b", keys(server, "list"))
            return len(boxes) == sum(map(int, counted)) == 4

        eventually(all_are_counted)


@pytest.mark.parametrize("act", ["add", "retire"])
def test_keys_of_the_environment_are_its_owners_to_change(act: str) -> None:
    with ExitStack() as stack:
        server = CurfewServer(secret_keys=f"{KEY_A},{KEY_B}")
        stack.push(server)  # cleans up behind it; it is never started
        one = str(version_of(parse_secret(KEY_B)))
        answer = server.command("keys", act, *([one, "--force"] if act == "retire" else []))
        assert answer.returncode == 1
        assert "CURFEW_SECRET_KEYS" in answer.stderr


def test_two_commands_do_not_change_the_file_at_once(server: CurfewServer) -> None:
    (server.data_dir / "secret_keys.new").touch()
    assert "another command is changing the keys" in refused(server, "add")
    assert "It is the only key" in refused(server, "retire")
    assert "There is no key 7" in refused(server, "promote", "7")


@pytest.mark.proves("A7")
async def test_servers_understand_each_other_as_long_as_each_has_what_the_others_write_with() -> (
    None
):
    """The third is the mistake that `keys promote` refuses to make: the first lacks its key."""
    with CurfewServer(secret_keys=f"{KEY_A},{KEY_B}") as one:
        url = one.store_url
        with CurfewServer(secret_keys=f"{KEY_B},{KEY_A}", store_url=url) as two:
            receipt, code = await ended_elsewhere(one, two)
            assert (receipt["state"], receipt["sockets_closed"]) == ("complete", 1)
            assert code == 4401
        with CurfewServer(secret_keys=f"{KEY_C},{KEY_A}", store_url=url) as three:
            receipt, code = await ended_elsewhere(one, three)
            assert receipt["state"] == "pending"
            assert code == 4401
        assert "malicious_event" in one.log


@pytest.mark.proves("A45", "A7")
async def test_a_socket_outlives_the_key_it_was_opened_under_but_not_its_session() -> None:
    with ExitStack() as stack:
        old = stack.enter_context(CurfewServer(secret_keys=f"{KEY_A},{KEY_B}"))
        url = old.store_url
        new = stack.enter_context(CurfewServer(secret_keys=f"{KEY_B},{KEY_A}", store_url=url))
        retired = stack.enter_context(CurfewServer(secret_keys=KEY_B, store_url=url))
        async with Client(old.url) as ann, Client(new.url) as there, Client(retired.url) as late:
            await ann.sign_up("ann")
            there.cookie = ann.cookie
            async with ann.open_socket() as socket:
                await frame(socket, "hello")
                await there.request("GET", "/api/session")
                assert there.cookie != ann.cookie
                late.cookie, late.csrf_token = there.cookie, ann.csrf_token
                assert (await late.request("GET", "/api/session")).status_code == 200
                await socket.send('{"type":"ping"}')
                await frame(socket, "pong")
                await late.request("POST", "/api/logout", keep=False)
                assert ((end := await end_of(socket)).code, end.reason) == (4401, "logout")
            late.cookie = ann.cookie
            async with late.open_socket() as refused:
                assert (await end_of(refused)).reason == "unauthenticated"


async def ended_elsewhere(one: CurfewServer, two: CurfewServer) -> tuple[dict[str, object], object]:
    """A socket on one server, whose session ends on the other; the receipt and the close code."""
    async with Client(one.url) as ann, Client(two.url) as there:
        await ann.sign_up(f"ann-{two.port}")
        there.cookie, there.csrf_token = ann.cookie, ann.csrf_token
        async with ann.open_socket() as socket:
            await frame(socket, "hello")
            receipt = (await there.request("POST", "/api/logout", keep=False)).json()
            return receipt, (await end_of(socket)).code
