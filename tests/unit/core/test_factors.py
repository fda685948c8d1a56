"""An account's second factors: which can be used, and what goes when one is removed."""

from dataclasses import replace

from server.core.factors import (
    Factors,
    Method,
    Passkey,
    Totp,
    without_factors,
    without_passkey,
    without_totp,
)
from server.core.one_time_codes import hash_recovery_codes, recovery_code

CODES = tuple(recovery_code(bytes([number]) * 15) for number in range(3))
HANDLE = "00" + "A" * 22
TOTP = Totp(secret="S", last_step=0, added_at=1.0)
KEY = Passkey("id", "key", "example.org", 5, "phone", 1.0)
BOTH = Factors(HANDLE, TOTP, (KEY,), hash_recovery_codes(CODES, bytes(32)))


def test_methods_are_those_that_can_be_used() -> None:
    assert BOTH.methods == (Method.TOTP, Method.PASSKEY, Method.RECOVERY_CODE)
    assert Factors().methods == ()
    assert not Factors(HANDLE).enabled


def test_recovery_codes_go_with_the_last_factor() -> None:
    app, key = without_passkey(BOTH, "id"), without_totp(BOTH)
    assert (app.enabled, app.recovery) == (True, BOTH.recovery)
    assert (key.enabled, key.recovery) == (True, BOTH.recovery)
    assert (
        without_totp(app) == without_passkey(key, "id") == without_factors(BOTH) == Factors(HANDLE)
    )
    assert without_passkey(BOTH, "other") == BOTH
    assert without_totp(key) == key


def test_the_last_recovery_code_is_a_method_and_used_up_ones_are_none() -> None:
    last = replace(BOTH, recovery=hash_recovery_codes(CODES[:1], bytes(32)))
    assert Method.RECOVERY_CODE in last.methods
    used_up = replace(BOTH, recovery=hash_recovery_codes([], bytes(32)))
    assert used_up.methods == (Method.TOTP, Method.PASSKEY)
    assert (used_up.recovery_codes_left, BOTH.recovery_codes_left) == (0, 3)
    assert Factors().recovery_codes_left == 0


def test_a_passkey_is_found_by_its_id() -> None:
    assert BOTH.passkey("id") == KEY
    assert BOTH.passkey("other") is None


def test_the_wait_for_wrong_codes_goes_with_the_app_alone() -> None:
    waiting = replace(BOTH, wrong_codes=7, wrong_code_at=9.0)
    assert without_totp(waiting).wrong_codes == 0
    assert without_passkey(waiting, "id").wrong_codes == 7
    assert without_totp(replace(waiting, totp=None)).wrong_codes == 7


def test_repr_shows_no_secret_of_a_factor() -> None:
    shown = repr(replace(BOTH, totp=replace(TOTP, secret="HUSHHUSH")))
    assert BOTH.recovery is not None
    for secret in ("HUSHHUSH", BOTH.recovery.key, *BOTH.recovery.hashes, "public_key"):
        assert secret not in shown
