"""Recent activity of one's own account, for programs."""

from handlers.api.views import activity_view
from handlers.http.base import BaseHandler
from handlers.http.operation import answer, operation
from handlers.http.schemas import closed_object, reference


class ActivityResource(BaseHandler):
    """`GET /api/activity`"""

    @operation(
        "What happened to one's own account lately, the newest first.",
        answer(
            "At most 50 entries, of 90 days.",
            closed_object(activity={"type": "array", "items": reference("Activity")}),
        ),
    )
    async def get(self) -> None:
        entries = await self.services.activity.of(self.user)
        self.finish_json({"activity": [activity_view(each) for each in entries]})
