"""Tells how many of our files run for one request: `python -m tests.docs.walks [FOLDER]`.

With a folder that holds another version of the code, it measures that one.
"""

import asyncio
import os
import sys

from tests.docs.map.rooms import ROOT
from tests.docs.walks.requests import (
    files_run,
    get,
    log_out,
    log_out_with_a_socket,
    message,
    noting_server,
    sign_in,
    sign_in_by_two_factors,
)

WALKS = (get, log_out, log_out_with_a_socket, sign_in, sign_in_by_two_factors, message)


async def tell() -> None:
    """Write each walk with the number of files, and their names."""
    with noting_server() as server:
        for walk in WALKS:
            files = await files_run(server, walk)
            names = "".join(f"       {name}\n" for name in sorted(files))
            sys.stdout.write(f"{len(files):3}  {walk.__doc__}\n{names}")


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = sys.argv[1] if len(sys.argv) > 1 else str(ROOT)
    asyncio.run(tell())
