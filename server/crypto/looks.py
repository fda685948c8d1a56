"""How a user name looks: names that a reader may take for each other look alike.

This is the skeleton of Unicode TS 39 4, on the data that come with `confusable_homoglyphs`. The
library lists for each character those that it is confused with. Of these, all but one have only
that one beside them: their prototype, which stands for all.

The data are read when a look is asked for first: they take 6 MB, and most processes never give a
name away.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from confusable_homoglyphs.utils import load

_IGNORED: Final = frozenset("\u200c\u200d")
"""Joiners, which nobody sees. The rules for names allow no other character of this kind."""
_SOFT_DOTTED: Final = frozenset("ij")
_DOT_ABOVE: Final = "\u0307"
"""On a letter that has its own dot, nobody sees it. `İ` has it in lower case."""
_ABOVE: Final = 230
"""The combining class of the marks that take the place of the letter's own dot."""
_MOST_ROUNDS: Final = 4


def look_of(user: str) -> str:
    """Return what is the same for all names that look like this one.

    The first call reads a file, and takes about 10 ms.

    Args:
        user: canonical user name.
    """
    look = user
    for _ in range(_MOST_ROUNDS):
        before, look = look, _mapped(look)
        if look == before:
            break
    return look


def _mapped(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    prototypes = _prototypes()
    shown = (prototypes.get(each, each) for each in decomposed if each not in _IGNORED)
    return _without_second_dots(unicodedata.normalize("NFD", "".join(shown)).casefold())


def _without_second_dots(text: str) -> str:
    """Return decomposed text without dots that stand where a letter has its own."""
    shown, is_dotted = [], False
    for each in text:
        if is_dotted and each == _DOT_ABOVE:
            continue
        stays = unicodedata.combining(each) not in {0, _ABOVE}
        is_dotted = each in _SOFT_DOTTED or (is_dotted and stays)
        shown.append(each)
    return "".join(shown)


@cache
def _prototypes() -> Mapping[str, str]:
    """Return the prototype of each character that has another one than itself."""
    alike = load("confusables.json")
    found = ((each, _prototype(each, alike)) for each in alike)
    return {each: prototype for each, prototype in found if prototype != each}


def _prototype(character: str, known: Mapping[str, Any]) -> str:
    alike = known[character]
    if len(alike) != 1:
        return character  # it is the prototype of several
    other = str(alike[0]["c"])
    is_pair = len(other) == 1 and len(known.get(other, ())) == 1
    return min(character, other) if is_pair else other
