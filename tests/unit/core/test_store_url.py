"""The store's address as a typed value: what Sentinel and a cluster need, and what is refused."""

import pytest

from server.core.store_url import (
    ClusterStore,
    Login,
    NoStoreUrl,
    Place,
    SentinelStore,
    SingleStore,
    Tls,
    parse_store_url,
)


@pytest.mark.parametrize("url", ["redis://", "rediss://me:hush@db:1/2", "unix:///s", "http://db"])
def test_the_address_of_one_server_stays_as_it_is(url: str) -> None:
    assert parse_store_url(url) == SingleStore(url)


def test_sentinels_address_has_servers_service_database_and_two_logins() -> None:
    url = (
        "rediss+sentinel://me:h%40sh@a.example:1,[::1]:2,c/main%2Fone/3?ssl_ca_certs=/ca.pem"
        "&sentinel_username=watch&sentinel_password=h%3Fsh"
    )
    assert parse_store_url(url) == SentinelStore(
        sentinels=(Place("a.example", 1), Place("::1", 2), Place("c", 26379)),
        service="main/one",
        db=3,
        login=Login("me", "h@sh"),
        sentinel_login=Login("watch", "h?sh"),
        tls=Tls(ca_certs="/ca.pem"),
    )


def test_what_is_left_out_has_its_default() -> None:
    sentinel = SentinelStore((Place("a", 26379),), "main", 0, Login(), Login(), None)
    assert parse_store_url("redis+sentinel://a,a/main") == sentinel
    assert parse_store_url("redis+cluster://a") == ClusterStore((Place("a", 6379),), Login(), None)
    assert parse_store_url("rediss+cluster://:hush@a:7,b:8/0") == ClusterStore(
        (Place("a", 7), Place("b", 8)), Login(None, "hush"), Tls()
    )


def test_a_place_is_written_as_in_a_url() -> None:
    url = "redis+sentinel://me:hush@[::1]:1,b/main?sentinel_password=hush"
    assert str(parse_store_url(url)) == "main of the sentinels [::1]:1,b:26379"
    assert str(parse_store_url("redis+cluster://:hush@a,b:1")) == "the cluster of a:6379,b:1"
    assert "hush" not in repr(parse_store_url(url))


@pytest.mark.parametrize(
    ("rest", "flaw"),
    [
        ("", "its hosts are wrong at an empty one: it takes redis+sentinel://"),
        ("/main", "its hosts are wrong at an empty one"),
        ("a,,b/main", "its hosts are wrong at an empty one"),
        ("a:x/main", "its hosts are wrong at 'a:x'"),
        ("a:0/main", "its hosts are wrong at 'a:0'"),
        ("a:65536/main", "its hosts are wrong at 'a:65536'"),
        ("a, b/main", "its hosts are wrong at ' b'"),
        ("::1/main", "its hosts are wrong at '::1'"),
        ("a", "the service's name is missing"),
        ("a/", "the service's name is missing"),
        ("a//0", "the service's name is missing"),
        ("a/main/x", "behind the service it takes the number of a database"),
        ("a/main/0/1", "behind the service it takes the number of a database"),
        ("a/main/-1", "behind the service it takes the number of a database"),
        ("a/main?ssl_ca_certs=/ca", "ssl_ca_certs belongs to TLS: it takes rediss+sentinel://."),
        ("a/main?db=3", "behind the question mark it takes sentinel_username, sentinel_password"),
        ("a/main?sentinel_password=", "sentinel_password is empty."),
        ("a/main?sentinel_username=me", "sentinel_username needs sentinel_password."),
    ],
)
def test_a_wrong_address_of_sentinel_says_what_is_needed(rest: str, flaw: str) -> None:
    with pytest.raises(NoStoreUrl) as refused:
        parse_store_url(f"redis+sentinel://{rest}")
    assert str(refused.value).startswith(flaw)
    with pytest.raises(NoStoreUrl) as with_password:
        parse_store_url(f"redis+sentinel://me:hush@{rest}")
    assert str(with_password.value).startswith(flaw)
    assert "hush" not in str(with_password.value)


@pytest.mark.parametrize(
    ("url", "flaw"),
    [
        ("redis+cluster://a/1", "behind a cluster's hosts it takes nothing"),
        ("redis+cluster://a/main/0", "behind a cluster's hosts it takes nothing"),
        ("redis+cluster://a,", "its hosts are wrong at an empty one: it takes redis+cluster://"),
        ("redis+cluster://a?sentinel_password=x", "behind the question mark it takes nothing"),
        ("rediss+cluster://a?ssl_cert_reqs=none", "behind the question mark it takes ssl_ca_certs"),
        ("rediss+cluster://a?ssl_ca_certs=", "ssl_ca_certs takes the path of a PEM file."),
    ],
)
def test_a_wrong_address_of_a_cluster_says_what_is_needed(url: str, flaw: str) -> None:
    with pytest.raises(NoStoreUrl) as refused:
        parse_store_url(url)
    assert str(refused.value).startswith(flaw)


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://me:hu?sh@a/main",
        "redis+sentinel://me:hu#sh@a/main",
        "redis+sentinel://a/main?sentinel_password=hu@sh",
    ],
)
def test_what_would_end_a_password_too_early_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(NoStoreUrl) as refused:
        parse_store_url(url)
    assert "%40" in str(refused.value)
    assert "hu" not in str(refused.value)
