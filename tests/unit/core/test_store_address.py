"""The store's address: three schemes, TLS between machines, and no way around verification."""

import pytest

from server.core.store_address import (
    OPTIONS,
    files_of_address,
    flaw_of_address,
    place_of_address,
    shown_address,
)

SCHEMES = "it takes redis://, rediss:// or unix://, or nothing."


def flaw(url: str, *, plaintext_allowed: bool = False) -> str | None:
    """Return the flaw of an address; by default plain text is not allowed."""
    return flaw_of_address(url, plaintext_allowed=plaintext_allowed)


@pytest.mark.parametrize(
    "url",
    ["redis://", "redis://localhost", "redis://:pw@127.0.0.1:6379/1", "redis://[::1]",
     "unix:///run/valkey.sock", "rediss://db.example", "rediss://:pw@10.0.0.7:6380/0"],
)  # fmt: skip
def test_addresses_in_this_machine_or_with_tls_are_right(url: str) -> None:
    assert flaw(url) is None


@pytest.mark.parametrize(
    "url",
    ["", "localhost:6379", "http://db", "redis:db", "valkey://db", "redis://db:abc",
     "redis://db:99999", "redis://[::1"],
)  # fmt: skip
def test_what_is_no_address_of_a_store_is_refused(url: str) -> None:
    assert flaw(url) == SCHEMES


@pytest.mark.parametrize("url", ["redis://db", "redis://:pw@10.0.0.7:6379", "redis://[fd00::1]"])
def test_plain_text_to_another_machine_is_refused_unless_it_is_allowed(url: str) -> None:
    refusal = flaw(url)
    assert refusal is not None
    assert "CURFEW_STORE_PLAINTEXT=allow" in refusal
    assert flaw(url, plaintext_allowed=True) is None


@pytest.mark.parametrize("option", OPTIONS)
def test_files_for_tls_are_named_as_options_of_tls_only(option: str) -> None:
    assert flaw(f"rediss://db?{option}=/etc/pem") is None
    assert flaw(f"redis://localhost?{option}=/etc/pem") is not None
    assert flaw(f"unix:///socket?{option}=/etc/pem") is not None
    assert flaw(f"rediss://db?{option}=") == f"{option} takes the path of a PEM file."


@pytest.mark.parametrize(
    "option", ["ssl_cert_reqs=none", "ssl_check_hostname=false", "socket_timeout=900", "retry"]
)
def test_every_other_option_is_refused(option: str) -> None:
    refusal = flaw(f"rediss://db?ssl_ca_certs=/ca.pem&{option}", plaintext_allowed=True)
    assert refusal is not None
    assert refusal.startswith("behind the question mark rediss:// takes ssl_ca_certs")


def test_the_files_of_an_address_are_those_of_its_options() -> None:
    url = "rediss://db?ssl_ca_certs=/ca.pem&ssl_keyfile=/a%20b.pem&ssl_ca_certs=/last.pem"
    assert files_of_address(url) == ["/last.pem", "/a b.pem"]
    assert files_of_address("rediss://db") == []


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://", "localhost:6379"),
        ("redis://me:hush@127.0.0.1:7/1", "127.0.0.1:7"),
        ("rediss://:hush@db.example/0?ssl_ca_certs=/a", "db.example:6379"),
        ("redis://me:hush@[::1]:80", "[::1]:80"),
        ("unix:///run/valkey.sock", "/run/valkey.sock"),
        ("unix://me:hush@/run/a%20b/valkey.sock", "/run/a b/valkey.sock"),
    ],
)
def test_the_place_of_a_store_is_told_without_its_password(url: str, place: str) -> None:
    assert place_of_address(url) == place


@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
def test_several_servers_take_a_scheme_of_their_own(kind: str) -> None:
    rest = "127.0.0.1:1,[::1]:2" + ("/main" if kind == "sentinel" else "")
    assert flaw(f"redis+{kind}://me:hush@{rest}") is None
    assert flaw(f"rediss+{kind}://{rest.replace('127.0.0.1', 'db.example')}") is None
    there = flaw(f"redis+{kind}://{rest.replace('[::1]', 'db.example')}")
    assert there is not None
    assert f"Use rediss+{kind}://, or set CURFEW_STORE_PLAINTEXT=allow" in there
    for wrong in (f"{kind}://{rest}", f"valkey+{kind}://{rest}", f"REDIS+{kind}://{rest}"):
        assert flaw(wrong) == (
            "several servers take redis+sentinel:// or redis+cluster://, or rediss+ for TLS."
        )


@pytest.mark.parametrize("url", ["redis://a:1,b:2", "rediss://me:hush@a,b/0", "redis://a,b:1"])
def test_one_server_is_no_list(url: str) -> None:
    refusal = flaw(url)
    assert refusal is not None
    assert refusal.startswith("several servers take redis+sentinel://")


def test_files_and_place_of_several_servers_are_told() -> None:
    url = "rediss+sentinel://:hush@a/main?ssl_ca_certs=/ca.pem&sentinel_password=hush"
    assert files_of_address(url) == ["/ca.pem"]
    assert files_of_address("redis+cluster://a") == []
    assert place_of_address(url) == "main of the sentinels a:26379"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:hush@db:1/0?x=hush", "db:1/0"),
        ("redis+sentinel://a/main?sentinel_password=hush", "redis+sentinel://a/main"),
        ("redis+sentinel://me:x@a/main?sentinel_password=hu@sh", "redis+sentinel://..."),
        ("redis://me:hu?sh@db", "redis://..."),
        ("hush?@", "..."),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_password(url: str, shown: str) -> None:
    assert shown_address(url) == shown
