"""Every link in a page leads somewhere."""

from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_resolve(page: Path) -> None:
    broken = [link for link in links(page) if not resolves(page, link)]
    assert broken == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_a_page_is_reached_from_the_readme(page: Path) -> None:
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        new = {target for each in new for target in linked_pages(each)} - reached
    assert page in reached


def linked_pages(page: Path) -> set[Path]:
    """The pages of ours that a page links to."""
    targets = (page.parent / link.partition("#")[0] for link in links(page) if is_ours(link))
    return {target.resolve() for target in targets if target.suffix == ".md" and target.exists()}


def resolves(page: Path, link: str) -> bool:
    """Whether a link leads to a file of ours and a heading in it; other sites are left alone."""
    if not is_ours(link):
        return link.startswith(("https://", "http://127.0.0.1:8888/"))
    name, _, anchor = link.partition("#")
    target = page if not name else (page.parent / name).resolve()
    return target.exists() and (not anchor or anchor in anchors(target))


def is_ours(link: str) -> bool:
    """Whether a link stays in this project."""
    return "://" not in link
