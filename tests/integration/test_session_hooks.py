"""An application is told of sessions: of every end exactly once, whoever ended it and however."""

from datetime import timedelta
from pathlib import Path

from curfew.testing import Server, eventually

FOLDER = Path(__file__).parent / "kept_application"


def told(server: Server, user: str) -> list[str]:
    """What the hooks said of a user so far."""
    lines = [line for line in server.log.splitlines() if line.startswith("hook: ")]
    return [line.removeprefix("hook: ") for line in lines if line.split()[2] == user]


def say(server: Server, user: str, *expected: str) -> bool:
    return sorted(told(server, user)) == sorted(f"{each.partition(' ')[0]} {user}"
                                                f" {each.partition(' ')[2]}".rstrip()
                                                for each in expected)  # fmt: skip


async def test_every_kind_of_end_is_told_once_over_processes_and_restarts(
    store_url: str,
) -> None:
    with Server("kept:application", folder=FOLDER, processes="2", store_url=store_url) as server:
        for name in ("ann", "ben", "cleo", "dan", "eve"):
            async with server.client() as person:
                await person.sign_up(name)
                if name == "ann":
                    await person.request("POST", "/api/session/rotate")
                    await person.request("POST", "/api/logout")
                elif name == "ben":
                    await person.request("POST", "/api/leave")
                elif name == "cleo":
                    assert server.end_session(person.sid)
        eventually(lambda: say(server, "ann", "began", "rotated", "ended logout"))
        eventually(lambda: say(server, "ben", "began", "ended terminated"))
        eventually(lambda: say(server, "cleo", "began", "ended admin"))
        server.stop()
        assert server.command("sessions", "end", "--user", "dan").returncode == 0
        server.start()
        eventually(lambda: say(server, "dan", "began", "ended admin"))
        server.travel(timedelta(minutes=31))  # nobody asks for Eve's session any more
        eventually(lambda: say(server, "eve", "began", "ended idle_timeout"), 40)
        assert server.stop() == 0
        every = [each for each in server.log.splitlines() if each.startswith("hook: ended")]
        assert len(every) == len(set(every)) == 5


async def test_a_hook_that_raises_is_logged_and_the_end_stays_noted(store_url: str) -> None:
    fails = {"KEPT_FAILS": "hook"}
    with Server(
        "kept:application", folder=FOLDER, environment=fails, store_url=store_url
    ) as server:
        async with server.client() as person:
            await person.sign_up("fay")
            await person.request("POST", "/api/logout")
        eventually(lambda: "RuntimeError: the rows are locked" in server.log)
        assert "the task session ended failed" in server.log
        async with server.client() as person:
            await person.sign_in("fay")  # nothing else is hurt
