"""A network that lets HTTP through and no sockets: a real nginx in front of a Curfew."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve

from tests.support.running.ports import free_port
from tests.support.running.processes import eventually
from tests.support.servers.proxy import Proxy
from tests.support.servers.server import CurfewServer

SYSTEM_FOLDERS: Final = "/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
"""Where Debian has nginx, besides the `PATH` of an ordinary user."""
STOP_SECONDS: Final = 20.0
CONFIGURATION: Final = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{}}
http {{
    log_format asked '$request_method $uri $status $http_curfew_activity';
    access_log access.log asked;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        location / {{ proxy_pass http://127.0.0.1:{server}; }}
        location = /ws {{ {sockets} }}
    }}
}}
"""
THROUGH: Final = (
    "proxy_set_header Host $http_host; proxy_set_header Connection upgrade; "
    "proxy_set_header Upgrade $http_upgrade; "
    "proxy_pass http://127.0.0.1:{port};"
)


class BlockedNetwork:
    """The way to a server: pages get through, sockets do not.

    Attributes:
        server: the Curfew behind it.
        url: where browsers find it.
        link: the way of the sockets, where they have one.
    """

    def __init__(self, server: CurfewServer, url: str, link: Proxy, folder: Path) -> None:
        self.server = server
        self.url = url
        self.link = link
        self._log = folder / "access.log"

    def asked(self) -> list[str]:
        """The questions over HTTP so far: method, path, status, and what they say of activity."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [each for each in lines if each.split()[1] == "/api/session"]


@contextmanager
def blocked_network(way: str, **settings: Any) -> Iterator[BlockedNetwork]:
    """Run a server behind a network.

    Args:
        way: how sockets fare. `refused`: they are answered 403. `plain`: a proxy that forwards no
            upgrade. `deaf`: they open, and nothing comes through. `closed`: they open, and are
            closed at once. `open`: they work, until the link is darkened.
        settings: of the server.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        server = CurfewServer(origins=url, trusted_proxies="127.0.0.1", **settings)
        link = stack.enter_context(Proxy(server.port))
        sockets = {
            "refused": "return 403;",
            "plain": f"proxy_pass http://127.0.0.1:{server.port};",
            "open": THROUGH.format(port=link.port),
        }
        if way not in sockets:
            sockets[way] = THROUGH.format(
                port=stack.enter_context(_useless(closes=way == "closed"))
            )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="curfew-nginx-")))
        configuration = CONFIGURATION.format(port=port, server=server.port, sockets=sockets[way])
        (folder / "nginx.conf").write_text(configuration, encoding="utf-8")
        stack.enter_context(server)
        stack.enter_context(_nginx(folder))
        eventually((folder / "access.log").exists)
        yield BlockedNetwork(server, url, link, folder)


@contextmanager
def _nginx(folder: Path) -> Iterator[None]:
    program = shutil.which("nginx") or shutil.which("nginx", path=SYSTEM_FOLDERS)
    assert program, "no nginx: apt install nginx-light"
    command = [program, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    process = subprocess.Popen(command)
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


@contextmanager
def _useless(*, closes: bool) -> Iterator[int]:
    """Accept sockets and say nothing to them, for ever or for a moment; the port."""
    loop = asyncio.new_event_loop()

    async def accept(socket: ServerConnection) -> None:
        if not closes:
            await socket.wait_closed()

    async def listen() -> Server:
        return await serve(accept, "127.0.0.1", 0, subprotocols=["curfew.v1"])  # type: ignore[list-item]  # NewType of str

    thread = Thread(target=loop.run_forever)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    yield next(iter(listening.sockets)).getsockname()[1]
    listening.close()
    asyncio.run_coroutine_threadsafe(listening.wait_closed(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
