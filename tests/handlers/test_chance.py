"""Ids and seeds of real sessions: none twice, and no byte or bit likelier than another."""

import math
from base64 import urlsafe_b64decode
from collections import Counter

import pytest

from server.core.session import Device
from server.services import Services
from server.sessions.verdicts import LiveSession

SESSIONS = 1_500
DEVIATIONS = 6.0
"""A fair source goes further once in some hundred million looks."""


async def drawn(services: Services) -> list[bytes]:
    """The random bytes of each of many sessions: of its id, and its seed."""
    found = []
    for number in range(SESSIONS):
        user = f"user-{number % 300}"
        epochs = await services.sessions.epochs(user)
        made = await services.sessions.sign_in(user, epochs, Device(), None)
        assert isinstance(made, LiveSession)
        found.append(urlsafe_b64decode(made.session.sid[2:] + "==") + made.session.seed)
    return found


@pytest.mark.gen_test(timeout=60)
@pytest.mark.usefixtures("browser")  # which closes the port
@pytest.mark.proves("7.2.3", "11.5.1")
async def test_what_sessions_are_made_of_is_drawn_fairly(services: Services) -> None:
    found = await drawn(services)
    assert {len(each) for each in found} == {16 + 32}
    assert len({each[:16] for each in found}) == len({each[16:] for each in found}) == SESSIONS
    assert within(chi_square(b"".join(found), 256), freedom=255)
    for place in range(16 + 32):
        column = bytes(each[place] for each in found)
        assert within(chi_square(column, 256), freedom=255), place
        for bit in range(8):
            ones = sum(byte >> bit & 1 for byte in column)
            assert abs(ones - SESSIONS / 2) < DEVIATIONS * math.sqrt(SESSIONS) / 2, (place, bit)


def chi_square(sample: bytes, kinds: int) -> float:
    """How far the counts of the kinds are from even."""
    expected = len(sample) / kinds
    counts = Counter(sample)
    return sum((counts[kind] - expected) ** 2 / expected for kind in range(kinds))


def within(statistic: float, *, freedom: int) -> bool:
    """Whether chance explains it; its distribution has this mean, and twice this variance."""
    return abs(statistic - freedom) < DEVIATIONS * math.sqrt(2 * freedom)
