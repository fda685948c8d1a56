"""Somebody with the store in their hands: a copy opens nothing, and what they write is refused."""

import json
import pickle
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import redis

from server.core.audit import AuditEvent
from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import PURPOSE as ACCOUNT
from server.store.codec import SessionCodec
from server.store.contract import Stored
from server.store.names import ShardNames
from tests.support.clients.client import PASSWORD, frame
from tests.support.clients.people import People, user_of
from tests.support.engine.keys import key, text_of
from tests.support.secrets.contents import _flat, _value
from tests.support.servers.server import CurfewServer
from tests.support.servers.valkey import ValkeyServer

NAMES: Final = ShardNames(0)
OURS: Final = key("of the server")
CODEC: Final = SessionCodec(Sealer(Keyring.from_secrets([OURS])))
THEIRS: Final = SessionCodec(Sealer(Keyring.from_secrets([key("of a stranger")])))


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    with ValkeyServer() as running:
        yield running


@pytest.fixture(scope="module")
def server(store: ValkeyServer) -> Iterator[CurfewServer]:
    with CurfewServer(store_url=store.url, secret_keys=text_of(OURS), log_format="json") as running:
        yield running
        assert '"exception"' not in running.log


def audited(server: CurfewServer, event: AuditEvent, **facts: str) -> bool:
    """Whether the audit trail has such a line."""
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    wanted = {"event": event.value, **facts}
    return any(wanted.items() <= line.items() for line in lines)


class Trap:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        """What unpickling calls."""
        return Path.touch, (self._path,)


