"""One end as somebody sees it who only looks."""

from dataclasses import replace

from server.core.events import EVERYTHING, Scope, SessionsEnded
from server.core.reasons import Reason
from server.core.recent_ends import EVERYBODY, VISITOR, Done, RecentEnd

END = SessionsEnded(Scope.USER, "e1", "n1", Reason.ADMIN, 10.0, "ann", 0, "", 10.0, ("one", "two"))


def test_it_says_whose_sessions_and_how_many() -> None:
    assert (RecentEnd(END).whose, RecentEnd(END).sessions) == ("ann", 2)
    assert RecentEnd(replace(END, user=None, scope=Scope.SESSION)).whose == VISITOR
    everything = RecentEnd(replace(END, user=None, scope=Scope.SHARD, sids=(EVERYTHING,)))
    assert (everything.whose, everything.sessions) == (EVERYBODY, None)


def test_it_took_as_long_as_the_last_node_and_closed_what_all_closed() -> None:
    seen = RecentEnd(END, (Done("n2", 3, 0.2), Done("n3", 1, 0.1)))
    assert (seen.seconds, seen.sockets_closed) == (0.2, 4)
    assert RecentEnd(END).seconds is None
