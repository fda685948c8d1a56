"""Password hashing: nothing is cut, nobody is revealed, and no queue grows without end."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from nacl.pwhash import argon2id

from server.crypto import passwords
from server.crypto.passwords import (
    CHEAPEST,
    INTERACTIVE,
    Argon2Parameters,
    HasherBusy,
    PasswordCheck,
    PasswordHasher,
)

NO = PasswordCheck(matches=False, needs_rehash=False)
YES = PasswordCheck(matches=True, needs_rehash=False)
STRONGER = Argon2Parameters(memory_bytes=16 * 1024, passes=1)
LONGER = Argon2Parameters(memory_bytes=8 * 1024, passes=2)


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(CHEAPEST)
    yield hasher
    hasher.close()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of stored strings that argon2id is asked to check, in order."""
    checked: list[str] = []
    verify = argon2id.verify

    def noted(stored: bytes, password: bytes) -> bool:
        checked.append(stored.decode())
        return verify(stored, password)

    monkeypatch.setattr(argon2id, "verify", noted)
    return checked


class Gate:
    """Holds every hash until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in for the hash function."""
        self._open = threading.Event()
        monkeypatch.setattr(passwords, "_hash", self._wait)

    def open(self) -> None:
        """Let all go."""
        self._open.set()

    def _wait(self, encoded: bytes, _: Argon2Parameters) -> str:
        assert self._open.wait(5)
        return encoded.decode()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.open()


async def test_the_right_password_matches_and_a_wrong_one_does_not(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("correct horse battery")
    assert await hasher.verify("correct horse battery", stored) == YES
    assert await hasher.verify("correct horse batterz", stored) == NO


@pytest.mark.proves("11.4.2")
async def test_a_stored_string_names_argon2id_and_the_parameters(hasher: PasswordHasher) -> None:
    assert (await hasher.hash("x")).startswith("$argon2id$v=19$m=8,t=1,p=1$")


async def test_the_same_password_is_stored_differently_each_time(hasher: PasswordHasher) -> None:
    assert await hasher.hash("x") != await hasher.hash("x")


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("trailing space ", "trailing space"),
        (" leading space", "leading space"),
        ("nul\x00inside", "nul"),
        ("nul\x00inside", "nul\x00outside"),
        ("a" * 72 + "b", "a" * 72 + "c"),
        ("a" * 1024, "a" * 1023),
        ("Case", "case"),
        ("emoji 🦊", "emoji 🐺"),
        ("\ufb01sh", "fish"),  # NFKC would make these two equal
        ("½", "1\u20442"),
    ],
)
@pytest.mark.proves("6.2.8", "A65")
async def test_every_difference_counts(hasher: PasswordHasher, password: str, other: str) -> None:
    stored = await hasher.hash(password)
    assert await hasher.verify(password, stored) == YES
    assert await hasher.verify(other, stored) == NO


@pytest.mark.proves("A65")
async def test_composed_and_decomposed_letters_are_the_same(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("caf\u00e9")
    assert await hasher.verify("cafe\u0301", stored) == YES


@pytest.mark.proves("6.3.8", "A63")
async def test_unknown_accounts_cost_one_check_with_the_present_parameters(
    hasher: PasswordHasher, work: list[str]
) -> None:
    assert await hasher.verify("whatever", None) == NO
    (checked,) = work
    assert checked.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert passwords._STORED.fullmatch(checked)


async def test_known_accounts_cost_one_check_too(hasher: PasswordHasher, work: list[str]) -> None:
    stored = await hasher.hash("x")
    await hasher.verify("whatever", stored)
    assert work == [stored]


async def test_the_dummy_follows_the_parameters(work: list[str]) -> None:
    hasher = PasswordHasher(STRONGER)
    await hasher.verify("whatever", None)
    hasher.close()
    assert work[0].startswith("$argon2id$v=19$m=16,t=1,p=1$")


async def test_matching_the_dummy_is_still_a_no(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(argon2id, "verify", lambda *_: True)
    assert await hasher.verify("whatever", None) == NO
    assert await hasher.verify("whatever", "damaged") == NO


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda _: "\x00",
        lambda _: "é" * 200,
        lambda _: "\ud800",
        lambda stored: stored[:-1],
        lambda stored: stored + "\n",
        lambda stored: stored + "\x00",
        lambda stored: stored.replace("argon2id", "argon2i"),
        lambda stored: stored.replace("v=19", "v=16"),
        lambda stored: stored.replace("m=8", "m=4194304"),  # 4 GiB
        lambda stored: stored.replace("m=8", "m=99999999999"),
        lambda stored: stored.replace("m=8", "m=7"),
        lambda stored: stored.replace("t=1", "t=11"),
        lambda stored: stored.replace("t=1", "t=0"),
        lambda stored: stored.replace("p=1", "p=4"),
        lambda _: "$2b$12$" + "a" * 53,
    ],
)
async def test_damaged_strings_match_nothing_and_cost_as_much_as_any(
    hasher: PasswordHasher, work: list[str], damage: Callable[[str], str]
) -> None:
    stored = await hasher.hash("x")
    assert await hasher.verify("x", damage(stored)) == NO
    assert work == [hasher._dummy]


