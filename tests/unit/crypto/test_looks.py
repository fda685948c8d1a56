"""Names that a reader may take for each other have one look; others have looks of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.crypto.looks import look_of

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "alike",
    [
        ("сосо", "coco"),  # all Cyrillic, and all Latin
        ("scope", "ѕсоре"),
        ("paypal", "paypa1"),
        ("admin0", "admino"),
        ("modern", "rnodern"),
        ("αο1", "αοl"),
        ("क्षत्रिय", "क्\u200dषत्रिय"),
        ("ipek", "i\u0307pek", "\u0131\u0307pek"),  # as İPEK is in lower case
        ("\u012fjan", "\u012f\u0307j\u0307an"),
        ("ada@coco.org", "ada@сосо.org"),
    ],
)
def test_names_that_look_alike(alike: tuple[str, ...]) -> None:
    assert len(set(alike)) == len(alike)
    assert len({look_of(name) for name in alike}) == 1


def test_other_names_look_different() -> None:
    names = [
        "ada",
        "adä",
        "bob",
        "иван",
        "анна",
        "李明",
        "李朋",
        "ada-1",
        "ada-2",
        "müller",
        "muller",
        "i\u0308pek",
        "ipek",
        "i\u0301\u0307pek",
        "i\u0301pek",
    ]
    assert len({look_of(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    "name", ["ada", "modern", "сосо", "admin0", "müller", "たなか太郎", "ξένος"]
)
def test_a_look_looks_like_itself(name: str) -> None:
    assert look_of(look_of(name)) == look_of(name)


def test_the_data_are_read_only_when_a_look_is_asked_for() -> None:
    script = (
        "import sys; from server.crypto.looks import _prototypes, look_of;"
        "assert 'confusable_homoglyphs.confusables' not in sys.modules;"
        "assert _prototypes.cache_info().currsize == 0;"
        "look_of('a'); assert _prototypes.cache_info().currsize == 1"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
