"""The way to a store of one's own, and Curfew's rights there: no more than is needed."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from redis.exceptions import NoPermissionError

from server.core.errors import ConfigurationError, StoreUnavailable
from server.core.receipt import Durability
from server.services import open_services
from server.store import acl
from server.store.connection import open_client
from server.store.durability import durability_now
from server.store.inspection import watch_eviction
from settings import Settings, load_settings
from tests.support.clients.client import Client, frame
from tests.support.clients.sockets import end_of
from tests.support.running.waiting import until
from tests.support.servers.server import CurfewServer
from tests.support.servers.store_tls import Authority, TlsProxy
from tests.support.servers.valkey import PASSWORD, ValkeyServer, owner_of


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyServer]:
    with ValkeyServer(tcp=True) as running:
        yield running


@pytest.fixture(autouse=True)
def emptied(store: ValkeyServer) -> None:
    """Each server here has keys of its own."""
    store.flush()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def settings_for(url: str, data_dir: Path) -> Settings:
    """Settings of a server on this store."""
    return load_settings({"CURFEW_STORE_URL": url, "CURFEW_DATA_DIR": str(data_dir)})


def tls_url(proxy: TlsProxy, host: str, *options: str) -> str:
    """The store behind the proxy."""
    return f"rediss://{acl.USER}:{PASSWORD}@{host}:{proxy.port}/0?{'&'.join(options)}"


@pytest.mark.proves("12.3.1", "12.3.2", "12.3.4")
async def test_everything_works_over_tls_to_a_store_of_a_private_authority(
    store: ValkeyServer, authority: Authority
) -> None:
    with (
        TlsProxy(store.port, authority.certify("IP:127.0.0.1")) as proxy,
        CurfewServer(
            store_url=tls_url(proxy, "127.0.0.1", f"ssl_ca_certs={authority.certificate}")
        ) as server,
    ):
        async with Client(server.url) as ada:
            await ada.sign_up("ada")
            async with ada.open_socket() as socket:
                await frame(socket, "hello")
                receipt = (await ada.request("POST", "/api/logout")).json()
                assert (receipt["state"], receipt["sockets_closed"]) == ("complete", 1)
                assert (await end_of(socket)).code == 4401


@pytest.mark.proves("12.3.2")
async def test_no_word_is_said_to_a_store_that_cannot_prove_who_it_is(
    store: ValkeyServer, authority: Authority, tmp_path: Path
) -> None:
    """Of an authority that nobody knows, or with the name of another host."""
    ours = f"ssl_ca_certs={authority.certificate}"
    elsewhere = authority.certify("DNS:elsewhere.example")
    for certificate, options in (
        (authority.certify("IP:127.0.0.1"), []),
        (elsewhere, [ours]),
    ):
        with TlsProxy(store.port, certificate) as proxy:
            settings = settings_for(tls_url(proxy, "127.0.0.1", *options), tmp_path)
            with pytest.raises(StoreUnavailable) as refused:
                async with open_services(settings, serves=False):
                    pass
            assert "SSLCertVerificationError" in str(refused.value)
            assert PASSWORD not in str(refused.value) + repr(refused.value.__cause__)
            assert proxy.heard == 0


@pytest.mark.proves("12.3.5", "13.2.1")
async def test_a_certificate_of_our_own_is_shown_where_the_store_asks_for_it(
    store: ValkeyServer, authority: Authority, tmp_path: Path
) -> None:
    ours, key = authority.certify("DNS:curfew")
    options = [f"ssl_ca_certs={authority.certificate}"]
    shown = [*options, f"ssl_certfile={ours}", f"ssl_keyfile={key}"]
    with TlsProxy(store.port, authority.certify("IP:127.0.0.1"), clients=authority) as proxy:
        async with open_services(settings_for(tls_url(proxy, "127.0.0.1", *shown), tmp_path)):
            pass
        with pytest.raises(StoreUnavailable):
            async with open_services(
                settings_for(tls_url(proxy, "127.0.0.1", *options), tmp_path), serves=False
            ):
                pass


@pytest.mark.parametrize(
    "command",
    [
        "CONFIG GET requirepass", "CONFIG SET maxmemory 1", "KEYS *", "FLUSHALL", "EVAL return 0",
        "GET other", "SET session:x y", "PUBLISH curfew x", "SUBSCRIBE __keyspace@0__:*",
        "PSUBSCRIBE *", "ACL LIST", "CLIENT LIST", "MONITOR", "SAVE", "SHUTDOWN",
        "REPLICAOF NO ONE", "XTRIM curfew:{00}:control MAXLEN 0", "RESTORE curfew:x 0 x",
        "DUMP curfew:{00}:shards", "MIGRATE h 1 k 0 1", "FUNCTION LIST", "MODULE LIST",
        "SCRIPT FLUSH",
    ],
)  # fmt: skip
@pytest.mark.proves("13.2.2", "A91")
def test_the_user_may_do_nothing_that_is_not_needed(store: ValkeyServer, command: str) -> None:
    with redis.Redis.from_url(store.url) as curfew, pytest.raises(NoPermissionError):
        curfew.execute_command(*command.split())


@pytest.mark.proves("13.2.3")
def test_a_refused_password_is_shown_nowhere(store: ValkeyServer) -> None:
    server = CurfewServer(store_url=store.url.replace(PASSWORD, "a-wrong-word"))
    with ExitStack() as stack:
        stack.push(server)  # cleans up behind it; it is never started
        answer = server.command("doctor")
    assert answer.returncode == 1
    assert "AuthenticationError" in answer.stderr
    assert "a-wrong-word" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "volatile-lfu"])
@pytest.mark.proves("A38")
async def test_a_store_that_would_drop_tombstones_is_refused(tmp_path: Path, policy: str) -> None:
    with ValkeyServer(maxmemory="100mb", maxmemory_policy=policy) as store:
        with pytest.raises(ConfigurationError, match=f"maxmemory-policy is {policy}"):
            async with open_services(
                settings_for(store.url, tmp_path), serves=False, prepares=True
            ):
                pass
        with store.client() as owner:
            owner.config_set("maxmemory-policy", "noeviction")
        async with open_services(settings_for(store.url, tmp_path), serves=False):
            pass


@pytest.mark.proves("13.2.2")
async def test_what_store_acl_prints_makes_a_user_that_can_serve_and_touch_nothing_else() -> None:
    with ValkeyServer(tcp=True) as fresh, fresh.client() as owner:
        owner.execute_command("ACL", "DELUSER", acl.USER)
        url = f"redis://{acl.USER}:a-word-of-its-own@127.0.0.1:{fresh.port}/0"
        with ExitStack() as stack:
            server = CurfewServer(store_url=url)
            stack.push(server)  # which is started when there is a user
            rule = server.command("store", "acl").stdout.strip()
            owner.execute_command(*rule.replace("PASSWORD", "a-word-of-its-own").split())
            server.start()
            async with Client(server.url) as ada, ada.open_socket() as socket:
                await frame(socket, "ended")
                await ada.sign_up("ada")
                assert (await ada.request("POST", "/api/logout")).json()["state"] == "complete"
        owner.set("other", "x")
        with redis.Redis.from_url(url) as curfew:
            for call in ("'GET', 'other'", "'KEYS', '*'"):
                script = curfew.script_load(f"return redis.call({call})")
                with pytest.raises(redis.ResponseError, match="ACL failure in script"):
                    curfew.evalsha(script, 0)


async def test_a_store_that_does_not_tell_is_refused(store: ValkeyServer, tmp_path: Path) -> None:
    with store.client() as owner:
        owner.execute_command("ACL", "SETUSER", acl.USER, "-info")
        try:
            with pytest.raises(ConfigurationError, match="store acl"):
                async with open_services(
                    settings_for(store.url, tmp_path), serves=False, prepares=True
                ):
                    pass
        finally:
            owner.execute_command("ACL", "SETUSER", acl.USER, "+info")


async def test_a_store_that_begins_to_drop_keys_is_told_of(
    store: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_client(store.url) as client:
        watching = asyncio.create_task(watch_eviction(client, timedelta(milliseconds=5)))
        with redis.Redis.from_url(owner_of(store.url)) as owner:
            owner.config_set("maxmemory", "100mb")
            owner.config_set("maxmemory-policy", "allkeys-lru")
            try:
                await until(lambda: told(caplog))
            finally:
                owner.config_set("maxmemory-policy", "noeviction")
        watching.cancel()
        await asyncio.wait([watching])


async def told(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the log has it."""
    return "the store drops keys" in caplog.text


@pytest.mark.parametrize(
    ("appendonly", "appendfsync", "durability"),
    [
        ("yes", "always", Durability.FSYNC),
        ("yes", "everysec", Durability.MEMORY),
        ("yes", "no", Durability.MEMORY),
        ("no", "always", Durability.MEMORY),
    ],
)
async def test_durability_is_learned_by_writing(
    appendonly: str, appendfsync: str, durability: Durability
) -> None:
    with ValkeyServer(appendonly=appendonly, appendfsync=appendfsync) as store:
        async with open_client(store.url) as client:
            found = {await durability_now(client) for _ in range(8)}
        with store.client() as owner:
            assert owner.keys() == []
    assert found == {durability}
