"""The line of each answer in the log, and what is counted of it.

Query, body and headers stay out: they may hold secrets.
"""

import logging
from functools import partial
from typing import Any

from tornado.web import RequestHandler

from handlers.http.client import Network, client_address
from server.telemetry.line_log import LineLog

log = logging.getLogger("curfew.access")
_lines = LineLog(log)


def log_answer(handler: RequestHandler, ms: float, trusted: tuple[Network, ...]) -> None:
    """Log the line of an answer. Those of probes are for debugging only.

    The path is escaped: it may hold any byte from 128 on, and terminals obey some of them.

    Args:
        handler: of the answer.
        ms: how long the request took.
        trusted: proxies that are believed about the client's address.
    """
    level = getattr(handler, "access_level", logging.INFO)
    if not log.isEnabledFor(level):
        return
    request = handler.request
    path = ascii(request.path)[1:-1]
    refusal = getattr(handler, "refusal", "")
    _lines.write(
        level,
        "%d %s %s %.1f ms",
        (handler.get_status(), request.method, path, ms),
        {"problem": refusal} if refusal else {},
        partial(_facts, handler, path, ms, trusted),
    )


def _facts(
    handler: RequestHandler, path: str, ms: float, trusted: tuple[Network, ...]
) -> dict[str, Any]:
    """Return the facts of an answer by name. Only lines of JSON ask for them."""
    request = handler.request
    live, name = getattr(handler, "live", None), getattr(handler, "request_name", None)
    facts: dict[str, Any] = {
        "method": request.method,
        "path": path,
        "status": handler.get_status(),
        "duration_ms": round(ms, 3),
        "ip": client_address(request, trusted),
    }
    if live:
        facts["sid"] = live.session.sid
    if name:
        facts["request_id"] = name.id
        if name.trace != name.id:
            facts["trace_id"] = name.trace
    return facts
