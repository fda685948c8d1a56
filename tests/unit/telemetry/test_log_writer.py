"""Lines go to real pipes and files by a thread: nobody who logs waits, and every loss is said."""

import fcntl
import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from server.telemetry import log_writer
from server.telemetry.log_writer import LIMIT_CHARACTERS, LogWriter

LINE: Final = "x" * 99 + "\n"
AT_ONCE: Final = 0.5
"""Seconds. Far more than queuing thousands of lines takes, far less than a pipe would block."""


def tell_lost(number: int) -> str:
    return f"lost {number}\n"


class Pipe:
    """A pipe that is read when a test says so."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()

    def read(self, seconds: float = 10.0, until: str = "") -> str:
        """Read until a text has come, or until nothing more comes."""
        parts: list[bytes] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([self.read_end], [], [], 1.0)[0]:
                parts.append(os.read(self.read_end, 1 << 20))
                if until and until in b"".join(parts[-2:]).decode():
                    break
            elif not until:
                break
        return b"".join(parts).decode()

    def close(self) -> None:
        """Close what is still open."""
        for end in (self.read_end, self.write_end):
            try:
                os.close(end)
            except OSError:
                continue


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def overfill(writer: LogWriter) -> int:
    """Log more than the pipe and the queue hold; return how many lines."""
    number = 2 * LIMIT_CHARACTERS // len(LINE)
    for _ in range(number):
        writer.write(LINE)
    return number


def test_lines_are_written_in_order_within_a_second(pipe: Pipe) -> None:
    writer = LogWriter(pipe.write_end, tell_lost)
    began = time.monotonic()
    for each in range(1000):
        writer.write(f"{each}\n")
    assert pipe.read(until="999\n").splitlines() == [str(each) for each in range(1000)]
    assert time.monotonic() - began < 1.0


def test_a_later_line_is_written_within_a_second_too(pipe: Pipe) -> None:
    writer = LogWriter(pipe.write_end, tell_lost)
    writer.write("first\n")
    assert pipe.read(until="first\n") == "first\n"
    began = time.monotonic()
    writer.write("second\n")
    assert pipe.read(until="second\n") == "second\n"
    assert time.monotonic() - began < 1.0


def test_an_urgent_line_is_written_at_once_with_those_before_it(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "PAUSE_SECONDS", 3600.0)
    writer = LogWriter(pipe.write_end, tell_lost)
    writer.write("a\n")
    writer.write("warning\n", urgent=True)
    assert pipe.read(until="warning\n") == "a\nwarning\n"


def test_nobody_waits_for_a_pipe_that_is_not_read_and_the_gap_is_said(pipe: Pipe) -> None:
    writer = LogWriter(pipe.write_end, tell_lost)
    counted: list[int] = []
    writer.count_lost(counted.append)
    began = time.monotonic()
    number = overfill(writer)
    assert time.monotonic() - began < AT_ONCE
    assert 0 < writer.lost < number
    assert sum(counted) == writer.lost
    text = pipe.read(until="lost ")
    assert text.count(LINE) == number - writer.lost
    assert f"lost {writer.lost}\n" in text + pipe.read(2.0)
    writer.write("flows again\n")
    assert pipe.read(until="flows again\n") == "flows again\n"


def test_an_end_waits_for_a_slow_reader(pipe: Pipe) -> None:
    writer = LogWriter(pipe.write_end, tell_lost)
    for _ in range(5000):
        writer.write(LINE)
    read: list[str] = []
    reading = threading.Thread(target=lambda: read.append(pipe.read(until="last\n")))
    reading.start()
    writer.write("last\n")
    writer.finish(10.0)
    reading.join()
    assert read[0].count(LINE) == 5000
    assert writer.lost == 0


def test_an_end_does_not_wait_long_for_a_pipe_that_is_not_read(pipe: Pipe) -> None:
    writer = LogWriter(pipe.write_end, tell_lost)
    overfill(writer)
    began = time.monotonic()
    writer.finish(0.2)
    assert time.monotonic() - began < 0.2 + 2 * log_writer.RETRY_SECONDS


def test_a_reader_that_is_gone_costs_lines_and_nothing_else(pipe: Pipe) -> None:
    os.close(pipe.read_end)
    writer = LogWriter(pipe.write_end, tell_lost)
    for _ in range(10):
        writer.write(LINE)
    assert writer.flush(10.0)
    assert writer.lost == 10


def test_a_full_disk_costs_nothing_when_it_has_room_again(tmp_path: Path) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        writer = LogWriter(descriptor, tell_lost)
        writer.write("kept\n", urgent=True)
        assert not writer.flush(0.2)
        room = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
        os.dup2(room, descriptor)
        os.close(room)
        assert writer.flush(10.0)
        assert (tmp_path / "log").read_text("utf-8") == "kept\n"
        assert writer.lost == 0
    finally:
        os.close(descriptor)


def test_a_descriptor_that_does_not_block_is_no_trouble(pipe: Pipe) -> None:
    os.set_blocking(pipe.write_end, False)
    writer = LogWriter(pipe.write_end, tell_lost)
    for _ in range(5000):
        writer.write(LINE)
    writer.write("last\n")
    assert pipe.read(until="last\n").count(LINE) == 5000
    assert writer.lost == 0


def test_text_that_is_no_unicode_is_written_escaped(pipe: Pipe) -> None:
    LogWriter(pipe.write_end, tell_lost).write("\udcff\n", urgent=True)
    assert pipe.read(until="\n") == "\\udcff\n"


def test_a_forked_child_writes_its_own_lines_and_none_of_its_parents(pipe: Pipe) -> None:
    program = (
        "import os, sys\n"
        "from server.telemetry.log_writer import LogWriter\n"
        "writer = LogWriter(1, str)\n"
        "writer.write('parent\\n')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    writer.write('child\\n')\n"
        "    writer.finish(5)\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "writer.finish(5)\n"
    )
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", program],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, pipe.write_end, 1)],
    )
    os.waitpid(pid, 0)
    assert sorted(pipe.read(2.0).split()) == ["child", "parent"]


@pytest.mark.skipif(sys.platform != "linux", reason="sets the size of a pipe")
def test_the_lines_of_two_processes_do_not_mix(pipe: Pipe) -> None:
    fcntl.fcntl(pipe.write_end, fcntl.F_SETPIPE_SZ, select.PIPE_BUF)
    writers = [LogWriter(pipe.write_end, tell_lost) for _ in range(2)]
    for letter, writer in zip("ab", writers, strict=True):
        for _ in range(5000):
            writer.write(letter * 99 + "\n")
        writer.write("end\n", urgent=True)
    text = ""
    while text.count("end\n") < 2:
        text += pipe.read(until="end\n")
    assert {"a" * 99, "b" * 99, "end"} == set(text.splitlines())


def test_an_urgent_line_is_in_the_pipe_when_the_call_returns(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "URGENT_SECONDS", 10.0)
    writer = LogWriter(pipe.write_end, tell_lost)
    for each in range(20):
        writer.write(f"{each}\n", urgent=True)
        assert select.select([pipe.read_end], [], [], 0)[0]
        assert os.read(pipe.read_end, 100) == f"{each}\n".encode()


def test_urgent_lines_wait_once_for_a_pipe_that_is_stuck_and_again_when_it_flows(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "URGENT_SECONDS", 0.2)
    writer = LogWriter(pipe.write_end, tell_lost)
    began = time.monotonic()
    for _ in range(5000):
        writer.write(LINE, urgent=True)
    assert time.monotonic() - began < 2.0
    writer.write("last\n")
    assert pipe.read(until="last\n").count(LINE) == 5000
    assert writer.flush(10.0)
    writer.write("urgent\n", urgent=True)
    assert os.read(pipe.read_end, 100) == b"urgent\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a pipe grow")
def test_a_pipe_has_room_for_many_small_writes_and_what_is_no_pipe_is_left_alone(
    tmp_path: Path,
) -> None:
    read, write = os.pipe()
    LogWriter(write, str).enlarge_pipe()
    os.set_blocking(write, False)
    for _ in range(40):
        assert os.write(write, b"x" * 4000) == 4000
    os.close(read)
    os.close(write)
    with (tmp_path / "log").open("wb") as file:
        LogWriter(file.fileno(), str).enlarge_pipe()
