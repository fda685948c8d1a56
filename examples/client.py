"""Sign in, print all frames, and reconnect until a close code says to stop.

PASSWORD='…' python client.py http://127.0.0.1:8888 ada
"""

import asyncio
import json
import os
import random
import sys
import time
from contextlib import suppress
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

try:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidHandshake
    from websockets.typing import Origin, Subprotocol
except ModuleNotFoundError:
    sys.exit("Install the package first: .venv/bin/python -m pip install websockets")

FINAL = {1008, 1009, *range(4400, 4500)}
"""Close codes after which a client must not reconnect."""


def sign_in(url: str, username: str, password: str) -> str:
    """Sign in; return the session's cookie as it must be sent back. If that fails, say why."""
    body = json.dumps({"username": username, "password": password}).encode()
    try:
        request = Request(f"{url}/api/login", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=20) as answer:
            cookie = answer.headers["Set-Cookie"]
    except HTTPError as error:
        why = f"{error.code} {error.reason}"
        with suppress(ValueError, TypeError, KeyError):  # it is no Curfew that answers
            why = json.load(error)["detail"]
        sys.exit(f"not signed in: {why}")
    except (OSError, HTTPException, ValueError) as error:
        sys.exit(f"not signed in: {url} does not answer as Curfew does: {error}")
    if not cookie:
        sys.exit(f"not signed in: {url} sends no cookie")
    return str(cookie).partition(";")[0]


async def listen(url: str, cookie: str) -> int | None:
    """Print all frames of one connection; return its close code."""
    opening = connect(
        f"{url.replace('http', 'ws', 1)}/ws",
        origin=Origin(urljoin(url, "/")[:-1]),  # without it the server refuses the handshake
        subprotocols=[Subprotocol("curfew.v1")],
        additional_headers={"Cookie": cookie},
    )
    try:
        async with opening as socket:
            while True:
                print(await socket.recv(), flush=True)
    except ConnectionClosed:
        print("closed:", socket.close_code, socket.close_reason, flush=True)
        return socket.close_code
    except (OSError, InvalidHandshake) as error:
        print("not connected:", error, flush=True)
        return None


async def main(url: str, username: str) -> None:
    """Listen until a final close code; wait a random time before each new try."""
    cookie = sign_in(url, username, os.environ["PASSWORD"])
    failures, started = 0, time.monotonic()
    while await listen(url, cookie) not in FINAL:
        failures = failures + 1 if time.monotonic() < started + 5 else 0
        await asyncio.sleep(random.uniform(0.5, min(5 * 2**failures, 30)))
        started = time.monotonic()


match sys.argv[1:]:
    case [address, username] if "PASSWORD" in os.environ:
        with suppress(KeyboardInterrupt):
            asyncio.run(main(address.rstrip("/"), username))
    case _:
        sys.exit("usage: PASSWORD='…' python client.py http://127.0.0.1:8888 ada")
