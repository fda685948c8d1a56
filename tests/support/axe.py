"""axe-core in a page: what of it people with disabilities could not use."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.support.node import package

RUN = """async () => {
  const options = { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } };
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, any, all, none }) => (
    { id, help, html: html.slice(0, 200),
      why: [...any, ...all, ...none].map(({ message }) => message) }
  )));
}"""


def violations(page: Page) -> list[str]:
    """All rules of axe-core that the page breaks, each with the element that does."""
    # Not as a script element: the page's policy would refuse it. The driver's own code may pass.
    page.evaluate(_source())
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [f"{each['id']}: {each['help']}: {each['html']} {each['why']}" for each in found]


@cache
def _source() -> str:
    source = (package("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    return f"() => {{ if (!window.axe) {{ {source} }} }}"
