"""The page with the pictures shows all there are."""

import re

from tests.docs.markdown import ROOT, page
from tests.support.pictures.tours import STATES

IMAGES = ROOT / "docs" / "images" / "pages"
LARGEST_BYTES = 60_000


def test_every_picture_of_a_state_is_shown_once_with_words_for_it() -> None:
    text = page("docs/pages.md").read_text(encoding="utf-8")
    shown = re.findall(r"^!\[[^]]+\]\(images/pages/([\w-]+)\.webp\)$", text, re.MULTILINE)
    assert sorted(shown) == sorted(STATES)


def test_every_state_has_its_picture() -> None:
    assert {path.name for path in IMAGES.iterdir()} == {f"{name}.webp" for name in STATES}


def test_the_pictures_stay_small() -> None:
    assert max(path.stat().st_size for path in IMAGES.iterdir()) < LARGEST_BYTES
