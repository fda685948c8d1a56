"""Second factors: what an account stores about them."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

MAX_PASSKEYS: Final = 10
PASSKEY_NAME_CHARACTERS: Final = 64


class Method(StrEnum):
    """The kinds of second factor."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery-code"


@dataclass(frozen=True, slots=True)
class Totp:
    """An authenticator app.

    Attributes:
        secret: base32, shared with the app.
        last_step: time step of the last code used; its code and older ones are refused.
        added_at: Unix seconds.
    """

    secret: str = field(repr=False)
    last_step: int
    added_at: float


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential.

    Attributes:
        id: the credential's id, base64url.
        public_key: COSE key, base64url.
        site: the relying party id that it was made for, which is a host name.
        sign_count: its counter at the last use; 0 for a passkey that does not count.
        name: chosen by its owner.
        added_at: Unix seconds.
        last_used_at: Unix seconds; None before the first use.
    """

    id: str
    public_key: str = field(repr=False)
    site: str
    sign_count: int
    name: str
    added_at: float
    last_used_at: float | None = None


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """The recovery codes that can still be used.

    Attributes:
        key: the key of the hashes, hexadecimal.
        hashes: HMAC-SHA256 of each code, hexadecimal.
    """

    key: str = field(repr=False)
    hashes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Factors:
    """An account's second factors.

    Attributes:
        handle: names the account to authenticators without revealing its user name (WebAuthn
            14.6.1). Has the form of a session id. Empty before it is needed.
        totp: the authenticator app.
        passkeys: the passkeys, oldest first.
        recovery: the recovery codes, made with the first factor and removed with the last.
        wrong_codes: how many wrong codes of the app came in a row.
        wrong_code_at: when the last of them came, in Unix seconds.
    """

    handle: str = ""
    totp: Totp | None = None
    passkeys: tuple[Passkey, ...] = ()
    recovery: RecoveryCodes | None = None
    wrong_codes: int = 0
    wrong_code_at: float = 0.0

    @property
    def enabled(self) -> bool:
        """Whether signing in takes a second factor."""
        return self.totp is not None or bool(self.passkeys)

    @property
    def methods(self) -> tuple[Method, ...]:
        """The kinds of second factor that can be used now."""
        there = {
            Method.TOTP: self.totp is not None,
            Method.PASSKEY: bool(self.passkeys),
            Method.RECOVERY_CODE: self.recovery_codes_left > 0,
        }
        return tuple(method for method, usable in there.items() if usable)

    @property
    def recovery_codes_left(self) -> int:
        """How many recovery codes can still be used."""
        return len(self.recovery.hashes) if self.recovery else 0

    def passkey(self, identifier: str) -> Passkey | None:
        """Return the passkey with this id, if any."""
        return next((each for each in self.passkeys if each.id == identifier), None)


NO_FACTORS: Final = Factors()


def without_totp(factors: Factors) -> Factors:
    """Remove the app, and the wait that wrong codes of it caused."""
    if factors.totp is None:
        return factors
    return _tidy(replace(factors, totp=None, wrong_codes=0))


def without_passkey(factors: Factors, identifier: str) -> Factors:
    """Remove one passkey."""
    rest = tuple(each for each in factors.passkeys if each.id != identifier)
    return _tidy(replace(factors, passkeys=rest))


def without_factors(factors: Factors) -> Factors:
    """Remove everything except the handle.

    With the same handle, an authenticator replaces the passkey that it still has for the account.
    """
    return Factors(handle=factors.handle)


def _tidy(factors: Factors) -> Factors:
    return factors if factors.enabled else replace(factors, recovery=None)
