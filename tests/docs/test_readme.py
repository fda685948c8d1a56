"""The README's programs are the files of `examples/`, which other tests run."""

import pytest

from tests.docs.markdown import ROOT, blocks, page

EXAMPLES = {block.name: block.text for block in blocks(page("README.md")) if block.name}


def test_the_readme_shows_all_three_examples() -> None:
    assert set(EXAMPLES) == {"examples/client.py", "examples/client.mjs", "examples/notes.py"}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_shown_as_it_is(name: str) -> None:
    assert EXAMPLES[name] == (ROOT / name).read_text(encoding="utf-8")


def test_a_handler_of_ones_own_takes_at_most_fifteen_lines() -> None:
    lines = EXAMPLES["examples/notes.py"].splitlines()
    assert len([line for line in lines if line.strip()]) <= 15
