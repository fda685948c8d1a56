"""All sentences are in the language files: each is used, and each that is used is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.languages.texts import ENGLISH, FORMS, LANGUAGES, Language, Text
from handlers.pages.base import SCRIPT_TEXTS
from server.core.activity import SHOWN
from server.core.audit import AuditEvent
from server.core.reasons import Reason

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "handlers" / "pages" / "templates").rglob("*.html"))
HANDLERS = sorted((ROOT / "handlers").rglob("*.py"))
SCRIPTS_FOLDER = ROOT / "static" / "js"
SCRIPTS = sorted(SCRIPTS_FOLDER.glob("*.js"))
FLAWS = sorted((ROOT / "server").glob("**/*.py"))

QUOTED_SECTION = re.compile(r"['\"`]([a-z_]+)\.")
IMPORT = re.compile(r"^import .* from '\./([\w.]+)';$", re.MULTILINE)
KEY = re.compile(r"['\"`]([a-z_]+\.[a-z_.-]+)['\"`]")
WITH_DETAILS = {AuditEvent.SESSION_ENDED, AuditEvent.USER_UPDATED}
CHANGES = ("disabled", "enabled", "changed")


def placeholders(text: Text) -> set[str]:
    """The names in braces."""
    forms = [text] if isinstance(text, str) else text.values()
    return {name for form in forms for name in re.findall(r"\{(\w+)\}", form)}


@pytest.fixture(params=sorted(set(LANGUAGES) - {"en"}))
def other(request: pytest.FixtureRequest) -> Language:
    """Each language but English."""
    return LANGUAGES[request.param]


def test_every_language_has_the_same_texts_with_the_same_placeholders(other: Language) -> None:
    assert other.texts.keys() == ENGLISH.texts.keys()
    for key, text in ENGLISH.texts.items():
        assert isinstance(other.texts[key], str) is isinstance(text, str), key
        assert placeholders(other.texts[key]) == placeholders(text), key


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_texts_are_whole(language: Language) -> None:
    for key, text in language.texts.items():
        forms = {"": text} if isinstance(text, str) else dict(text)
        assert isinstance(text, str) or {"one", "other"} <= text.keys() <= FORMS, key
        for form in forms.values():
            assert form.strip() == form, key
            assert form, key
            assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", form)), key


def used() -> Iterator[str]:
    """The keys that templates, handlers and scripts name, and those they make of words."""
    for path in (*TEMPLATES, *HANDLERS, *SCRIPTS):
        source = path.read_text(encoding="utf-8")
        yield from (key for key in KEY.findall(source) if is_key(key))
    yield from (f"reason.{reason}" for reason in Reason)
    yield from (f"ended_because.{reason}" for reason in Reason)
    yield from (f"ago.{unit}" for unit in ("days", "hours", "minutes"))
    yield from (f"duration.{unit}" for unit in ("days", "hours", "minutes", "seconds"))
    yield from (f"activity.{event}" for event in SHOWN - WITH_DETAILS)
    yield from (f"activity.{AuditEvent.SESSION_ENDED}.{reason}" for reason in Reason)
    yield from (f"activity.{AuditEvent.USER_UPDATED}.{each}" for each in CHANGES)
    for slug, cases in slugs().items():
        yield f"problem.{slug}.heading"
        yield from (f"problem.{slug}.{case}" for case in cases)


def is_key(word: str) -> bool:
    """Whether a quoted word with a dot is a key, and no file or attribute."""
    section, _, last = word.partition(".")
    return section in SECTIONS and last not in {"html", ""}


SECTIONS = {key.partition(".")[0] for key in ENGLISH.texts}


def slugs() -> dict[str, set[str]]:
    """The problems that pages can meet, each with its cases."""
    found: dict[str, set[str]] = {"other": {"text"}}
    for call in calls("Problem", HANDLERS):
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
            found[str(call.args[1].value)] = {"text"}
    for slug in NEVER_ON_PAGES:
        del found[slug]
    for kind in ("Password", "Username"):
        flaws = [call.args[0] for call in calls(f"Bad{kind}", FLAWS)]
        found[f"bad-{kind.lower()}"] = {str(ast.literal_eval(flaw)) for flaw in flaws}
    return found | {"name-taken": {"text"}, "throttled": {"seconds", "minutes"}}


NEVER_ON_PAGES = {
    "unsupported-media-type", "upgrade-required", "wrong-subprotocol", "data-refused",
    "reauthentication-required", "request-timeout", "target-too-long",
    "headers-too-large", "unknown-coding",
}  # fmt: skip


def calls(name: str, paths: list[Path]) -> Iterator[ast.Call]:
    """All calls of a function or class of this name."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                yield node


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    assert set(used()) == ENGLISH.texts.keys()


def sections_of(script: Path) -> set[str]:
    """The sections of the texts that a script and the modules it imports name."""
    found: set[str] = set()
    for path in with_imports(script):
        found |= set(QUOTED_SECTION.findall(path.read_text(encoding="utf-8")))
    return found & SECTIONS


def with_imports(script: Path, met: frozenset[Path] = frozenset()) -> frozenset[Path]:
    """A script and all the modules that a browser loads with it."""
    met |= {script}
    for name in IMPORT.findall(script.read_text(encoding="utf-8")):
        if (module := script.parent / name) not in met:
            met |= with_imports(module, met)
    return met


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_page_gives_its_scripts_all_the_texts_that_they_name(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    given = set(SCRIPT_TEXTS) if 'id="texts"' in source else set()
    for name in re.findall(r"static_url\('js/([\w.]+)'\)", source):
        assert sections_of(SCRIPTS_FOLDER / name) == given, name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_a_sentence_of_its_own(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    source = re.sub(r"\{%.*?%\}|\{#.*?#\}|\{\{.*?\}\}|<svg.*?</svg>", "", source, flags=re.DOTALL)
    shown = re.sub(r"<[^>]*>", "\n", source) + "\n".join(
        re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', source)
    )
    words = set(re.findall(r"[A-Za-z]{2,}", shown))
    assert words <= {"Curfew"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_holds_a_sentence_of_its_own(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    source = re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)|(?m:\s// .*$)", "", source, flags=re.DOTALL)
    quoted = re.findall(r"'([^'\n]*)'|`([^`]*)`", source)
    said = [words for pair in quoted for words in pair if re.search(r"[A-Za-z]{2,}[,.]? \w", words)]
    assert said == []
