"""An administrator who loses the role while connected is none at the next act, in every process."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import pytest

from server.crypto.keyring import Keyring
from server.crypto.sealer import Sealer
from server.store.accounts import AccountStore
from server.store.change_account import change_account
from server.store.scripts import Scripts
from tests.support.clients.client import COOKIE, PASSWORD, Client, frame
from tests.support.engine.keys import KEY, text_of
from tests.support.engine.quiet import Unaudited
from tests.support.engine.store_client import open_store_client
from tests.support.servers.server import CurfewServer
from tests.support.servers.stores import Store


@pytest.mark.proves("A55", "8.3.2", "8.3.1")
async def test_the_next_act_of_who_lost_the_role_is_refused(store_url: str, valkey: Store) -> None:
    with CurfewServer(store_url=store_url, secret_keys=text_of(KEY), processes="2") as server:
        server.command("user", "add", "root", "--admin", given=f"{PASSWORD}\n")
        async with Client(server.url) as root, Client(server.url) as ann:
            await root.sign_in("root")
            await ann.sign_up("ann")
            async with root.open_socket() as socket:
                await frame(socket, "hello")
                with connections(server.port) as kept:
                    assert {asks(each, "GET", root) for each in kept} == {200}
                    await lose_role(valkey, "root")
                    for method in ("GET", "DELETE"):
                        assert {asks(each, method, root) for each in kept} == {403}
                await socket.send('{"type":"ping"}')
                await frame(socket, "pong")  # still somebody, and no administrator
            assert (await ann.request("GET", "/api/session")).status_code == 200


@contextmanager
def connections(port: int) -> Iterator[list[http.client.HTTPConnection]]:
    """So many that each process has some: the kernel deals."""
    with ExitStack() as stack:
        made = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(8)]
        yield [stack.enter_context(closing(each)) for each in made]


async def lose_role(store: Store, user: str) -> None:
    """Take the role off an account, which no command does."""
    sealer = Sealer(Keyring.from_secrets([KEY]))
    async with open_store_client(store.url) as client:
        accounts = AccountStore(client, Scripts(client), sealer, store.shards, Unaudited())
        changed = await change_account(
            accounts, user, lambda account: replace(account, admin=False), lambda: "lose-role"
        )
    assert changed is not None


def asks(connection: http.client.HTTPConnection, method: str, client: Client) -> int:
    """An administrator's act over a kept connection; the status."""
    headers = {
        "Cookie": f"{COOKIE}={client.cookie}",
        "Origin": client.url,
        "X-CSRF-Token": client.csrf_token,
    }
    connection.request(method, "/api/admin/users/ann/sessions", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status
