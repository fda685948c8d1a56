"""Finds the text for a person's language. The texts are in `languages/*.toml`, a file for each.

No other file holds a sentence that people see on a page. Programs get English: the `title` and
`detail` of a problem, and what commands print, are written where they are used.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
MOST_RANGES: Final = 32
"""So many entries of an `Accept-Language` are read: nobody speaks more languages."""
FORMS: Final = frozenset({"none", "one", "other"})
"""The forms of a text with a number: for 0 where it differs, for 1, and for the rest. A language
with more plurals (CLDR's `few`, `many`) needs a rule in `_form`, and the same in texts.js."""

Text = str | Mapping[str, str]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_RANGE = re.compile(
    r"([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*[ \t]*(?:;[ \t]*q=([01](?:\.\d{0,3})?))?"
)


@dataclass(frozen=True, slots=True)
class Language:
    """All texts in one language.

    Attributes:
        code: its BCP 47 tag.
        texts: by key. A text with a number is a mapping of its forms.
    """

    code: str
    texts: Mapping[str, Text]

    def text(self, key: str, **values: object) -> str:
        """Return a text with its placeholders filled in; `count` chooses the form.

        Raises:
            KeyError: there is no such text, or a value is missing.
        """
        found = self.texts[key]
        sentence = found if isinstance(found, str) else found[_form(found, values["count"])]
        return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), sentence)

    def around(self, key: str, name: str) -> tuple[str, str]:
        """Return what stands before and after a text's placeholder, to put markup in between."""
        before, _, after = self.text(key, **{name: "\0"}).partition("\0")
        return before, after

    def sections(self, *names: str) -> dict[str, Text]:
        """Return the texts of these sections, as scripts read them."""
        return {key: text for key, text in self.texts.items() if key.partition(".")[0] in names}


def load_language(path: Path) -> Language:
    """Read a language file.

    Raises:
        OSError, tomllib.TOMLDecodeError: it cannot be read.
    """
    return Language(path.stem, dict(_flat(tomllib.loads(path.read_text(encoding="utf-8")))))


def negotiate(accepted: str) -> Language:
    """Return the language of ours that a person wants most (RFC 9110 12.5.4), or English.

    Args:
        accepted: the value of Accept-Language. Malformed parts are ignored, and all behind the
            first `MOST_RANGES`.
    """
    wanted: dict[str, float] = {}
    for each in accepted.split(",", MOST_RANGES)[:MOST_RANGES]:
        # For the range of a country, its language will do (RFC 4647 3.4).
        if (match := _RANGE.fullmatch(each.strip())) and match[1].lower() in LANGUAGES:
            code = match[1].lower()
            wanted[code] = max(wanted.get(code, 0.0), float(match[2] or 1))
    best = max(wanted, key=wanted.__getitem__, default=ENGLISH.code)
    return LANGUAGES[best] if wanted.get(best) else ENGLISH


def _form(forms: Mapping[str, str], count: object) -> str:
    if count == 0 and "none" in forms:
        return "none"
    return "one" if count == 1 else "other"


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, Text]]:
    pairs: list[tuple[str, Text]] = []
    for name, value in table.items():
        if not isinstance(value, dict):
            pairs.append((prefix + name, str(value)))
        elif value.keys() <= FORMS:
            pairs.append((prefix + name, value))
        else:
            pairs += _flat(value, f"{prefix}{name}.")
    return pairs


LANGUAGES: Final = {path.stem: load_language(path) for path in sorted(FOLDER.glob("*.toml"))}
ENGLISH: Final = LANGUAGES["en"]


def reason_sentence(reason: str) -> str:
    """Return why a session ended, as an English sentence for programs."""
    return ENGLISH.text(f"reason.{reason}")
