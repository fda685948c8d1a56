"""The how-to for the browser client shows the example as it is, and every event there is."""

import re

import pytest

from tests.docs.markdown import ROOT, blocks, page, table

PAGE = page("docs/howto/use-the-browser-client.md")
EXAMPLES = {block.name: block.text for block in blocks(PAGE) if block.name}


@pytest.mark.parametrize("name", ["examples/messages.py", "examples/messages.html"])
def test_the_example_is_shown_as_it_is(name: str) -> None:
    assert EXAMPLES[name] == (ROOT / name).read_text(encoding="utf-8")


def test_every_event_is_on_the_page_and_no_other() -> None:
    typed = (
        (ROOT / "static/js/events.js").read_text(encoding="utf-8").partition("{object} Events")[2]
    )
    events = re.findall(r"\}\} (\w+)$|\{Deadlines\} (\w+)$", typed, re.MULTILINE)
    named = [name for row in table(PAGE, "event") for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(first or second for first, second in events)


def test_every_method_is_on_the_page_and_no_other() -> None:
    script = (ROOT / "static/js/session.js").read_text(encoding="utf-8")
    methods = re.findall(r"^  (?:async )?(\w+)\(.*\) \{$", script, re.MULTILINE)
    named = [re.findall(r"`(\w+)\(", row[0])[0] for row in table(PAGE, "method")]
    assert sorted(named) == sorted(set(methods) - {"constructor"})
