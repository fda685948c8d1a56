"""The declaration of an application: what is wrong with it is told in a sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curfew import Application, BaseHandler, Brand, Command, Node, Task
from server.core.errors import ConfigurationError


async def nothing(_: Node) -> None:
    """Do nothing."""


def folder_with(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("", "utf-8")
    return path


def test_the_name_is_the_prefix_and_what_people_see() -> None:
    application = Application("my-huddle 2")
    assert application.flaw is None
    assert application.own_prefix == "MY_HUDDLE_2_"
    assert application.additions({}).brand.name == "my-huddle 2"


def test_a_pair_is_a_route() -> None:
    (route,) = Application("x", routes=[(r"/rooms", BaseHandler)]).additions({}).routes
    assert route.regex.pattern == "/rooms$"


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda _: Application(""), "name"),
        (lambda _: Application("x", prefix="CURFEW_"), "belongs to Curfew"),
        (lambda _: Application("x", tasks=[Task("t", nothing), Task("t", nothing)]), "two tasks"),
        (lambda path: Application("x", templates=path / "none"), "There is no folder"),
        (lambda path: Application("x", languages=path / "none"), "There is no folder"),
        (lambda path: Application("x", templates=folder_with(path, "curfew/a.html")), "'curfew/'"),
        (lambda _: Application("x", brand=Brand("x", logo="x.svg")), "'x.svg'"),
        (lambda _: Application("x", brand=Brand("x", colours={"nigth": "red"})), "nigth"),
    ],
)
def test_a_flaw_is_a_sentence_and_stops_the_start(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    made: Callable[[Path], Application],
    told: str,
) -> None:
    application = made(tmp_path)
    assert told in (application.flaw or "")
    with pytest.raises(ConfigurationError):
        application.additions({})
    assert application.main([]) == 78
    assert capsys.readouterr().err == f"{application.flaw}\n"


def test_a_command_with_a_name_of_ours_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for names in (["user"], ["rooms", "rooms"]):
        commands = [Command(name, "", nothing) for name in names]
        assert Application("x", commands=commands).main([]) == 78
        assert f"The command {names[-1]!r} is there already" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["[site", b"\xff\xfe"])
def test_a_broken_language_file_is_named(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "en.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match=str(tmp_path)):
        Application("x", languages=tmp_path).additions({})


def test_own_texts_stand_over_ours_and_another_language_needs_only_some(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text('[site]\nfooter = "Ours"\n[x]\ny = "z"\n', "utf-8")
    (tmp_path / "fr.toml").write_text('[site]\nfooter = "A nous"\n', "utf-8")
    languages = Application("x", languages=tmp_path).additions({}).languages
    assert languages["en"].text("site.footer") == "Ours"
    assert languages["fr"].text("site.footer") == "A nous"
    assert languages["fr"].text("x.y") == languages["de"].text("x.y") == "z"
    assert languages["de"].text("site.footer") not in {"Ours", "A nous"}
