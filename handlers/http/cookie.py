"""The session cookie: found in a request, signed, checked, and written into an answer.

Only this file knows what the cookie looks like. It reads the `Cookie` header itself, exactly as
RFC 6265 §5.4 says: it trims only space and tab, it unquotes nothing, and of two cookies with one
name it chooses neither. A more tolerant reader may take another site's cookie for ours. This file
must not import handlers, and must not know what a token means.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Final

from tornado.web import create_signed_value, decode_signed_value

from server.crypto.keyring import DerivedKeys

_MAX_CHARACTERS: Final = 4096
"""Browsers drop a cookie whose name and value are longer (RFC 6265bis §5.7)."""

_REMEMBERED_VALUES: Final = 4096
_REMEMBERED_CHARACTERS: Final = 512
_REMEMBERED_SECONDS: Final = 60.0
"""So many of the latest values, of at most this length, are checked once in a minute."""

_SIGNED_VALUE_VERSION: Final = 2
"""HMAC-SHA256. Version 1 is SHA-1 over joined fields, and Tornado still reads it when allowed."""

_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PREFIX_THAT_NEEDS_SECURE = re.compile(r"__(?:host|secure|http)-", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Absent:
    """The request carries no cookie of that name that could be ours."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The request carries the name more than once: one is planted, and nobody knows which.

    Such a request is not signed in, and is logged.
    """


@dataclass(frozen=True, slots=True)
class Decoded:
    """A genuine cookie's content.

    Args:
        token: the text that was signed.
        stale_key: whether an older key signed it; then the cookie must be set again.
    """

    token: str = field(repr=False)
    stale_key: bool


def find_cookie(headers: Sequence[str], name: str) -> str | Absent | Duplicate:
    """Return the raw value of the one cookie with exactly this name.

    Pairs are split at `;`, trimmed of space and tab alone, and compared by case; values are
    returned as sent, quotes and all. A pair without `=` has no name.

    Args:
        headers: every `Cookie` header of the request, as `HTTPHeaders.get_list` gives them.
        name: the cookie's name.

    Returns:
        The value; `Absent` too if it is longer than 4096 characters, which ours never is.
    """
    values = [value for key, value in pairs_with(name, headers) if key == name]
    if len(values) > 1:
        return Duplicate()
    if not values or len(values[0]) > _MAX_CHARACTERS:
        return Absent()
    return values[0]


def pairs_with(text: str, headers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return the name and the value of every cookie with a text in it, in the order of the headers.

    A header may hold thousands of other cookies, and taking them apart would cost milliseconds.

    Args:
        text: in the name, or in the value.
        headers: every `Cookie` header of the request.
    """
    for header in headers:
        if text not in header:
            continue
        for pair in header.split(";"):
            if text not in pair:
                continue
            name, equals, value = pair.partition("=")
            if equals:
                yield name.strip(" \t"), value.strip(" \t")


