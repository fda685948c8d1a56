"""A Unix socket is named by an absolute path that every system takes."""

from pathlib import Path

import pytest

from server.core.listen_address import flaw_of_unix_address, unix_path


@pytest.mark.parametrize("host", ["", "::", "127.0.0.1", "unix.example", "localhost"])
def test_other_addresses_name_no_path(host: str) -> None:
    assert unix_path(host) is None
    assert flaw_of_unix_address(host) is None


def test_a_unix_address_names_a_path() -> None:
    assert unix_path("unix:/run/curfew/http.sock") == Path("/run/curfew/http.sock")
    assert flaw_of_unix_address("unix:/run/curfew/http.sock") is None
    assert flaw_of_unix_address("unix:/" + "x" * 98) is None


@pytest.mark.parametrize(
    ("host", "takes"),
    [
        ("unix:", "an absolute path"),
        ("unix:/", "an absolute path"),
        ("unix:http.sock", "an absolute path"),
        ("unix:@abstract", "an absolute path"),
        ("unix:/" + "x" * 99, "at most 99 bytes"),
        ("unix:/" + "ü" * 50, "at most 99 bytes"),
    ],
)
def test_a_wrong_path_is_told(host: str, takes: str) -> None:
    assert takes in str(flaw_of_unix_address(host))
