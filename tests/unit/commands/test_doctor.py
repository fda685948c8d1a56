"""What the doctor says of durability and of TLS."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.commands.doctor import _durability, _tls
from server.core.receipt import Durability
from server.crypto.certificate import LIFETIME, ensure_certificate
from settings import load_settings


def tls(tmp_path: Path, **variables: str) -> str:
    """Return what the doctor says with these settings, in an otherwise empty folder."""
    given = {f"CURFEW_TLS_{name.upper()}": value for name, value in variables.items()}
    return _tls(load_settings({"CURFEW_DATA_DIR": str(tmp_path), **given}))


@pytest.mark.parametrize("durability", Durability)
def test_only_a_store_that_forgets_is_warned_of(durability: Durability) -> None:
    warned = "can bring ended sessions back" in _durability(durability)
    assert warned == (durability is Durability.MEMORY)
    assert _durability(durability).startswith(durability.value)


def test_without_a_certificate_browsers_talk_plain_http(tmp_path: Path) -> None:
    assert tls(tmp_path).startswith("none: browsers talk plain HTTP")


def test_a_self_made_certificate_is_told_before_and_after_it_is_made(tmp_path: Path) -> None:
    assert tls(tmp_path, cert="self") == "self-made at the next start"
    made = datetime(2035, 6, 1, tzinfo=UTC)
    folder = tmp_path / "tls"
    ensure_certificate(
        folder / "certificate.pem", folder / "key.pem", frozenset({"localhost", "::1"}), made
    )
    assert tls(tmp_path, cert="self") == (
        f"self-made, browsers warn once; until {made + LIFETIME:%Y-%m-%d}, for ::1, localhost"
    )


def test_a_given_certificate_is_named_by_its_file(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    ensure_certificate(certificate, key, frozenset({"localhost"}))
    assert tls(tmp_path, cert=str(certificate), key=str(key)).startswith(f"{certificate}; until 20")
    certificate.write_text("nothing of ours")
    assert tls(tmp_path, cert=str(certificate), key=str(key)) == "a certificate"
