"""TLS before a store that has none: a certificate authority of one's own, and a proxy."""

import asyncio
import ssl
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

CHUNK_BYTES = 64 * 1024


class Authority:
    """Signs certificates for host names and addresses.

    Args:
        folder: where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "ca.pem"
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=test authority"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", folder / "ca.key", "-out", self.certificate),
        )

    def certify(self, name: str) -> tuple[Path, Path]:
        """A certificate for a name such as `DNS:localhost` or `IP:127.0.0.1`, and its key."""
        stem = name.replace(":", "-")
        certificate, key = self._folder / f"{stem}.pem", self._folder / f"{stem}.key"
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=a store"),
            *("-CA", self.certificate, "-CAkey", self._folder / "ca.key"),
            *("-addext", f"subjectAltName={name}", "-addext", "basicConstraints=CA:FALSE"),
            *("-keyout", key, "-out", certificate),
        )
        return certificate, key


class TlsProxy:
    """Speaks TLS to its clients, and plain TCP to a port of the loopback.

    Args:
        target: the port.
        certificate: what it shows, and the key to it.
        clients: the authority that clients' certificates must be of; None asks for none.

    Attributes:
        heard: how many pieces of data clients have sent inside TLS.
    """

    def __init__(
        self, target: int, certificate: tuple[Path, Path], clients: Authority | None = None
    ) -> None:
        self.port = self.heard = 0
        self._target = target
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        if clients is not None:
            self._context.load_verify_locations(clients.certificate)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cut everything."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=self._context, family=2
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._pass_on(reader, back_writer), _pass(back_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, back_writer):
                each.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            self.heard += 1
            writer.write(data)
            await writer.drain()
        raise ConnectionError


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    raise ConnectionError


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
