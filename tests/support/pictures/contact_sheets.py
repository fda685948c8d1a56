"""Take pictures of every page in every state: `python -m tests.support.pictures.contact_sheets`.

A sheet shows one state on a desk by day and on a phone at night. `docs/pages.md` shows them as wide
as a page of it is, so that every word can be read there.
"""

import base64
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from tests.support.browsers.chromium import chromium
from tests.support.pictures.tours import TOURS

SHEETS: Final = Path(__file__).parents[3] / "docs" / "images" / "pages"
DESKTOP: Final = {"width": 820, "height": 620}
PHONE: Final = {"width": 390, "height": 700}
SHRINK: Final = 0.72
"""Both beside each other are as wide as the column of a page. Text is 12 pixels high."""

QUALITIES: Final = (0.6, 0.45, 0.3, 0.2, 0.1)
"""Of WebP: the first one that keeps a picture small."""
MOST_BYTES: Final = 58_000
AS_WEBP: Final = """async ([png, quality]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/webp', quality).split(',')[1];
}"""
"""A third of the size of a PNG."""

SHEET: Final = """
<!doctype html>
<meta charset="utf-8">
<style>
  body {{ display: flex; align-items: flex-start; gap: 10px; width: max-content; margin: 0;
         padding: 10px; background: #d9d4ca; }}
  img {{ display: block; border-radius: 5px; }}
</style>
{images}
"""


def main() -> None:
    """Take them all."""
    SHEETS.mkdir(parents=True, exist_ok=True)
    for old in SHEETS.glob("*.webp"):
        old.unlink()
    with chromium() as browser:
        for tour in TOURS.values():
            for name, page in tour.stops(browser, reduced_motion="reduce"):
                compose(browser, SHEETS / f"{name}.webp", pictures(page))


def pictures(page: Page, *, whole: bool = True) -> list[tuple[bytes, float]]:
    """The state in both looks, with the width that its picture is to have.

    Args:
        page: is in the state.
        whole: whether to show also what one would scroll to.
    """
    taken = []
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a plain str
        # A dialog stands before what is seen, not before all of the page.
        is_whole = whole and not page.locator("dialog[open]").count()
        taken.append((page.screenshot(full_page=is_whole), size["width"] * SHRINK))
    return taken


def compose(browser: Browser, path: Path, taken: list[tuple[bytes, float]]) -> None:
    """Put the pictures of one state side by side."""
    images = "".join(
        f'<img width="{width:.0f}" src="data:image/png;base64,{base64.b64encode(image).decode()}">'
        for image, width in taken
    )
    page = browser.new_page()
    page.set_content(SHEET.format(images=images))
    sheet = base64.b64encode(page.locator("body").screenshot()).decode()
    for quality in QUALITIES:
        picture = base64.b64decode(page.evaluate(AS_WEBP, [sheet, quality]))
        if len(picture) < MOST_BYTES:
            break
    path.write_bytes(picture)
    page.close()


if __name__ == "__main__":
    main()
