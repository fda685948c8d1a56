"""Writes docs/performance.md anew from docs/performance.json, without measuring anything."""

from benchmarks.report.page import write_page
from benchmarks.report.results import read_results
from benchmarks.running import ROOT

if __name__ == "__main__":
    write_page(ROOT / "docs", read_results(ROOT / "docs"))
