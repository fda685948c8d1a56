"""People with browsers of their own, each test's strangers to those of every other test."""

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.support.clients.client import Client
from tests.support.running.waiting import until

_numbers = itertools.count(1)


class People:
    """Opens browsers on one server.

    Args:
        url: the server's address.
        stack: closes the browsers.
    """

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack

    async def visitor(self, address: str | None = None) -> Client:
        """A browser without a session, at a loopback address of its own if one is given."""
        return await self._stack.enter_async_context(Client(self._url, address=address))

    async def somebody(self) -> Client:
        """Somebody new, signed in."""
        return await (await self.visitor()).sign_up(f"person-{next(_numbers)}")

    async def again(self, client: Client) -> Client:
        """The same person in another browser, signed in there too."""
        return await (await self.visitor()).sign_in(await user_of(client))


async def user_of(client: Client) -> str:
    """The name under which a client is signed in."""
    answer = await client.request("GET", "/api/session")
    user: str = answer.json()["session"]["user"]
    return user


async def sockets_of(client: Client) -> int:
    """The number of open sockets of the client's session, as the list of sessions tells it."""
    listed = (await client.request("GET", "/api/sessions")).json()["sessions"]
    number: int = next(each["sockets"] for each in listed if each["current"])
    return number


async def until_sockets(client: Client, number: int) -> None:
    """Wait until the list of sessions tells this number of open sockets."""

    async def told() -> bool:
        return await sockets_of(client) == number

    await until(told)


@asynccontextmanager
async def people_of(url: str) -> AsyncIterator[People]:
    """Browsers that are closed at the end."""
    async with AsyncExitStack() as stack:
        yield People(url, stack)
