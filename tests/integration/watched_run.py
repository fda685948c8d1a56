"""Runs a server that tells in its log whereto its processes connect."""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from run import serve


def _tell(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        os.write(2, f"\nconnects to {arguments[1]!r}\n".encode())


if __name__ == "__main__":
    sys.addaudithook(_tell)
    sys.exit(serve())
