"""Chooses among the tokens that one browser presents, with the sessions that they name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.core.choice import Candidate, served
from server.core.context import NodeContext
from server.core.reasons import Reason
from server.core.session import Rules, Session
from server.core.token import Token
from server.store.contract import Loaded, Missing, SessionStore, Stored, Tombstone


@dataclass(frozen=True, slots=True)
class Choice:
    """Which token counts.

    Attributes:
        token: the token to judge.
        others: the browser's other live sessions, which this one replaces.
        ended: ids of sessions that are over.
    """

    token: Token
    others: tuple[Session, ...] = ()
    ended: frozenset[str] = frozenset()


class TokenChooser:
    """Chooses a token. Nothing is written.

    Args:
        store: the session store.
        rules: the durations in force.
        context: this node's clocks.
    """

    def __init__(self, store: SessionStore, rules: Rules, context: NodeContext) -> None:
        self._store = store
        self._rules = rules
        self._context = context

    async def choose(self, tokens: Sequence[Token]) -> Choice:
        """Return which of a browser's tokens counts.

        Args:
            tokens: at least one, each from a cookie whose signature was right; first the one of
                the session cookie.

        Raises:
            StoreUnavailable: nothing is known of the sessions.
        """
        loaded = {token.sid: await self._store.load(token.sid) for token in tokens}
        candidates = [
            Candidate(token, found.session)
            for token in tokens
            if isinstance(found := loaded[token.sid], Stored)
        ]
        ended = frozenset(sid for sid, found in loaded.items() if _is_over(found))
        best = served(candidates, self._context.now(), self._rules)
        if not best:
            return Choice(_most_telling(tokens, loaded), ended=ended)
        others = {each.session.sid: each.session for each in best[1:]}
        others.pop(best[0].session.sid, None)
        return Choice(best[0].token, tuple(others.values()), ended)


def _is_over(found: Loaded) -> bool:
    return isinstance(found, Tombstone | Missing)


def _most_telling(tokens: Sequence[Token], loaded: Mapping[str, Loaded]) -> Token:
    """Return the token that says best why there is no session: `superseded` means another ended."""
    if _is_over(loaded[tokens[0].sid]):
        for token in tokens:
            found = loaded[token.sid]
            if isinstance(found, Tombstone) and found.reason is not Reason.SUPERSEDED:
                return token
    return tokens[0]
