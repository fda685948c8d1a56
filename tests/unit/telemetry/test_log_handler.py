"""A server's log lines: whatever is logged or would be printed, and where the lines go."""

import gc
import json
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.telemetry import log_writer
from server.telemetry.log_format import JsonFormatter
from server.telemetry.log_handler import LogHandler, log_what_python_prints, print_line


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The log file."""
    return tmp_path / "curfew.log"


@pytest.fixture
def handler(file: Path) -> Iterator[LogHandler]:
    """Writes to the file."""
    handler = LogHandler(JsonFormatter(), file)
    yield handler
    handler.close()


@pytest.fixture
def logger(handler: LogHandler) -> Iterator[logging.Logger]:
    """Every line goes to the file alone."""
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers = [handler]
    yield logging.getLogger("curfew.test")
    root.handlers = before


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What Python prints is logged, during this test."""
    for owner, name in [(sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")]:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log_what_python_prints()
        yield
        logging.captureWarnings(capture=False)


def lines(handler: LogHandler, file: Path) -> list[dict[str, object]]:
    """What was written."""
    handler.flush()
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_a_line_is_formatted_when_it_is_logged(
    handler: LogHandler, logger: logging.Logger, file: Path
) -> None:
    fact = ["as it was"]
    logger.warning("%s", fact)
    fact[0] = "as it is now"
    (line,) = lines(handler, file)
    assert line["message"] == "['as it was']"


def test_a_mistake_in_a_log_call_is_a_line_and_no_error(handler: LogHandler, file: Path) -> None:
    for text in ("%d", "next %s"):
        handler.handle(logging.LogRecord("curfew.test", logging.INFO, "", 0, text, ("a",), None))
    first, second = lines(handler, file)
    assert (first["level"], first["logger"]) == ("error", "curfew.test")
    assert "a log line has a mistake" in str(first["message"])
    assert second["message"] == "next a"


def test_only_its_owner_and_group_can_read_the_file(handler: LogHandler, file: Path) -> None:
    handler.flush()
    assert file.stat().st_mode & 0o007 == 0


def test_a_file_that_was_renamed_is_made_anew(
    handler: LogHandler, logger: logging.Logger, file: Path
) -> None:
    logger.warning("before")
    handler.flush()
    old = file.rename(file.with_name("curfew.log.1"))
    logger.warning("between")
    handler.flush()
    handler.reopen()
    logger.warning("after")
    assert [line["message"] for line in lines(handler, file)] == ["after"]
    assert len(old.read_text("utf-8").splitlines()) == 2


def test_a_file_that_cannot_be_opened_leaves_the_old_one_in_use(
    handler: LogHandler, logger: logging.Logger, file: Path
) -> None:
    old = file.rename(file.with_name("curfew.log.1"))
    file.mkdir()
    with pytest.raises(IsADirectoryError):
        handler.reopen()
    logger.warning("after")
    assert [line["message"] for line in lines(handler, old)] == ["after"]


def test_a_pipe_that_nobody_reads_is_not_waited_for_by_a_reload(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    handler = LogHandler(JsonFormatter(), pipe)
    os.close(reader)
    with limited(2.0), pytest.raises(OSError, match="No such device"):
        handler.reopen()
    handler.close()


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Fail instead of waiting for ever in the system."""

    def fail(*_: object) -> None:
        pytest.fail("it waits")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_reopening_opens_nothing_for_good(handler: LogHandler) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(5):
        handler.reopen()
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_what_is_lost_is_counted(handler: LogHandler, logger: logging.Logger) -> None:
    counted: list[int] = []
    handler.count_lost(counted.append)
    os.close(handler._descriptor)
    logger.warning("nowhere")
    handler.flush()
    assert sum(counted) == handler.lost == 1
    handler._descriptor = os.open("/dev/null", os.O_WRONLY)


@pytest.mark.usefixtures("hooks", "logger")
@pytest.mark.filterwarnings("default")
def test_what_python_would_print_is_a_line(
    handler: LogHandler, file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    warnings.warn("take care", stacklevel=1)
    thread = threading.Thread(target=lambda: int("x"))
    thread.start()
    thread.join()

    class Broken:
        def __del__(self) -> None:
            raise RuntimeError("in a finalizer")

    Broken()
    gc.collect()
    sys.excepthook(ValueError, ValueError("the end"), None)
    warned, threaded, finalized, uncaught = lines(handler, file)
    assert "take care" in str(warned["message"])
    assert "invalid literal" in str(threaded["exception"])
    assert "in a finalizer" in str(finalized["exception"])
    assert (uncaught["level"], "the end" in str(uncaught["exception"])) == ("critical", True)
    assert capfd.readouterr() == ("", "")


def test_a_printed_line_is_on_standard_output_when_the_call_returns(
    capfd: pytest.CaptureFixture[str],
) -> None:
    print_line("Curfew serves")
    assert capfd.readouterr() == ("Curfew serves\n", "")


@pytest.mark.parametrize(
    ("name", "level"), [("curfew.audit", logging.INFO), ("curfew.test", logging.WARNING)]
)
def test_a_warning_and_the_audit_trail_are_written_when_the_call_returns(
    handler: LogHandler, file: Path, monkeypatch: pytest.MonkeyPatch, name: str, level: int
) -> None:
    monkeypatch.setattr(log_writer, "URGENT_SECONDS", 10.0)
    handler.handle(logging.LogRecord(name, level, "", 0, "told", (), None))
    assert "told" in file.read_text("utf-8")


def test_lines_of_json_name_the_process_as_soon_as_it_has_a_name(
    capfd: pytest.CaptureFixture[str],
) -> None:
    handler = LogHandler(JsonFormatter())
    for name in (None, "", "0a1b"):
        if name is not None:
            handler.name_process(name)
        handler.handle(logging.LogRecord("curfew.test", logging.WARNING, "", 0, "x", (), None))
    handler.flush()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    pid = os.getpid()
    assert [(each.get("pid"), each.get("node")) for each in lines] == [
        (None, None), (pid, None), (pid, "0a1b")
    ]  # fmt: skip
