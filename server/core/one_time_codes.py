"""The codes that people type: those of an authenticator app (RFC 6238), and recovery codes."""

import hashlib
import hmac
import re
from base64 import b32encode
from collections.abc import Iterable, Mapping
from typing import Final

from server.core.factors import RecoveryCodes
from server.core.typed_text import DASHES, INVISIBLE

TOTP_STEP_SECONDS: Final = 30
"""From RFC 6238 5.2, and the longest that ASVS 5.0 6.5.5 allows."""

TOTP_DRIFT_STEPS: Final = 1
"""Steps accepted before and after the current one: RFC 6238 5.2 allows one for delay, and clocks
differ."""

RECOVERY_CODES: Final = 10
RECOVERY_CODE_BYTES: Final = 15
"""120 bits, which nobody can guess; from 112 bits on a fast hash is enough (ASVS 5.0 6.5.2)."""

RECOVERY_KEY_BYTES: Final = 32

_TOTP_CODE = re.compile(r"[0-9]{6}")
_SEPARATORS = re.compile(rf"[\s{INVISIBLE}{re.escape(DASHES)}]+")


def step_at(now: float) -> int:
    """Return the time step of a moment, called T in RFC 6238 4.2."""
    return int(now // TOTP_STEP_SECONDS)


def steps_around(now: float) -> range:
    """Return the time steps whose codes are accepted at a moment."""
    step = step_at(now)
    return range(max(0, step - TOTP_DRIFT_STEPS), step + TOTP_DRIFT_STEPS + 1)


def is_totp_code(text: str) -> bool:
    """Return whether a text has the form of an app's code; any other counts as a recovery code."""
    return _TOTP_CODE.fullmatch(_bare(text)) is not None


def matching_step(codes: Mapping[int, str], given: str, *, after: int = -1) -> int | None:
    """Return the latest step after `after` whose code was given; compare all in constant time.

    Args:
        codes: the right codes by time step.
        given: the code as it was typed.
        after: the step of the last code used.
    """
    if not is_totp_code(given):
        return None
    typed = _bare(given)
    matching = [step for step, code in codes.items() if hmac.compare_digest(code, typed)]
    return max((step for step in matching if step > after), default=None)


def recovery_code(random: bytes) -> str:
    """Make a recovery code of `RECOVERY_CODE_BYTES` random bytes: 24 letters and digits in groups.

    Base32 has neither 0 nor 1, so nobody mixes up two of its characters.
    """
    text = b32encode(random).decode("ascii").lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def hash_recovery_codes(codes: Iterable[str], key: bytes) -> RecoveryCodes:
    """Return what is stored of recovery codes: their hashes.

    Args:
        codes: the codes.
        key: `RECOVERY_KEY_BYTES` random bytes, for these codes alone.
    """
    return RecoveryCodes(key.hex(), tuple(_hash(key, code) for code in codes))


def without_code(kept: RecoveryCodes, given: str) -> RecoveryCodes | None:
    """Return the codes that are left after using this one; None if it is none of them."""
    presented = _hash(bytes.fromhex(kept.key), given)
    left = tuple(each for each in kept.hashes if not hmac.compare_digest(each, presented))
    return RecoveryCodes(kept.key, left) if len(left) < len(kept.hashes) else None


def _hash(key: bytes, code: str) -> str:
    # surrogatepass: the text comes from outside, and no text may make this raise.
    typed = _bare(code).encode(errors="surrogatepass")
    return hmac.new(key, typed, hashlib.sha256).hexdigest()


def _bare(text: str) -> str:
    """Remove the spaces and dashes that make a code easy to read, and what else came along."""
    return _SEPARATORS.sub("", text).lower()
