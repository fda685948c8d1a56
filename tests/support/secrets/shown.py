"""The secrets that an answer shows to whom they belong, each in its one place.

Anywhere else in the answer, and everywhere else at all, the same secret is a leak.
"""

import re
from collections.abc import Iterator
from typing import Final

_PLACES: Final = (
    ("CSRF token", re.compile(rb'("csrf_token": ?")([^"]+)(")')),
    ("CSRF token", re.compile(rb'(name="csrf_token" value=")([^"]+)(")')),
    ("secret of an app", re.compile(rb'("secret": ?")([A-Z2-7]+)(")')),
    ("secret of an app", re.compile(rb"(otpauth://totp/[^\"]*?secret=)([A-Z2-7]+)()")),
    ("secret of an app", re.compile(rb'(id="totp-secret"[^>]*>)([^<]+)(<)')),
    ("setup of an app", re.compile(rb'("setup": ?")([^"]+)(")')),
    ("setup of an app", re.compile(rb'(name="setup" value=")([^"]+)(")')),
    ("challenge", re.compile(rb'("challenge": ?")([^"]+)(")')),
    ("challenge", re.compile(rb'(name="challenge" value=")([^"]+)(")')),
    ("recovery codes", re.compile(rb'("recovery_codes": ?\[)([^\]]+)(\])')),
    ("recovery codes", re.compile(rb'(<ol id="recovery-codes"[^>]*>)(.*?)(</ol>)')),
)
_RECOVERY_CODE: Final = re.compile(rb"[a-z2-7]{4}(?:-[a-z2-7]{4}){5}")


def shown_in(body: bytes) -> Iterator[tuple[str, bytes]]:
    """The secrets that stand where they may, each with its kind."""
    for kind, place in _PLACES:
        for _, found, _ in place.findall(body):
            if kind == "recovery codes":
                yield from ((kind, code) for code in _RECOVERY_CODE.findall(found))
            else:
                yield kind, found


def without_shown(body: bytes) -> bytes:
    """The same without them."""
    for _, place in _PLACES:
        body = place.sub(rb"\1\3", body)
    return body


def recovery_codes_in(text: str) -> list[str]:
    """What has the form of a recovery code."""
    return [code.decode() for code in _RECOVERY_CODE.findall(text.encode(errors="replace"))]
