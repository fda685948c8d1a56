"""The turns that one connection takes: its peer's, or behind a proxy those of its client."""

from collections.abc import Callable

from handlers.front.turns import Begin, Share
from handlers.front.under_way import UnderWay


class OwnTurns:
    """One connection's turns. Many clients' requests may come on it, one after the other.

    The connection counts as opening from here on: others leave it room for its first request.

    Args:
        peer: the peer's share.
        go_on: called when the connection has its turn.

    Attributes:
        share: whose turns it takes now.
        request: the one that is under way, if any.
        waits: whether it waits for its turn.
    """

    __slots__ = ("_go_on", "_peer", "request", "share", "waits")

    def __init__(self, peer: Share, go_on: Callable[[], None]) -> None:
        self._peer = self.share = peer
        self._go_on = go_on
        self.request = UnderWay(peer)
        self.waits = False
        if not peer.is_of_many:  # whose first request comes next is known
            self.request.open()

    @property
    def has_many_clients(self) -> bool:
        """Whether only a request's head says whose it is."""
        return self._peer.is_of_many

    def may_begin(self) -> bool:
        """Return whether work may begin now; if not, the connection waits for its turn."""
        if not self.waits and self.share.may_begin():
            return True
        self.wait()
        return False

    def wait(self, *, is_further: bool = False) -> None:
        """Wait for the connection's next turn, if it does not yet; see `Share.wait`."""
        if not self.waits:
            self.waits = True
            self.share.wait(self._take, is_further=is_further)

    def may_begin_for(self, client: Share, begin: Begin) -> bool:
        """Take a client's turns from now on, until its request ends.

        Args:
            client: whose request has come.
            begin: called when it may begin, if it must wait.

        Returns:
            whether it may begin now.
        """
        self.share, self.request = client, UnderWay(client)
        if client is self._peer or client.may_begin():
            return True
        client.wait(begin)
        return False

    def end_request(self) -> None:
        """Stop counting the request: it is answered, or nobody waits for the answer."""
        self.request.end()
        if self.share is not self._peer:
            self.share, self.request = self._peer, UnderWay(self._peer)

    def _take(self) -> None:
        self.waits = False
        self._go_on()
