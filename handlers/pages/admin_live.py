"""`/admin/live`: the nodes, and the ends as they happen. A script fetches the page again."""

from dataclasses import dataclass

from handlers.http.access import Access
from handlers.http.session import ACTIVITY_HEADER
from handlers.pages.base import PageHandler
from server.core.audit import AuditEvent


@dataclass(frozen=True, slots=True)
class NodeCard:
    """One node.

    Attributes:
        node: its id.
        current: whether it answered this request.
        seconds: what is left of its lease; negative if it is over.
    """

    node: str
    current: bool
    seconds: float


class AdminLivePage(PageHandler):
    """`/admin/live`"""

    access = Access.ADMIN

    async def get(self) -> None:
        if ACTIVITY_HEADER not in self.request.headers:  # not each time that the script looks
            self.audit(AuditEvent.ADMIN_ACT, act="watch_ends")
        leases = await self.services.nodes.leases()
        ends = await self.services.end_watch.latest()
        own, now = self.services.metrics.node, self.now()
        nodes = [NodeCard(each, each == own, leases[each] - now) for each in sorted(leases)]
        self.render("admin_live.html", nodes=nodes, ends=ends)
