"""Floods a server through one socket after another, as fast as it can, until it is killed.

python flooder.py http://127.0.0.1:8888 '<cookie header>' <beginning in hex> <frame in hex>
"""

import contextlib
import socket
import sys
from urllib.parse import urlsplit

HANDSHAKE = """GET /ws HTTP/1.1\r
Host: {host}\r
Origin: {url}\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
Sec-WebSocket-Protocol: curfew.v1\r
Cookie: {cookie}\r
\r
"""


def main(url: str, cookie: str, beginning: str, frame: str) -> None:
    """Flood."""
    address = urlsplit(url)
    hello = HANDSHAKE.format(host=address.netloc, url=url, cookie=cookie).encode()
    flood = bytes.fromhex(frame) * 2_000
    while True:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((address.hostname, address.port), 5) as connection,
        ):
            connection.sendall(hello)
            connection.recv(1)
            connection.sendall(bytes.fromhex(beginning))
            sys.stdout.write("flooding\n")
            sys.stdout.flush()
            while True:
                connection.sendall(flood)


main(*sys.argv[1:])
