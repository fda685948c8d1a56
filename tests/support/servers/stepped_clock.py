"""A real Valkey whose wall clock can be set while it runs, as an administrator or NTP sets one."""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.servers.valkey import ValkeyServer

SOURCE: Final = Path(__file__).with_suffix(".c")


class SteppedValkey(ValkeyServer):
    """See `ValkeyServer`. Only its wall clock is wrong, not its monotonic one."""

    def start(self) -> None:
        """Start it with a clock that is right."""
        library, step = self.folder / "stepped_clock.so", self.folder / "step"
        if not library.exists():
            _compile(library)
        step.write_bytes(struct.pack("q", 0))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LD_PRELOAD", str(library))
            patch.setenv("CURFEW_CLOCK_STEP", str(step))
            super().start()

    def set_clock(self, seconds: int) -> None:
        """Let its clock be wrong by so much from now on; 0 sets it right."""
        with (self.folder / "step").open("r+b") as file:
            file.write(struct.pack("q", seconds))


def _compile(library: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("LD_PRELOAD is of Linux")
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "these tests need a C compiler (Debian: apt-get install gcc libc6-dev)"
    environment = {**os.environ, "LC_ALL": "C"}
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"],
        check=True,
        env=environment,
    )
