"""Host names and addresses: what is a loopback, an origin, a name for a certificate."""

import pytest

from server.core import addresses
from server.core.addresses import (
    certificate_names,
    has_port,
    is_loopback,
    is_origin,
    network_of,
    own_origins,
)

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_addresses_mean_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "::", "192.0.2.1", "LOCALHOST", "localhost.", "127.0.0.1.example.org"]
)
def test_no_other_name_or_address_does(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("scheme", "port", "suffix"),
    [("http", 80, ""), ("http", 443, ":443"), ("https", 443, ""), ("https", 8888, ":8888")],
)
def test_own_origins_leave_out_the_default_port_of_their_scheme(
    scheme: str, port: int, suffix: str
) -> None:
    hosts = ("127.0.0.1", "localhost", "[::1]")
    assert own_origins(scheme, port) == ",".join(f"{scheme}://{host}{suffix}" for host in hosts)


@pytest.mark.parametrize(
    "text",
    ["http://localhost:8888", "https://app.example", "https://app-1.example:8443",
     "http://[::1]:8080", "http://127.0.0.1", "https://app.example:80"],
)  # fmt: skip
def test_an_origin_is_scheme_host_and_a_port_that_is_not_the_default(text: str) -> None:
    assert is_origin(text)


@pytest.mark.parametrize(
    "text",
    ["", "null", "*", "app.example", "ftp://app.example", "https://", "https://app.example/",
     "https://app.example/path", "https://user@app.example", "HTTPS://APP.EXAMPLE",
     "https://app.example:443", "http://app.example:80", "https://app.example:99999",
     "https://app.example:", "https://app.example\n", "https://a.example,https://b.example"],
)  # fmt: skip
def test_what_no_browser_sends_is_no_origin(text: str) -> None:
    assert not is_origin(text)


def test_a_port_may_be_left_out_and_must_be_one() -> None:
    assert has_port("https://app.example")
    assert has_port("https://app.example:65535")
    assert not has_port("https://app.example:65536")
    assert not has_port("redis://db:abc")


def test_a_certificate_names_the_loopback_the_host_and_the_hosts_of_the_origins() -> None:
    origins = ["https://app.example:8443", "https://[2001:db8::1]"]
    names = certificate_names("192.0.2.1", origins)
    assert names == LOOPBACK | {"192.0.2.1", "app.example", "2001:db8::1"}


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::"])  # noqa: S104 - not listened on
def test_a_certificate_does_not_name_the_address_of_all_interfaces(host: str) -> None:
    assert certificate_names(host, []) == LOOPBACK


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_an_address_of_ipv6_stands_for_its_64(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_long_text_is_judged_alike_and_not_kept() -> None:
    zone, junk = "fe80::1%" + "z" * 10_000, "x" * 10_000
    assert network_of(zone) == "fe80::/64"
    assert network_of(junk) == junk
    kept = addresses._known_network_of.cache_info().currsize
    network_of(junk + "y")
    assert addresses._known_network_of.cache_info().currsize == kept


def test_a_unix_socket_means_this_machine_and_is_no_name_in_a_certificate() -> None:
    assert is_loopback("unix:/run/curfew/http.sock")
    assert certificate_names("unix:/run/curfew/http.sock", []) == LOOPBACK
