"""The address of the store in the settings: its password is not shown, plain TCP is asked for."""

from pathlib import Path

import pytest

from tests.support.engine.given_settings import WITH_KEY, load, refusal


def test_a_store_address_is_shown_without_its_password() -> None:
    line = refusal(WITH_KEY | {"CURFEW_STORE_URL": "https://me:hush-hush@db.example:6379"})
    assert "hush" not in line
    assert "'db.example:6379'" in line


@pytest.mark.parametrize(
    "url", ["redis://db", "redis://me:hush@db:6379/0", "redis://10.0.0.7", "redis://[fd00::1]:6379"]
)
@pytest.mark.proves("12.3.1", "12.3.2")
def test_plain_tcp_to_another_machine_is_refused_unless_it_is_asked_for(url: str) -> None:
    line = refusal(WITH_KEY | {"CURFEW_STORE_URL": url})
    assert "CURFEW_STORE_PLAINTEXT=allow" in line
    assert "hush" not in line
    assert load(STORE_URL=url, STORE_PLAINTEXT="allow").store_url == url


@pytest.mark.parametrize(
    "url",
    ["redis://", "redis://localhost", "redis://:pw@127.0.0.1:6379", "redis://[::1]", "unix:///s"],
)
def test_plain_text_stays_allowed_inside_this_machine(url: str) -> None:
    assert load(STORE_URL=url).store_url == url


@pytest.mark.parametrize(
    "options",
    ["ssl_cert_reqs=none", "ssl_check_hostname=false", "ssl_ciphers=NULL", "ssl_min_version=1",
     "retry=1", "socket_timeout=900"],
)  # fmt: skip
@pytest.mark.proves("12.3.2", "12.3.4")
def test_the_verification_of_the_store_cannot_be_turned_off(options: str) -> None:
    line = refusal(WITH_KEY | {"CURFEW_STORE_URL": f"rediss://me:hush@db:6379/0?{options}"})
    assert line.startswith("CURFEW_STORE_URL is 'db:6379/0'; behind the question mark ")


def test_certificates_of_the_store_are_files(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    url = f"rediss://db?ssl_ca_certs={tmp_path / 'ca.pem'}"
    assert load(STORE_URL=url).store_url == url
    assert "there is no file" in refusal(WITH_KEY | {"CURFEW_STORE_URL": url + "x"})
    assert "PEM file" in refusal(WITH_KEY | {"CURFEW_STORE_URL": "rediss://db?ssl_ca_certs="})
    assert refusal(WITH_KEY | {"CURFEW_STORE_URL": url.replace("rediss", "redis")})
