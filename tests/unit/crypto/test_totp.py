"""Codes of authenticator apps, against the vectors of RFC 6238."""

import pytest

from server.core.one_time_codes import step_at
from server.crypto.totp import new_totp_secret, totp_codes, totp_uri

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""`12345678901234567890`, as RFC 6238 appendix B has it."""


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_with_six_digits(moment: int, code: str) -> None:
    step = step_at(moment)
    assert totp_codes(RFC_SECRET, [step]) == {step: code}


def test_codes_of_several_steps_are_computed_at_once() -> None:
    codes = totp_codes(RFC_SECRET, range(1, 4))
    assert list(codes) == [1, 2, 3]
    assert codes[1] == "287082"
    assert len(set(codes.values())) == 3
    assert totp_codes(RFC_SECRET, []) == {}


@pytest.mark.proves("6.5.3")
def test_secrets_of_apps_have_160_bits_and_are_never_the_same() -> None:
    secrets = {new_totp_secret() for _ in range(1000)}
    assert len(secrets) == 1000
    assert {len(secret) for secret in secrets} == {32}


def test_an_app_is_told_account_and_server() -> None:
    uri = totp_uri(RFC_SECRET, user="ada", site="localhost:8888")
    assert uri == (
        f"otpauth://totp/Curfew:ada%40localhost%3A8888?secret={RFC_SECRET}&issuer=Curfew"
    )
