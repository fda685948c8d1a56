"""Challenges: facts that the server needs in a later request, sealed and kept by the client.

The server stores nothing about a sign-in that is not finished, so nobody can fill the store with
unfinished ones. Each use has a key of its own, so that a challenge is valid for one use only.
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from server.core import strict_json
from server.core.session import Json
from server.crypto.sealer import Sealer

LIFETIME_SECONDS: Final = 300.0
ID_BYTES: Final = 16


class Use(StrEnum):
    """The uses of challenges."""

    SECOND_FACTOR_OWED = "second factor owed"
    """The password was right; the second factor is missing."""
    TOTP_SETUP = "totp setup"
    """An app's secret was shown; it is stored when a code of it comes back."""
    NEW_PASSKEY = "new passkey"
    SIGN_IN_BY_PASSKEY = "sign in by passkey"
    REAUTHENTICATE_BY_PASSKEY = "reauthenticate by passkey"

    @property
    def purpose(self) -> str:
        """The purpose that the keys of this use are derived for."""
        return f"challenge: {self}"


@dataclass(frozen=True, slots=True)
class Challenge:
    """An opened challenge.

    Attributes:
        id: a unique id, by which the server can remember that the challenge was used.
        seconds_left: seconds until it expires.
        facts: the sealed facts.
    """

    id: str
    seconds_left: float
    facts: Mapping[str, Json]

    def text(self, name: str) -> str:
        """Return a fact as text; empty if there is none of this name."""
        return str(self.facts.get(name, ""))


class Challenges:
    """Makes and opens challenges.

    Args:
        sealer: seals with the newest key, opens with all.
        now: the store's clock, in Unix seconds.
        forged: called with the use when somebody presents something that is no valid box of it.
    """

    def __init__(
        self, sealer: Sealer, now: Callable[[], float], forged: Callable[[Use], object]
    ) -> None:
        self._sealer = sealer
        self._now = now
        self._forged = forged

    def make(self, use: Use, facts: Mapping[str, Json]) -> bytes:
        """Make a challenge that is valid for `LIFETIME_SECONDS`.

        192 bits of it are random (ASVS 5.0 6.7.2).
        """
        content: dict[str, Json] = {
            "id": os.urandom(ID_BYTES).hex(),
            "expires_at": self._now() + LIFETIME_SECONDS,
            "facts": dict(facts),
        }
        plaintext = strict_json.encode(content).encode("ascii")
        return self._sealer.seal(plaintext, purpose=use.purpose, context="")

    def open(self, use: Use, box: bytes) -> Challenge | None:
        """Open a challenge; return None if it is forged, for another use, or expired."""
        opened = self._sealer.open(box, purpose=use.purpose, context="")
        if opened is None:
            self._forged(use)
            return None
        content = cast("dict[str, Json]", strict_json.parse(opened.plaintext))
        left = cast("float", content["expires_at"]) - self._now()
        if left <= 0:
            return None
        return Challenge(str(content["id"]), left, cast("dict[str, Json]", content["facts"]))


def to_text(box: bytes) -> str:
    """Return a challenge as base64url text."""
    return urlsafe_b64encode(box).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes:
    """Return the challenge in a text; if there is none, bytes that `Challenges.open` refuses."""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
