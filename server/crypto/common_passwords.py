"""Decides whether a new password is easy to guess (ASVS 5.0 6.2.4, 6.2.11).

zxcvbn estimates how many guesses a password takes, from lists of common passwords, words and
names, and from keyboard patterns, repeats, sequences and dates. This file must not call
`zxcvbn.zxcvbn`, for the two reasons given in `_guesses`.
"""

import math
import re
from collections.abc import Callable
from typing import Any, Final

from zxcvbn import matching, scoring

_ENOUGH_GUESSES: Final = 10**10
"""The limit of zxcvbn's best class. So many argon2id hashes of 65 ms take one core 20 years, and
online nobody can guess that often. With 10**8, the class below, they take one core 75 days."""

_SCORED_CHARACTERS: Final = 24
"""The cost grows faster than the square of the length: 24 random characters take 2 to 10 ms, 72
took up to 270 ms. The longest word of the lists has 23, and a strong beginning is enough."""

_MAX_SUBSTITUTIONS: Final = 16
"""How many readings of a text such as `p4$$w0rd` are tried. What people write has 8 or fewer. A
text of nothing but such symbols has thousands, and took 3.7 s. With both limits no text was found
that takes more than 20 ms."""

_PRODUCT: Final = "curfew"

_Matcher = Callable[[str], list[dict[str, Any]]]

_MATCHERS: Final[tuple[_Matcher, ...]] = (
    matching.dictionary_match,
    matching.reverse_dictionary_match,
    matching.spatial_match,
    matching.repeat_match,
    matching.sequence_match,
    matching.regex_match,
    matching.date_match,
)


def is_common(password: str, *, username: str) -> bool:
    """Return whether a password is too easy to guess for this person.

    The user name, in any case and also backwards, and the product's name do not count: the rest
    of the password has to be strong on its own. Safe to call from any thread.

    Args:
        password: a password that `check_password_shape` has accepted.
        username: the canonical user name.
    """
    known = "|".join(re.escape(word) for word in (username, username[::-1], _PRODUCT))
    own = re.sub(known, "", password, flags=re.IGNORECASE)[:_SCORED_CHARACTERS]
    return not own or _guesses(own) < _ENOUGH_GUESSES


def _guesses(text: str) -> float:
    # `zxcvbn.zxcvbn` keeps the last caller's user name in a global, and its cost has no limit.
    matches = [match for matcher in _matchers_for(text) for match in matcher(text)]
    return float(scoring.most_guessable_match_sequence(text, matches)["guesses"])


def _matchers_for(text: str) -> tuple[_Matcher, ...]:
    substitutions = matching.relevant_l33t_subtable(text, matching.L33T_TABLE)
    readings = math.prod(len(symbols) for symbols in substitutions.values())
    return _MATCHERS if readings > _MAX_SUBSTITUTIONS else (*_MATCHERS, matching.l33t_match)
