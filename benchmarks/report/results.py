"""Keeps results in a file, so that one part can be measured again without the others."""

import json
from pathlib import Path
from typing import Final

from benchmarks.figures import Result

NAME: Final = "performance.json"


def read_results(folder: Path) -> dict[str, Result]:
    """Return the results that a folder holds, by part."""
    path = folder / NAME
    if not path.exists():
        return {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {part: Result.from_json(each) for part, each in stored.items()}


def write_results(folder: Path, results: dict[str, Result]) -> None:
    """Write the results, with as many digits as mean something."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {part: _rounded(each.as_json()) for part, each in results.items()}
    text = json.dumps(stored, ensure_ascii=False, separators=(",", ":"))
    # A line for each series and figure: what changed is seen in a diff.
    text = text.replace(',"', ',\n"').replace("},{", "},\n{")
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
