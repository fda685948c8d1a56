"""The store's address: three schemes, TLS between machines, and no way around verification."""

import pytest

from server.core.store_address import (
    OPTIONS,
    files_of_address,
    flaw_of_address,
    place_of_address,
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
