"""axe-core in a page: what of it people with disabilities could not use."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.support.browsers.node import package

RUN = """async () => {
  const ofAStillPage = async (look) => {
    let changed;
    const watch = new MutationObserver(() => { changed = true; });
    watch.observe(document, { subtree: true, childList: true });
    for (let tries = 0; tries < 10; tries += 1) {
      changed = false;
      const seen = await look();
      if (!changed) { return seen; }
    }
    throw new Error('The page changed during each of ten looks.');
  };
  const resultTypes = ['violations', 'incomplete'];
  const options = { resultTypes, rules: { 'target-size': { enabled: true } } };
  const { violations, incomplete } = await ofAStillPage(() => axe.run(document, options));
  const unknown = incomplete.filter(({ id }) => id !== 'color-contrast');
  const told = (id, help, { html, any, all, none }) => (
    { id, help, html: html.slice(0, 200),
      why: [...any, ...all, ...none].map(({ message }) => message) }
  );
  return [...violations, ...unknown].flatMap(
    ({ id, help, nodes }) => nodes.map((node) => told(id, help, node)));
}"""


def violations(page: Page) -> list[str]:
    """All rules of axe-core that the page breaks, each with the element that does.

    Those that it cannot decide on count as broken, but for contrast: it does not know the colours
    of a gradient, nor of what lies over another element.

    A page that changes while axe-core looks is looked at again: its rules compare elements, and an
    element that is gone by then breaks them all.
    """
    # Not as a script element: the page's policy would refuse it. The driver's own code may pass.
    page.evaluate(_source())
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [f"{each['id']}: {each['help']}: {each['html']} {each['why']}" for each in found]


@cache
def _source() -> str:
    source = (package("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    return f"() => {{ if (!window.axe) {{ {source} }} }}"
