"""A cluster that is reached over TLS, as `rediss+cluster://` does it.

The embedded Valkey speaks no TLS, so there is a proxy before each master. Each master announces
the port of its proxy. So whatever the cluster names, a client reaches it over TLS or not at all.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from server.core.errors import StoreUnavailable
from server.store import acl
from server.store.opening import connect
from tests.support.clients.client import Client, frame
from tests.support.clients.sockets import end_of
from tests.support.servers.cluster import ValkeyCluster
from tests.support.servers.server import CurfewServer
from tests.support.servers.store_tls import Authority, TlsProxy
from tests.support.servers.valkey import PASSWORD


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def proxies(authority: Authority) -> Iterator[list[TlsProxy]]:
    """One before each of three masters."""
    cluster = ValkeyCluster(replicas=0)
    certificate = authority.certify("IP:127.0.0.1")
    with ExitStack() as stack:
        found = [stack.enter_context(TlsProxy(each.port, certificate)) for each in cluster.servers]
        for server, proxy in zip(cluster.servers, found, strict=True):
            server.announce(proxy.port)
        stack.enter_context(cluster)
        yield found


def url_of(proxies: list[TlsProxy], authority: Path) -> str:
    """The address for Curfew, which trusts this authority."""
    places = ",".join(f"127.0.0.1:{each.port}" for each in proxies)
    return f"rediss+cluster://{acl.USER}:{PASSWORD}@{places}?ssl_ca_certs={quote(str(authority))}"


async def test_everything_works_over_tls_to_every_master(
    proxies: list[TlsProxy], authority: Authority
) -> None:
    url = url_of(proxies[:1], authority.certificate)  # the cluster names the others
    with CurfewServer(store_url=url, shards="4", termination_replicas="0") as server:
        for name in ("ann", "cem", "kim"):  # in shards of three masters
            async with Client(server.url) as somebody:
                await somebody.sign_up(name)
                async with somebody.open_socket() as socket:
                    await frame(socket, "hello")
                    receipt = (await somebody.request("POST", "/api/logout")).json()
                    assert (receipt["state"], receipt["sockets_closed"]) == ("complete", 1)
                    assert (await end_of(socket)).code == 4401
        assert "Traceback" not in server.log
    assert all(each.heard for each in proxies)


async def test_no_word_is_said_to_a_cluster_that_cannot_prove_who_it_is(
    proxies: list[TlsProxy], tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)
    heard = [each.heard for each in proxies]
    with pytest.raises(StoreUnavailable) as refused:
        async with connect(url_of(proxies, stranger.certificate), shards=16, replicas=0):
            pass
    assert PASSWORD not in str(refused.value)
    assert [each.heard for each in proxies] == heard
