"""Cookies beside the session cookie, under names that no answer of another session writes.

Answers may arrive in another order than they were sent. A late one then puts an older token, or
nothing, over the cookie of a newer sign-in. So after a sign-in or another change of privilege, as
long as older answers may be under way, the browser has a second copy of the token: the *spare*. Its
name belongs to this session and this change, so the browser keeps it whatever else arrives. And
while nobody is signed in, a browser keeps the token of its anonymous session under the *visitor's*
name, so that this never replaces a sign-in.

Each is a signed token like that of the session cookie, and is judged by the same rules.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from math import inf
from typing import Final

from handlers.http.cookie import Decoded, SessionCookie, pairs_with
from server.core.session import Session
from server.core.token import Token, parse_token
from server.crypto.keyring import DerivedKeys

MAX_SPARES: Final = 4
"""How many are looked at, the last ones in the header: browsers send the newest last. Each may
cost a request to the store, and honest browsers rarely have more than two."""
_VISITOR: Final = "visitor"
_TAG_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class Spare:
    """A genuine cookie beside the session cookie.

    Attributes:
        name: of the cookie.
        token: in it.
        until: when no older answer can be under way any more, in Unix seconds on the store's clock.
    """

    name: str
    token: Token
    until: float


class SpareCookies:
    """Reads and writes them.

    Args:
        name: of the session cookie. The names begin with it, and so have its prefix.
        keys: the subkeys of the session cookie. The signature covers the name.
        max_age: how long a signature is good for.
    """

    def __init__(self, name: str, keys: DerivedKeys, max_age: timedelta) -> None:
        self.visitor = f"{name}-{_VISITOR}"
        self._name = name
        self._keys = keys
        self._max_age = max_age
        tags = rf"[0-9a-f]{{{_TAG_CHARACTERS}}}|{_VISITOR}"
        self._ours = re.compile(rf"{re.escape(name)}-(?:{tags})")

    def name_for(self, session: Session) -> str:
        """Return the name of the spare from a session's last change of privilege on."""
        era = f"{session.sid}.{session.refused_below}".encode("ascii")
        return f"{self._name}-{sha256(era).hexdigest()[:_TAG_CHARACTERS]}"

    def presented(self, headers: Sequence[str]) -> list[Spare]:
        """Return the genuine ones in a request. Of two with one name neither counts.

        Args:
            headers: every `Cookie` header of the request.
        """
        pairs = [pair for pair in pairs_with(self._name, headers) if self._ours.fullmatch(pair[0])]
        times = Counter(name for name, _ in pairs)
        last = [pair for pair in pairs if times[pair[0]] == 1][-MAX_SPARES:]
        return [spare for name, value in last if (spare := self._read(name, value))]

    def set_header(self, spare: Spare, *, max_age_seconds: int | None) -> str:
        """Return the `Set-Cookie` value that gives a browser this spare."""
        text = str(spare.token) if spare.until == inf else f"{spare.token}@{spare.until:.3f}"
        return self._cookie(spare.name).set_header(text, max_age_seconds=max_age_seconds)

    def clear_header(self, name: str) -> str:
        """Return the `Set-Cookie` value that makes a browser forget the cookie of this name."""
        return self._cookie(name).clear_header()

    def _read(self, name: str, value: str) -> Spare | None:
        decoded = self._cookie(name).decode(value)
        if not isinstance(decoded, Decoded):
            return None
        text, _, until = decoded.token.partition("@")
        token = parse_token(text)
        return Spare(name, token, float(until) if until else inf) if token else None

    def _cookie(self, name: str) -> SessionCookie:
        return SessionCookie(name, self._keys, self._max_age, secure=True)
