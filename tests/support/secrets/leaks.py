"""Searches everything the program wrote during the test run for every secret that existed.

Secrets are noticed where they are made or given: cookies in `Set-Cookie`, what an answer shows to
whom it belongs in its one place there, passwords in what clients send, keys and seeds where a
server keeps them. What the program writes is noticed by `tests.support.secrets.listening` and by
whoever runs servers. Both grow until the last test is over; no finding ever shows the secret.

Where several processes run tests, each searches what it saw. That is complete: a secret is written
by servers that know it, and those belong to the tests of one process.
"""

import hashlib
import html
import json
import re
from ast import literal_eval
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from server.core.token import parse_token
from tests.support.secrets.shown import shown_in, without_shown

LEAST_RUN = 24
"""Characters of what is compared: a recovery code has 29, the secret of an app 32 in base32, and
32 bytes have 43 in base64 and 64 in hexadecimal."""
LEAST_PASSWORD = 12
"""Characters; shorter ones are refused by the server, and are words of pages."""
LEAST_VARIETY = 6
"""Different characters; a row of one is no secret, and stands in many a test's message."""

_RUNS = (
    re.compile(rb"[A-Za-z0-9_-]{%d,}" % LEAST_RUN),
    re.compile(rb"[A-Za-z0-9+/]{%d,}" % LEAST_RUN),
)
_BYTES_LITERAL = re.compile(rb"""b'(?:\\.|[^'\\])+'|b"(?:\\.|[^"\\])+\"""")
_SIGNED = re.compile(r"2\|\d+:\d+\|\d+:\d+\|\d+:[^|]*\|\d+:([^|]*)\|([0-9a-f]+)")


@dataclass(frozen=True)
class Finding:
    """A secret where none may be: which kind, and where it was read."""

    kind: str
    place: str


class LeakSearch:
    """Collects secrets and output, and compares them."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, str] = {}
        self._passwords: dict[bytes, str] = {}
        self._raw: dict[bytes, str] = {}
        self._runs: dict[bytes, str] = {}
        self._literals: dict[bytes, str] = {}
        self._seen: set[bytes] = set()
        self._text = bytearray()
        self._starts: list[int] = []
        self._places: list[str] = []
        self.written: Counter[str] = Counter()

    def key(self, raw: bytes, kind: str) -> None:
        """Notice secret bytes: no form of them may be written."""
        self._raw.setdefault(raw, kind)
        url_safe = urlsafe_b64encode(raw).rstrip(b"=")
        for form in (raw.hex().encode(), raw.hex().upper().encode(), b64encode(raw), url_safe):
            self.word(form.rstrip(b"="), kind)

    def word(self, word: str | bytes, kind: str) -> None:
        """Notice a secret word of at least `LEAST_RUN` letters, digits, dashes and underscores."""
        found = word.encode() if isinstance(word, str) else word
        if len(found) >= LEAST_RUN:
            self._kinds.setdefault(found, kind)

    def password(self, password: str, kind: str = "password") -> None:
        """Notice a password, or any other secret text, in all forms that it is sent in."""
        if len(password) < LEAST_PASSWORD or len(set(password)) < LEAST_VARIETY:
            return
        raw = password.encode(errors="surrogatepass")
        forms = (
            *(quoted(raw, safe="") for quoted in (quote, quote_plus)),
            json.dumps(password)[1:-1],
            json.dumps(password, ensure_ascii=False)[1:-1],
            html.escape(password),
        )
        for form in (raw, *(each.encode(errors="surrogatepass") for each in forms)):
            self._passwords.setdefault(form, kind)

    def cookie(self, value: str) -> str | None:
        """Notice a cookie, and the token in it; the id of its session."""
        signed = _SIGNED.fullmatch(value)
        if signed is None:
            return None
        self.word(signed[1].rstrip("="), "cookie")
        self.word(signed[2], "signature of a cookie")
        try:
            token = parse_token(b64decode(signed[1]).decode("ascii"))
        except (Error, ValueError):
            return None
        if token is None:
            return None
        self.word(token.secret, "token")
        self.key(urlsafe_b64decode(token.secret + "=" * (-len(token.secret) % 4)), "token")
        return token.sid

    def answered(self, place: str, answer: str | bytes, source: str) -> None:
        """Notice an HTTP answer, or a page as a browser has it; both may show some secrets.

        Args:
            place: where, for whoever reads a finding.
            answer: all of it.
            source: counted, to show that everything is looked at.
        """
        data = _bytes(answer)
        for kind, secret in shown_in(data):
            self.word(secret, kind)
        self.wrote(place, without_shown(data), source)

    def wrote(self, place: str, output: str | bytes, source: str) -> None:
        """Notice what else the program wrote, where no secret may be."""
        data = _bytes(output)
        self.written[source] += 1
        digest = hashlib.blake2b(data, digest_size=16).digest()
        if digest in self._seen:
            return
        self._seen.add(digest)
        self._keep(place, data)

    def _keep(self, place: str, data: bytes) -> None:
        for pattern in _RUNS:
            for run in pattern.findall(data):
                self._runs.setdefault(run, place)
        for literal in _BYTES_LITERAL.findall(data) if b"\\x" in data else ():
            try:
                self._literals.setdefault(literal_eval(literal.decode("ascii")), place)
            except (ValueError, SyntaxError):
                continue
        self._starts.append(len(self._text))
        self._places.append(place)
        self._text += data + b"\0"

    def findings(self) -> list[Finding]:
        """Every secret that was written anywhere, without showing it."""
        return sorted({*self._in_runs(), *self._in_text()}, key=lambda each: each.place)

    def _in_runs(self) -> Iterator[Finding]:
        lengths = sorted({len(word) for word in self._kinds})
        for run, place in self._runs.items():
            for length in lengths:
                for start in range(len(run) - length + 1):
                    kind = self._kinds.get(run[start : start + length])
                    if kind is not None:
                        yield Finding(kind, place)
        for literal, place in self._literals.items():
            if literal in self._raw:
                yield Finding(self._raw[literal], place)

    def _in_text(self) -> Iterator[Finding]:
        for password, kind in self._passwords.items():
            at = self._text.find(password)
            if at >= 0:
                yield Finding(kind, self._places[bisect_right(self._starts, at) - 1])

    def kind_of(self, raw: bytes) -> str | None:
        """As what secret bytes were noticed, if they were."""
        return self._raw.get(raw)

    @property
    def size(self) -> tuple[int, int]:
        """How many secrets were looked for, in how many bytes of output."""
        return len(self._kinds) + len(self._passwords), len(self._text)


def _bytes(output: str | bytes) -> bytes:
    return output.encode(errors="surrogateescape") if isinstance(output, str) else output


SEARCH = LeakSearch()
"""The one of this test run: clients are made everywhere, and all of them report to it."""
