"""What a request brings in its cookies: read once, and remembered for a minute.

A client sends the same cookies with all its requests. Whether a value is genuine is a question of
its bytes, the keys and the time alone, and the time counts in minutes here.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from handlers.http.cookie import Absent, Decoded, Duplicate, SessionCookie, find_cookie
from handlers.http.spare_cookies import Spare, SpareCookies
from server.core.token import Token, parse_token

REMEMBERED: Final = 4096
REMEMBERED_CHARACTERS: Final = 1024
REMEMBERED_SECONDS: Final = 60.0
"""So many of the latest `Cookie` headers, of at most this length, are read once in a minute."""


@dataclass(frozen=True, slots=True)
class PresentedCookies:
    """What a request brings.

    Attributes:
        token: of the session cookie; None if there is none, or none that counts.
        stale_key: whether an older key signed it.
        spares: the genuine cookies beside it.
        any: whether there was a session cookie at all, in whatever state.
        is_browser: whether a browser sent the request: they all say where it comes from.
        refused: why the session cookie does not count, for the audit trail; empty if it does.
        tokens: all tokens, that of the session cookie first.
    """

    token: Token | None = None
    stale_key: bool = False
    spares: Sequence[Spare] = ()
    any: bool = False
    is_browser: bool = False
    refused: str = ""
    tokens: Sequence[Token] = field(init=False)

    def __post_init__(self) -> None:
        """Put the tokens together."""
        own = (self.token,) if self.token else ()
        object.__setattr__(self, "tokens", (*own, *(each.token for each in self.spares)))

    def brings_only(self, token: Token) -> bool:
        """Return whether the session cookie has this token, as the newest key signs it, and is all.

        If the session has a user, there is nothing to put in order then.
        """
        return token is self.token and not (self.stale_key or self.spares)


class CookieReader:
    """Reads the cookies of requests.

    Args:
        name: of the session cookie.
        cookie: reads it.
        spares: reads the cookies beside it.
        clock: Unix seconds, for the age of signatures.
    """

    def __init__(
        self,
        name: str,
        cookie: SessionCookie,
        spares: SpareCookies,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._cookie = cookie
        self._spares = spares
        self._clock = clock
        self._minute = 0.0
        self._remembered = lru_cache(REMEMBERED)(self._read_one)

    def read(self, headers: Sequence[str], *, is_browser: bool) -> PresentedCookies:
        """Return what a request brings. With two session cookies, none counts.

        Args:
            headers: every `Cookie` header of the request.
            is_browser: whether a browser sent it.
        """
        if len(headers) != 1 or len(headers[0]) > REMEMBERED_CHARACTERS:
            return self._read(headers, is_browser=is_browser)
        minute = self._clock() // REMEMBERED_SECONDS
        if minute != self._minute:  # what is older counts no more, and is secret
            self._minute = minute
            self.forget()
        return self._remembered(headers[0], is_browser)

    def forget(self) -> None:
        """Forget what was read: with other keys, other cookies are genuine."""
        self._remembered.cache_clear()

    def _read_one(self, header: str, is_browser: bool) -> PresentedCookies:  # noqa: FBT001
        return self._read([header], is_browser=is_browser)

    def _read(self, headers: Sequence[str], *, is_browser: bool) -> PresentedCookies:
        value = find_cookie(headers, self._name)
        if isinstance(value, Duplicate):
            return PresentedCookies(refused="duplicate")
        spares = self._spares.presented(headers)
        if isinstance(value, Absent):
            return PresentedCookies(spares=spares, is_browser=is_browser)
        decoded = self._cookie.decode(value)
        token = parse_token(decoded.token) if isinstance(decoded, Decoded) else None
        if decoded is None or token is None:
            return PresentedCookies(
                spares=spares, any=True, is_browser=is_browser, refused="forged"
            )
        return PresentedCookies(token, decoded.stale_key, spares, any=True, is_browser=is_browser)
