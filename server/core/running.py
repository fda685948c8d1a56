"""How a server runs beside what it serves: its loop, its metrics, what it logs, how it stops."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from server.core.environment import Environment

LOG_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


@dataclass(frozen=True, slots=True)
class Running:
    """The settings of this.

    Attributes:
        metrics_address: address of the port that serves nothing but metrics.
        metrics_port: that port, which the parent serves; None for none.
        log_level: of the log lines that are written at least: a number of Python's `logging`.
        event_loop: of the processes: `uvloop`, `asyncio`, or `auto` for uvloop where it is
            installed.
        drain_notice: how long a process that stops is unready before it closes its port.
        drain_rate: sockets that a process takes in a second from one that stops.
        drain_timeout: how long handing over the sockets may take.
        handshakes: of sockets that may be under way in a process.
        traces: where traces go: `off`, `console` or `otlp`.
    """

    metrics_address: str
    metrics_port: int | None
    log_level: int
    event_loop: str
    drain_notice: timedelta
    drain_rate: int
    drain_timeout: timedelta
    handshakes: int
    traces: str

    @property
    def longest_drain(self) -> timedelta:
        """How long a process may take from its signal until its sockets are handed over."""
        return self.drain_notice + self.drain_timeout


def read_running(read: Environment, *, behind_proxies: bool) -> Running:
    """Read these settings.

    Args:
        read: reads variables.
        behind_proxies: whether clients come over proxies, which must notice that a server stops.

    Raises:
        ConfigurationError: a variable has a value that it does not take.
    """
    return Running(
        metrics_address=read.text("CURFEW_METRICS_ADDRESS", "127.0.0.1"),
        metrics_port=_metrics_port(read),
        log_level=LOG_LEVELS[read.choice("CURFEW_LOG_LEVEL", "info", *LOG_LEVELS)],
        event_loop=read.choice("CURFEW_EVENT_LOOP", "auto", "auto", "uvloop", "asyncio"),
        drain_notice=read.duration_or_off("CURFEW_DRAIN_NOTICE", "2s" if behind_proxies else "off")
        or timedelta(),
        drain_rate=read.integer("CURFEW_DRAIN_RATE", 200, 1, 100_000),
        drain_timeout=read.duration("CURFEW_DRAIN_TIMEOUT", "45s"),
        handshakes=read.integer("CURFEW_HANDSHAKES", 200, 1, 100_000),
        traces=read.choice("CURFEW_TRACES", "off", "off", "console", "otlp"),
    )


def _metrics_port(read: Environment) -> int | None:
    if not read.text("CURFEW_METRICS_PORT", ""):
        return None
    return read.integer("CURFEW_METRICS_PORT", 0, 1, 65535)