class SessionCookie:
    """One cookie of the server: its name, its keys, and the attributes it is always set with."""

    __slots__ = (
        "_attributes",
        "_clock",
        "_keys",
        "_made_from",
        "_minute",
        "_name",
        "_newest_key",
        "_older_keys",
        "_periods",
        "_remembered",
    )

    def __init__(
        self,
        name: str,
        keys: DerivedKeys,
        max_age: timedelta,
        secure: bool,  # noqa: FBT001 - part of the cookie, not a switch of behaviour
        clock: Callable[[], float] = time.time,
        long_max_age: timedelta | None = None,
    ) -> None:
        """Fix what every cookie of this name has in common.

        Args:
            name: a token of RFC 9110 §5.6.2. The signature covers it.
            keys: the subkeys of this cookie's purpose.
            max_age: how long a signature is good for. The session's own deadlines are shorter;
                this bounds a cookie whose session record is not even looked up.
            secure: whether to set Secure. Browsers also send such cookies to loopback over
                plain HTTP.
            clock: Unix seconds, for the signature's time.
            long_max_age: the same as `max_age` for the cookie of a person who is remembered. What
                is signed for it says so; None if there is no such cookie.

        Raises:
            ValueError: not a cookie name, or a prefix that no browser takes without Secure.
        """
        if not _COOKIE_NAME.fullmatch(name):
            raise ValueError("a cookie name has only letters, digits and !#$%&'*+-.^_`|~")
        if not secure and _PREFIX_THAT_NEEDS_SECURE.match(name):
            raise ValueError(f"browsers refuse a cookie named {name} that is not Secure")
        self._name = name
        self._keys = keys
        self._read_keys()
        self._periods = {name: max_age / timedelta(days=1)}
        if long_max_age is not None:
            self._periods[_long_lived(name)] = long_max_age / timedelta(days=1)
        self._attributes = "; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")
        self._clock = clock

    def _read_keys(self) -> None:
        # Two key rings: asking Tornado afterwards which key it was would take as long again. They
        # are dicts because this tells Tornado that the keys have versions.
        newest, by_version = self._keys.newest, self._keys.by_version
        self._newest_key = dict([newest])
        self._older_keys = {v: key for v, key in by_version.items() if v != newest[0]}
        self._made_from = by_version
        self._minute = 0.0
        self._remembered = lru_cache(_REMEMBERED_VALUES)(self._decode)

    def encode(self, token: str, *, is_long_lived: bool = False) -> str:
        """Return the token signed by the newest key, with the cookie's name and the time.

        Args:
            token: ASCII text.
            is_long_lived: whether it is of a person who is remembered.

        Raises:
            ValueError: the token is not ASCII, or too long for any browser to keep.
        """
        self._follow_keys()
        (newest,) = self._newest_key
        value = create_signed_value(
            self._newest_key,
            _long_lived(self._name) if is_long_lived else self._name,
            token.encode("ascii"),
            version=_SIGNED_VALUE_VERSION,
            clock=self._clock,
            key_version=newest,
        ).decode("ascii")
        if len(self._name) + len(value) > _MAX_CHARACTERS:
            raise ValueError("the token is too long for a cookie")
        return value

    def decode(self, value: str) -> Decoded | None:
        """Return the token that one of our keys signed under this name, or None.

        The signature is compared in constant time, before anything else is trusted. Return None
        for a value that is forged, cut or expired, or of another name, format or key. No value
        makes this raise.

        Args:
            value: any text, as `find_cookie` returns it.
        """
        self._follow_keys()
        if len(value) > _REMEMBERED_CHARACTERS:
            return self._decode(value)
        minute = self._clock() // _REMEMBERED_SECONDS
        if minute != self._minute:  # what is older counts no more, and is secret
            self._minute = minute
            self._remembered.cache_clear()
        return self._remembered(value)

    def _decode(self, value: str) -> Decoded | None:
        if not value.isascii() or len(value) > _MAX_CHARACTERS:
            return None
        for name, days in self._periods.items():
            for keys, stale in ((self._newest_key, False), (self._older_keys, True)):
                token = self._verified(keys, value, name, days)
                if token is not None:
                    return Decoded(token.decode("ascii"), stale_key=stale)
        return None

    def _follow_keys(self) -> None:
        """Use the keys that the keyring has now: it may have adopted others."""
        if self._made_from is not self._keys.by_version:
            self._read_keys()

    def _verified(self, keys: dict[int, bytes], value: str, name: str, days: float) -> bytes | None:
        return decode_signed_value(
            keys,
            name,
            value,
            max_age_days=days,
            clock=self._clock,
            min_version=_SIGNED_VALUE_VERSION,
        )

    def set_header(
        self, token: str, *, max_age_seconds: int | None, is_long_lived: bool = False
    ) -> str:
        """Return the `Set-Cookie` value that gives a browser this token.

        Tornado's `set_cookie` would quote the value. No character of it can end the header: the
        name was checked, and the signed value is base64 and digits.

        Args:
            token: ASCII text.
            max_age_seconds: what is left of the session; at or below 0 the browser drops it. None
                for a cookie that ends with the browser.
            is_long_lived: as for `encode`.

        Raises:
            ValueError: as `encode`.
        """
        lifetime = "" if max_age_seconds is None else f"; Max-Age={max(0, max_age_seconds)}"
        return self._header(self.encode(token, is_long_lived=is_long_lived), lifetime)

    def clear_header(self) -> str:
        """Return the `Set-Cookie` value that makes a browser forget the cookie.

        It has the same attributes: without them a browser refuses the prefixed name and keeps
        the cookie.
        """
        return self._header("", "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT")

    def _header(self, value: str, lifetime: str) -> str:
        return f"{self._name}={value}; Path=/{lifetime}{self._attributes}"


def _long_lived(name: str) -> str:
    """Return the name under which the cookie of a person who is remembered is signed."""
    return f"{name}+remembered"
