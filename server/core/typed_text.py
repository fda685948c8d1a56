"""Text as people type it or paste it: with blanks around it that they do not see.

Phone keyboards add a space behind a word that they have completed, and what is copied from a
message may have a line end, or a mark without width, at its ends.
"""

from typing import Final

INVISIBLE: Final = "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
"""Marks without width: soft hyphen, spaces and joiners of no width, directions, byte order."""
DASHES: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""What keyboards put in place of one or two hyphens, if they want to be smart."""
_AROUND: Final = INVISIBLE + "".join(
    character for character in map(chr, range(0x3001)) if character.isspace()
)


def trimmed(text: str) -> str:
    """Return a name or a code without the blanks around it. Never use it for a password."""
    return text.strip(_AROUND)
