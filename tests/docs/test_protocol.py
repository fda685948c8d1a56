"""The protocol page against the code: every route, problem, reason, frame and close code."""

import re

from handlers.http.problems import TYPE_PREFIX
from handlers.openapi.document import paths
from handlers.routes import ROUTES
from server.core import messages, strict_json
from server.core.messages import MAX_FRAME_BYTES, SUBPROTOCOL, BadFrame, CloseCode
from server.core.reasons import UNAUTHENTICATED, NoSession, Reason
from server.core.receipt import Durability, NodeCounts, Receipt, State
from server.core.session import Deadlines, Session
from tests.docs.markdown import ROOT, blocks, code, page, table

DESCRIBED = paths(ROUTES)
PAGE = page("docs/protocol.md")
SESSION = Session(
    sid="00" + "A" * 22,
    user="ada",
    seed=bytes(32),
    created_at=0.0,
    authenticated_at=0.0,
    last_active_at=0.0,
    current_since=0.0,
)
UNTIL = Deadlines(1.0, 2.0)
FRAMES = [
    messages.hello("c", SESSION, UNTIL, 0.0, (1, 2)),
    messages.rotated(2),
    messages.expiring(Reason.IDLE_TIMEOUT, 1),
    messages.extended(UNTIL),
    messages.ended(NoSession()),
    messages.sessions(),
    messages.hold(),
    messages.resume(),
    messages.drain(1),
    messages.message("c", 1),
    messages.pong(),
    messages.error(BadFrame("bad_json", "")),
]


def test_every_route_is_on_the_page_and_no_other() -> None:
    described = {f"{method.upper()} {path}" for path, item in DESCRIBED.items() for method in item}
    described = {each for each in described if not each.startswith("PARAMETERS")}
    routes = {code(row[0])[0].partition("?")[0] for row in table(PAGE, "route")}
    assert routes == described


def test_every_problem_is_on_the_page_with_its_status_and_no_other() -> None:
    rows = {(code(row[0])[0], int(row[1])) for row in table(PAGE, "type") if row[1].isdigit()}
    assert rows == problems_in_the_code()


def problems_in_the_code() -> set[tuple[str, int]]:
    """Slug and status of every problem that a handler can raise."""
    found = set()
    for file in (ROOT / "handlers").rglob("*.py"):
        problems = re.findall(r'\b(\d{3}),\s+"([a-z-]+)"', file.read_text(encoding="utf-8"))
        found |= {(slug, int(status)) for status, slug in problems if slug != "maximum"}
    described = {
        (slug.removeprefix(TYPE_PREFIX), int(status))
        for path in DESCRIBED.values()
        for operation in path.values()
        if isinstance(operation, dict)
        for status, answer in operation["responses"].items()
        for content in answer["content"].values()
        for slug in content["schema"].get("properties", {}).get("type", {}).get("enum", ())
    }
    return found | described


def test_every_reason_is_on_the_page_and_no_other() -> None:
    reasons = [code(row[0])[0] for row in table(PAGE, "reason")]
    assert reasons == [*(each.value for each in Reason), UNAUTHENTICATED]


def test_every_frame_to_the_client_is_on_the_page_with_its_fields() -> None:
    rows = frames_of("Frames to the client")
    sent = {}
    for text in FRAMES:
        frame = strict_json.parse(text)
        assert isinstance(frame, dict)
        kind = frame.pop("type")
        inner = [key for value in frame.values() if isinstance(value, dict) for key in value]
        sent[kind] = {*frame, *inner}
    assert rows == sent


def test_the_page_knows_every_frame_that_the_code_can_make() -> None:
    makers = re.findall(r'_frame\(\s*"(\w+)"', (ROOT / "server/core/messages.py").read_text())
    assert set(makers) == set(frames_of("Frames to the client"))


def test_every_frame_from_the_client_is_on_the_page_with_its_fields() -> None:
    rows = frames_of("Frames from the client")
    for kind, fields in rows.items():
        frame = strict_json.encode({"type": kind} | dict.fromkeys(fields))
        assert not isinstance(messages.read_frame(frame), BadFrame), kind
    known = messages.read_frame('{"type": "?"}')
    assert isinstance(known, BadFrame)
    assert known.detail == "This server knows ping, activity and message."
    assert set(rows) == {"ping", "activity", "message"}


def frames_of(heading: str) -> dict[str, set[str]]:
    """The types under a heading, each with the names of its fields."""
    section = PAGE.read_text(encoding="utf-8").split(f"### {heading}\n")[1].split("\n### ")[0]
    rows = [line.split("|")[1:4] for line in section.splitlines() if line.startswith("| `")]
    return {code(row[0])[0]: set(re.findall(r"\w+", " ".join(code(row[1])))) for row in rows}


def test_every_code_of_an_error_frame_is_on_the_page() -> None:
    sources = ["server/core/messages.py", "server/realtime/socket.py"]
    text = "".join((ROOT / source).read_text(encoding="utf-8") for source in sources)
    (line,) = re.findall(r"Codes of `error`: ([^.]+)\.", PAGE.read_text(encoding="utf-8"))
    assert set(code(line)) == set(re.findall(r'BadFrame\(\s*"([\w-]+)"', text))


def test_every_close_code_is_on_the_page_and_no_other() -> None:
    rows = table(PAGE, "code")
    assert {int(row[0]) for row in rows} == {code.value for code in CloseCode}
    final = {int(row[0]) for row in rows if row[3].startswith("stops")}
    broke_the_protocol = {CloseCode.POLICY.value, CloseCode.TOO_BIG.value}
    assert final == {code.value for code in CloseCode if 4400 <= code < 4500} | broke_the_protocol


def test_the_receipt_on_the_page_is_one() -> None:
    receipt = Receipt(
        end_id="7f45353b69684164bbd1b1f66b886871",
        state=State.COMPLETE,
        sessions=2,
        sockets_closed=7,
        nodes=NodeCounts(acked=2),
        durability=Durability.FSYNC,
        elapsed_ms=2.1,
    )
    shown = [strict_json.parse(block.text) for block in blocks(PAGE, "json")]
    assert receipt.as_json() in shown
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"`{word}`" in text for word in [*State, *Durability])


def test_subprotocol_and_frame_size_are_those_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"subprotocol `{SUBPROTOCOL}`" in text
    assert f"at most {MAX_FRAME_BYTES // 1024} KiB each" in text
