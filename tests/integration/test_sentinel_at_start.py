"""A store with Sentinel at the start: what is wrong is said, with what is needed; no partial start.

The user of the sentinels is the one of docs/howto/sentinel.md, so its rights are enough.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from server.core.errors import ConfigurationError, StoreNotReached
from server.core.sentinel_views import SentinelView
from server.store import acl
from server.store.opening import connect
from tests.docs.markdown import blocks, page
from tests.support.running.ports import free_port
from tests.support.secrets.leaks import SEARCH
from tests.support.servers.scripted import Reply, scripted_server
from tests.support.servers.sentinels import SentinelRig
from tests.support.servers.server import ROOT, CurfewServer
from tests.support.servers.store_tls import Authority, TlsProxy
from tests.support.servers.valkey import PASSWORD

SENTINEL_PASSWORD = "a-word-for-sentinels"
LOGIN = f"{acl.USER}:{PASSWORD}@"
NUMBERS = ("config-epoch", "num-other-sentinels", "num-slaves", "quorum")
OPTIONS = f"?sentinel_username=curfew&sentinel_password={SENTINEL_PASSWORD}"


@pytest.fixture(scope="module")
def rig() -> Iterator[SentinelRig]:
    SEARCH.password(SENTINEL_PASSWORD, "password of the sentinels")
    (rule,) = [
        each.text.strip()
        for each in blocks(page("docs/howto/sentinel.md"), "text")
        if each.text.startswith("user curfew")
    ]
    user = rule.replace("PASSWORD", SENTINEL_PASSWORD)
    with SentinelRig(replicas=1, sentinel_settings=(user,)) as running:
        yield running


async def refusal(url: str, wait: float = 0.0) -> str:
    """What is said instead of a connection."""
    opening = connect(url, shards=1, replicas=1, wait=timedelta(seconds=wait))
    with pytest.raises((StoreNotReached, ConfigurationError)) as refused:
        async with opening:
            pass
    said = str(refused.value)
    assert PASSWORD not in said
    assert SENTINEL_PASSWORD not in said
    return said


async def test_the_master_is_used_and_its_replica_has_what_is_written(rig: SentinelRig) -> None:
    async with connect(rig.url_of(LOGIN, rest=OPTIONS), shards=1, replicas=1) as store:
        assert store.sentinels
        answers = list(store.sentinels.answers.values())
        assert sum(isinstance(each, SentinelView) for each in answers) >= 2
        assert await store.client.set("curfew:here", "")
    (replica,) = rig.others()
    with rig.master().client() as owner, replica.client() as reader:
        assert owner.wait(1, 5000) == 1
        assert reader.exists("curfew:here")


async def test_a_service_that_nobody_knows(rig: SentinelRig) -> None:
    started = time.monotonic()
    said = await refusal(rig.url_of(LOGIN, service="mian"), wait=30)
    assert f"127.0.0.1:{rig.sentinels[0].port} does not know this service" in said
    assert "Correct the service in CURFEW_STORE_URL" in said
    assert time.monotonic() - started < 10  # waiting would not mend it


async def test_sentinels_that_are_not_there(rig: SentinelRig) -> None:
    here = rig.sentinels[0].port
    url = f"redis+sentinel://{LOGIN}127.0.0.1:{here},127.0.0.1:{free_port()},127.0.0.1:1/main"
    said = await refusal(url, wait=0.5)
    assert "1 sentinel of 3 told of the service 'main', and 2 must" in said
    assert "127.0.0.1:1 does not answer. Start the sentinels, or correct the hosts" in said


async def test_servers_of_the_store_in_place_of_sentinels(rig: SentinelRig) -> None:
    places = ",".join(f"127.0.0.1:{each.port}" for each in rig.servers)
    said = await refusal(f"redis+sentinel://{LOGIN}{places}/main")
    assert f"127.0.0.1:{rig.servers[0].port} is no sentinel" in said
    assert "takes the sentinels" in said


async def test_a_sentinel_in_place_of_the_store(rig: SentinelRig) -> None:
    said = await refusal(f"redis://127.0.0.1:{rig.sentinels[0].port}")
    assert "leads to a sentinel. Needed: the store, or redis+sentinel://" in said


async def test_a_wrong_password_of_the_store(rig: SentinelRig) -> None:
    said = await refusal(rig.url_of(f"{acl.USER}:wrong@"))
    assert "(AuthenticationError). Correct the user and the password in CURFEW_STORE_URL" in said


async def test_a_wrong_password_of_the_sentinels(rig: SentinelRig) -> None:
    rest = "?sentinel_username=curfew&sentinel_password=wrong"
    said = await refusal(rig.url_of(LOGIN, rest=rest))
    assert "refuses the user and the password" in said
    assert "Correct sentinel_username and sentinel_password in CURFEW_STORE_URL" in said


async def test_a_user_of_the_store_without_rights(rig: SentinelRig) -> None:
    with rig.master().client() as owner:
        owner.execute_command("ACL SETUSER", "nobody", "on", ">hush", "-@all", "+hello")
        said = await refusal(rig.url_of("nobody:hush@"))
    assert "Give Curfew's user its rights: python run.py store acl" in said


def test_a_start_fails_as_a_whole_and_the_doctor_says_the_same(rig: SentinelRig) -> None:
    server = CurfewServer(store_url=rig.url_of(LOGIN, service="mian", rest=OPTIONS))
    with ExitStack() as stack:
        stack.push(server)
        for command, status in ([], 1), (["doctor"], 1):
            ran = subprocess.run(
                [sys.executable, str(ROOT / "run.py"), *command],
                cwd=ROOT,
                env=server.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert ran.returncode == status
            last = ran.stderr.splitlines()[-1]
            assert "does not know this service. Correct the service in CURFEW_STORE_URL" in last
            assert "serves on" not in ran.stdout
            assert SENTINEL_PASSWORD not in ran.stdout + ran.stderr


def test_the_doctor_says_what_the_sentinels_say(rig: SentinelRig) -> None:
    url = rig.url_of(LOGIN, rest=OPTIONS)
    server = CurfewServer(store_url=url.replace(f",127.0.0.1:{rig.sentinels[2].port}", ""))
    with ExitStack() as stack:
        stack.push(server)
        ran = server.command("doctor")
    assert ran.returncode in {0, 1}, ran.stderr
    master = f"127.0.0.1:{rig.master().port}"
    assert f"sentinel   2 of 2 answer: {master} is the master of main, with 1 replica" in ran.stdout
    assert "CURFEW_STORE_URL: it names 2 of 3 sentinels; needed: all of them" in ran.stdout


async def test_servers_and_sentinels_are_verified_over_tls(
    rig: SentinelRig, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    certificate = authority.certify("IP:127.0.0.1")
    with TlsProxy(rig.master().port, certificate) as store:

        def name_the_proxy(words: list[str]) -> Reply:
            if words[1] == "GET-MASTER-ADDR-BY-NAME":
                return ["127.0.0.1", str(store.port)]
            state = {"ip": "127.0.0.1", "port": str(store.port), "flags": "master"}
            return state | dict.fromkeys(NUMBERS, "1")

        async with scripted_server(name_the_proxy) as sentinel:
            with TlsProxy(sentinel.port, certificate) as proxy:
                url = f"rediss+sentinel://{LOGIN}127.0.0.1:{proxy.port}/main"
                trusted = f"{url}?ssl_ca_certs={authority.certificate}"
                async with connect(trusted, shards=1, replicas=1) as opened:
                    assert await opened.client.set("curfew:here", "")
                assert store.heard
                said = await refusal(url, wait=30)
    assert f"127.0.0.1:{proxy.port} failed in the TLS handshake. Check its certificate" in said