async def test_a_changed_hash_matches_nothing(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("x")
    for position in range(len(stored) - 60, len(stored)):
        other = "B" if stored[position] == "A" else "A"
        assert await hasher.verify("x", stored[:position] + other + stored[position + 1 :]) == NO


@pytest.mark.proves("11.4.2")
@pytest.mark.parametrize("wanted", [STRONGER, LONGER])
async def test_a_cheaper_hash_asks_to_be_made_again(
    hasher: PasswordHasher, wanted: Argon2Parameters
) -> None:
    stored = await hasher.hash("x")
    raised = PasswordHasher(wanted)
    assert await raised.verify("x", stored) == PasswordCheck(matches=True, needs_rehash=True)
    assert await raised.verify("y", stored) == NO
    assert await raised.verify("x", await raised.hash("x")) == YES
    raised.close()


async def test_a_dearer_hash_is_left_alone(hasher: PasswordHasher) -> None:
    raised = PasswordHasher(STRONGER)
    stored = await raised.hash("x")
    raised.close()
    assert await hasher.verify("x", stored) == YES


@pytest.mark.parametrize("password", ["a" * 1025, "é" * 513, "\u0301" * 1_000_000, "\ud800" * 20])
@pytest.mark.proves("6.3.8", "A65")
async def test_impossible_passwords_are_refused_at_once_for_everybody(
    hasher: PasswordHasher, work: list[str], password: str
) -> None:
    stored = await hasher.hash("x")
    assert await hasher.verify(password, stored) == NO
    assert await hasher.verify(password, None) == NO
    assert work == []
    with pytest.raises(ValueError, match="A password"):
        await hasher.hash(password)


@pytest.mark.proves("15.2.2", "A66")
async def test_beyond_workers_and_queue_it_is_busy(gate: Gate) -> None:
    hasher = PasswordHasher(CHEAPEST, workers=2, queue_limit=3)
    waiting = [asyncio.create_task(hasher.hash(str(n))) for n in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(HasherBusy, match="too many passwords"):
        await hasher.hash("one more")
    with pytest.raises(HasherBusy):
        await hasher.verify("one more", None)
    gate.open()
    assert await asyncio.gather(*waiting) == ["0", "1", "2", "3", "4"]
    assert await hasher.hash("again") == "again"
    hasher.close()


async def test_giving_up_does_not_free_a_thread_that_is_still_at_work(gate: Gate) -> None:
    hasher = PasswordHasher(CHEAPEST, workers=1, queue_limit=0)
    impatient = asyncio.create_task(hasher.hash("x"))
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    with pytest.raises(HasherBusy):
        await hasher.hash("y")
    gate.open()
    hasher.close()


async def test_giving_up_in_the_queue_frees_the_place(gate: Gate) -> None:
    hasher = PasswordHasher(CHEAPEST, workers=1, queue_limit=1)
    first = asyncio.create_task(hasher.hash("first"))
    queued = asyncio.create_task(hasher.hash("queued"))
    await asyncio.sleep(0)
    queued.cancel()
    with pytest.raises(asyncio.CancelledError):
        await queued
    instead = asyncio.create_task(hasher.hash("instead"))
    await asyncio.sleep(0)
    gate.open()
    assert [await first, await instead] == ["first", "instead"]
    hasher.close()


async def test_a_failure_frees_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise MemoryError

    monkeypatch.setattr(passwords, "_hash", fail)
    hasher = PasswordHasher(CHEAPEST, workers=1, queue_limit=0)
    for _ in range(3):
        with pytest.raises(MemoryError):
            await hasher.hash("x")
    hasher.close()


@pytest.mark.proves("15.2.2")
async def test_the_loop_stays_free_while_a_password_is_hashed(gate: Gate) -> None:
    hasher = PasswordHasher(CHEAPEST)
    hashing = asyncio.create_task(hasher.hash("x"))
    await asyncio.sleep(0)
    assert not hashing.done()
    gate.open()
    assert await hashing == "x"
    hasher.close()


async def test_closed_is_closed() -> None:
    hasher = PasswordHasher(CHEAPEST)
    await hasher.hash("x")
    hasher.close()
    with pytest.raises(RuntimeError):
        await hasher.hash("x")


@pytest.mark.parametrize(
    ("memory_bytes", "passes"),
    [(8191, 1), (8193, 1), (2**30 + 1024, 1), (8192, 0), (8192, 11), (0, 1), (-1024, 1)],
)
def test_parameters_have_bounds(memory_bytes: int, passes: int) -> None:
    with pytest.raises(ValueError, match="takes"):
        Argon2Parameters(memory_bytes, passes)


def test_the_default_is_libsodiums_interactive_cost() -> None:
    assert argon2id.MEMLIMIT_INTERACTIVE == INTERACTIVE.memory_bytes == 64 * 1024 * 1024
    assert argon2id.OPSLIMIT_INTERACTIVE == INTERACTIVE.passes == 2
