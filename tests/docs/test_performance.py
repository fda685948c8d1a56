"""The page of what was measured is made from what was measured."""

from pathlib import Path

from benchmarks.report.page import write_page
from benchmarks.report.results import read_results
from tests.docs.markdown import ROOT

DOCS = ROOT / "docs"


def test_the_page_and_its_plots_say_what_was_measured(tmp_path: Path) -> None:
    write_page(tmp_path, read_results(DOCS))
    assert (tmp_path / "performance.md").read_text("utf-8") == (DOCS / "performance.md").read_text(
        "utf-8"
    ), "run make bench; or .venv/bin/python -m benchmarks.report, if only its words have changed"
    for plot in (tmp_path / "images").iterdir():
        assert plot.read_bytes() == (DOCS / "images" / plot.name).read_bytes()
