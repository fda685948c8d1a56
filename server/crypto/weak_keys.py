"""Finds secret keys that are not random.

32 random bytes break each of the rules less than once in 10**12 keys, so a key made by `keys new`
is never refused.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from server.core.plurals import counted

LEAST_BYTES: Final = 32
"""256 bits, the output of HMAC-SHA256: RFC 5869 §2.3 wants a key of at least that length."""
LEAST_DISTINCT_BYTES: Final = 8
"""32 random bytes hold fewer distinct values than this once in more than 10**30 keys."""
_PRINTABLE: Final = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}
_PUBLISHED: Final = frozenset(
    {
        # RFC 7515 appendix A.1, used in many examples of JSON Web Tokens.
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        # RFC 7520 sections 3.5 and 3.6.
        "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
        "AAPapAv4LbFbiVawEjagUBluYqN5rhna-8nuldDvOx8",
        # docs/tutorial.md, the CSRF token of an answer, which has the form of a key.
        "0RJLXmgQRuFSlM2019iguRP_w6CoHIVl3SqqmR3Hrgg",
    }
)
"""Keys that are published in documents. A test checks that all in our own documents are here."""


def flaw_of(secret: bytes, text: str) -> str | None:
    """Return what is wrong with a key, as the end of a sentence; None if nothing is known.

    Args:
        secret: the key.
        text: the same key as base64url text, which a person may have made up.
    """
    if len(secret) < LEAST_BYTES:
        return f"has {counted(len(secret), 'byte')}, {LEAST_BYTES} are needed"
    if len(set(secret)) == 1:
        return "is one byte over and over"
    if len(set(secret)) < LEAST_DISTINCT_BYTES:
        return f"has fewer than {LEAST_DISTINCT_BYTES} different bytes"
    if text in _PUBLISHED:
        return "is an example that everybody can read"
    if _PRINTABLE.issuperset(secret):
        return "is readable text"
    if any(_repeats(each) or _counts(each) for each in (secret, text.encode("ascii"))):
        return "follows a pattern"
    return None


def _repeats(values: Sequence[int]) -> bool:
    """Return whether the values are a shorter sequence, repeated."""
    periods = range(1, len(values) // 2 + 1)
    return any(values[period:] == values[:-period] for period in periods)


def _counts(values: Sequence[int]) -> bool:
    """Return whether most values differ from the one before by the same step."""
    steps = Counter((b - a) % 256 for a, b in pairwise(values))
    return max(steps.values()) > len(values) // 2