def payloads(trap: Path, genuine: bytes, sid: str) -> dict[str, bytes]:
    """What somebody could write in place of a record."""
    header, _, box = genuine.partition(b"\n")
    stored = CODEC.decode(genuine, sid)
    assert isinstance(stored, Stored)
    plain = {"sid": sid, "user": "root", "generation": 1, "seed": b64encode(bytes(32)).decode()}
    return {
        "nothing": b"",
        "cut in half": genuine[: len(genuine) // 2],
        "only its header": header + b"\n",
        "without a header": box,
        "a pickle": pickle.dumps(Trap(trap)),
        "a pickle behind a header": header + b"\n" + pickle.dumps(Trap(trap)),
        "YAML with a tag": b"!!python/object/apply:os.system ['touch %s']" % str(trap).encode(),
        "msgpack with an extension": b"\xc7\x05\x01hello",
        "plain JSON": header + b"\n" + json.dumps(plain).encode(),
        "sealed with another key": THEIRS.encode(stored.session, revision=1, operation="x"),
        "a mebibyte": header + b"\n" + bytes(1 << 20),
    }


@pytest.mark.proves("A85", "A92", "A94", "1.5.2", "11.2.5")
async def test_a_record_of_another_hand_is_dead_and_told_of(
    server: CurfewServer, people: People, raw: redis.Redis, tmp_path: Path
) -> None:
    client = await people.somebody()
    name, trap = NAMES.session(client.sid), tmp_path / "sprung"
    genuine = raw.get(name)
    assert isinstance(genuine, bytes)
    answers = set()
    for what, payload in payloads(trap, genuine, client.sid).items():
        raw.set(name, payload)
        answer = await client.request("GET", "/api/session", keep=False)
        answers.add((answer.status_code, answer.json()["type"]))
        written = await client.request("PATCH", "/api/session/data", {"a": 1}, keep=False)
        assert written.status_code == 401, what
        assert raw.get(name) == payload
    for wrong_type in (raw.lpush, raw.sadd):
        raw.delete(name)
        wrong_type(name, "x")
        answer = await client.request("GET", "/api/session", keep=False)
        answers.add((answer.status_code, answer.json()["type"]))
    unknown = await (await people.visitor()).request("GET", "/api/session")
    assert answers == {(401, unknown.json()["type"])}
    assert not trap.exists()
    assert audited(server, AuditEvent.DECRYPT_FAIL, sid=client.sid, what="session")
    raw.delete(name)
    raw.set(name, genuine)
    assert (await client.request("GET", "/api/session")).status_code == 200


@pytest.mark.proves("A86", "A94", "11.3.2")
async def test_an_account_that_was_moved_forged_or_made_a_session_opens_nothing(
    server: CurfewServer, people: People, raw: redis.Redis
) -> None:
    ann, eve = await people.somebody(), await people.somebody()
    ann_name, eve_name = await user_of(ann), await user_of(eve)
    accounts = {each: raw.get(NAMES.account(each)) for each in (ann_name, eve_name)}
    record = raw.get(NAMES.session(eve.sid))
    forged = Sealer(Keyring.from_secrets([key("of a stranger")])).seal(
        json.dumps({"user": ann_name, "admin": True}).encode(), purpose=ACCOUNT, context=ann_name
    )
    for value in (accounts[eve_name], record, b"1 x \n" + forged, b"1 x \n{}", b""):
        assert isinstance(value, bytes)
        raw.set(NAMES.account(ann_name), value)
        visitor = await people.visitor()
        answer = await visitor.request(
            "POST", "/api/login", {"username": ann_name, "password": PASSWORD}
        )
        assert answer.status_code == 401
    assert audited(server, AuditEvent.DECRYPT_FAIL, user=ann_name, what="account")
    account = accounts[ann_name]
    assert isinstance(account, bytes)
    raw.set(NAMES.session(eve.sid), account)
    assert (await eve.request("GET", "/api/session")).status_code == 401
    raw.set(NAMES.account(ann_name), account)
    await ann.sign_in(ann_name)


@pytest.mark.proves("A85", "11.2.5")
async def test_a_genuine_account_behind_a_header_of_another_hand_is_none_on_every_route(
    server: CurfewServer, people: People, raw: redis.Redis
) -> None:
    server.command("user", "add", "root-of-all", "--admin", given=PASSWORD + "\n")
    root = await (await people.visitor()).sign_in("root-of-all")
    ann = await people.somebody()
    name = await user_of(ann)
    genuine = raw.get(NAMES.account(name))
    assert isinstance(genuine, bytes)
    box = genuine.partition(b"\n")[2]
    for header in (b"q op ", b"", b" ", b"9" * 5_000 + b" op ", b"1"):
        raw.set(NAMES.account(name), header + b"\n" + box)
        visitor = await people.visitor()
        credentials = {"username": name, "password": PASSWORD}
        assert (await visitor.request("POST", "/api/login", credentials)).status_code == 401
        assert (await visitor.request("POST", "/api/signup", credentials)).status_code == 409
        account = f"/api/admin/users/{name}"
        assert (await root.request("GET", f"{account}/sessions")).status_code == 404
        disabled = await root.request("PUT", f"{account}/disabled", {"disabled": True})
        assert disabled.status_code == 404
        assert (await ann.request("GET", "/api/factors")).status_code < 500
    assert audited(server, AuditEvent.DECRYPT_FAIL, user=name, what="account")
    raw.set(NAMES.account(name), genuine)
    await ann.sign_in(name)


@pytest.mark.proves("A93", "A13", "A100")
async def test_nothing_that_lies_in_the_store_is_a_cookie_nor_any_other_token_of_ours(
    people: People, raw: redis.Redis
) -> None:
    client = await people.somebody()
    async with client.open_socket() as socket:
        connection = (await frame(socket, "hello"))["connection"]
    stored = CODEC.decode(raw.get(NAMES.session(client.sid)) or b"", client.sid)  # type: ignore[arg-type]
    assert isinstance(stored, Stored)
    found: set[bytes] = {client.sid.encode(), client.csrf_token.encode(), connection.encode()}
    found |= {stored.session.seed}
    for name in raw.scan_iter():
        found |= {name, *(part for part in _flat(_value(raw, name)))}
    tried = {form for each in found for form in forms(each)}
    assert len(tried) > 40
    genuine = client.cookie
    for value in tried:
        client.cookie = value
        answer = await client.request("GET", "/api/session", keep=False)
        assert answer.status_code == 401, value
    client.cookie = genuine
    assert (await client.request("GET", "/api/session")).status_code == 200


def forms(value: bytes) -> set[str]:
    """How somebody could send it as a cookie."""
    encoded = {value.hex(), b64encode(value).decode(), urlsafe_b64encode(value).decode()}
    plain = value.decode("latin-1")
    is_sendable = plain.isascii() and plain.isprintable() and ";" not in plain
    return {each[:3000] for each in encoded} | ({plain[:3000]} if is_sendable else set())
