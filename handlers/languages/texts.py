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
DEFAULT: Final = "en"
OWN_NAME: Final = "look.name"
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
    return negotiate_among(LANGUAGES, accepted)


def negotiate_among(languages: Mapping[str, Language], accepted: str) -> Language:
    """Return the language that a person wants most, or English; see `negotiate`.

    Args:
        languages: by code; English is among them.
        accepted: the value of Accept-Language.
    """
    wanted: dict[str, float] = {}
    for each in accepted.split(",", MOST_RANGES)[:MOST_RANGES]:
        # For the range of a country, its language will do (RFC 4647 3.4).
        if (match := _RANGE.fullmatch(each.strip())) and match[1].lower() in languages:
            code = match[1].lower()
            wanted[code] = max(wanted.get(code, 0.0), float(match[2] or 1))
    best = max(wanted, key=wanted.__getitem__, default=DEFAULT)
    return languages[best] if wanted.get(best) else languages[DEFAULT]


def with_own_texts(folder: Path) -> Mapping[str, Language]:
    """Return our languages with an application's texts over ours, and its own languages.

    A text that a language of its own lacks is in English.

    Args:
        folder: of its language files, which have only the texts that are new or changed.

    Raises:
        OSError, tomllib.TOMLDecodeError: a file cannot be read.
    """
    own = {path.stem: load_language(path).texts for path in sorted(folder.glob("*.toml"))}
    english = {**ENGLISH.texts, **own.get(DEFAULT, {})}
    codes = sorted(LANGUAGES.keys() | own.keys())
    return {code: Language(code, {**english, **_ours(code), **own.get(code, {})}) for code in codes}


@dataclass(frozen=True, slots=True)
class OwnName:
    """What a language calls itself.

    Attributes:
        code: its BCP 47 tag.
        name: in its own words; the tag if its file does not say.
    """

    code: str
    name: str


def own_names(languages: Mapping[str, Language]) -> list[OwnName]:
    """Return what each language calls itself, in the order of their tags."""
    english = languages[DEFAULT].text(OWN_NAME)
    names = {tag: each.text(OWN_NAME) for tag, each in sorted(languages.items())}
    # A language of an application's own has our English texts where it lacks one.
    return [
        OwnName(tag, tag if tag != DEFAULT and name == english else name)
        for tag, name in names.items()
    ]


def _ours(tag: str) -> Mapping[str, Text]:
    return LANGUAGES[tag].texts if tag in LANGUAGES and tag != DEFAULT else {}


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
ENGLISH: Final = LANGUAGES[DEFAULT]


def reason_sentence(reason: str) -> str:
    """Return why a session ended, as an English sentence for programs."""
    return ENGLISH.text(f"reason.{reason}")
