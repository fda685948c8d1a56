"""The version before this one, as an archive of this folder, to run beside it.

There are no tags yet. So the archive is of the last commit before the API of version 0.1, and a
clone needs no history to unpack it. When a version is released, it takes the place of this one:

    git archive --format=tar TAG run.py settings.py server handlers static | xz -9e > TAG.tar.xz
"""

import tarfile
from pathlib import Path
from typing import Final

FORMER: Final = "3c055249"
"""The commit, which is also the name of the archive."""


def unpack_former(folder: Path) -> Path:
    """Unpack the former version into a folder; return its `run.py`."""
    with tarfile.open(Path(__file__).parent / f"{FORMER}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "run.py"
