"""A server that speaks the store's protocol and answers what a test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Reply = str | int | Exception | list["Reply"] | Mapping[str, "Reply"] | None


@dataclass
class ScriptedServer:
    """What it answers, and what it was asked.

    Attributes:
        answer: gets the words of a command. None leaves it without an answer.
        port: on the loopback.
        commands: all that came.
    """

    answer: Callable[[list[str]], Reply]
    port: int = 0
    commands: list[list[str]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it leaves."""
        self.writers.append(writer)
        try:
            while head := await reader.readline():
                words = [await _word(reader) for _ in range(int(head[1:]))]
                self.commands.append(words)
                reply = {"server": "scripted"} if words[0] == "HELLO" else self.answer(words)
                if reply is not None:
                    writer.write(framed(reply))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _word(reader: asyncio.StreamReader) -> str:
    length = int((await reader.readline())[1:])
    return (await reader.readexactly(length + 2))[:-2].decode()


def framed(reply: Reply) -> bytes:
    """Return a reply as it is sent (RESP3)."""
    if isinstance(reply, Exception):
        return f"-{reply}\r\n".encode()
    if isinstance(reply, int):
        return f":{reply}\r\n".encode()
    if isinstance(reply, list):
        return b"*%d\r\n" % len(reply) + b"".join(map(framed, reply))
    if isinstance(reply, Mapping):
        pairs = b"".join(framed(key) + framed(value) for key, value in reply.items())
        return b"%%%d\r\n" % len(reply) + pairs
    text = str(reply).encode()
    return b"$%d\r\n%s\r\n" % (len(text), text)


@asynccontextmanager
async def scripted_server(answer: Callable[[list[str]], Reply]) -> AsyncIterator[ScriptedServer]:
    """Run one."""
    scripted = ScriptedServer(answer)
    async with await asyncio.start_server(scripted.serve, "127.0.0.1", 0) as server:
        scripted.port = server.sockets[0].getsockname()[1]
        try:
            yield scripted
        finally:
            for each in scripted.writers:
                each.close()
            await asyncio.gather(
                *(each.wait_closed() for each in scripted.writers), return_exceptions=True
            )
