"""Makes a package that can be installed: `pip install .` gives one import name, `curfew`.

What stands beside `curfew` in a clone is inside it in an installed copy, in `curfew/installed`. So
the general names `server`, `handlers`, `settings` and `run` are not at the top of an environment.
"""

from collections.abc import Iterator
from pathlib import Path

from setuptools import setup

INSIDE = "curfew.installed"
DATA = ["*.html", "*.toml", "*.lua", "*.txt", "*.css", "*.js", "*.svg", "*.png"]


def folders(top: str) -> Iterator[str]:
    """Yield a folder and all folders in it, as packages are named."""
    for each in (Path(top), *Path(top).rglob("*")):
        if each.is_dir() and each.name != "__pycache__":
            yield ".".join(each.parts)


rest = [f"{INSIDE}.{each}" for top in ("server", "handlers", "static") for each in folders(top)]

setup(
    packages=["curfew", "curfew.testing", *rest],
    py_modules=[f"{INSIDE}.run", f"{INSIDE}.settings"],
    package_dir={"curfew": "curfew", INSIDE: "."},
    package_data={"": DATA, "curfew": ["skeleton/*", "skeleton/**/*"]},
    exclude_package_data={"": ["__pycache__/*", "**/__pycache__/*"]},
)
