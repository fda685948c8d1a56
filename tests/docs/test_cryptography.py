"""The page about cryptography against the code: every purpose; and no page shows a usable key."""

import ast
import re
from collections.abc import Iterator

import pytest

from server.crypto.challenges import Use
from server.crypto.keyring import Keyring, WeakKey, parse_secret
from tests.docs.markdown import PAGES, ROOT, code, page, table

PAGE = page("docs/cryptography.md")
EXAMPLES = sorted([*PAGES, *(ROOT / "examples").glob("*.py"), ROOT / "Makefile"])


def purposes_in_the_code() -> Iterator[str]:
    """What keys are derived for: constants called PURPOSE, and what is given to `derive`."""
    for folder in ("handlers", "server"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                match node:
                    case (
                        ast.Assign(targets=[ast.Name(id="PURPOSE")], value=ast.Constant(str(text)))
                        | ast.AnnAssign(target=ast.Name("PURPOSE"), value=ast.Constant(str(text)))
                        | ast.Call(
                            func=ast.Attribute(attr="derive"), args=[ast.Constant(str(text))]
                        )
                    ):
                        yield text
    yield from (use.purpose for use in Use)


def purposes_given() -> Iterator[str]:
    """What the code gives as a purpose, as it is written."""
    for folder in ("handlers", "server"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                match node:
                    case (
                        ast.keyword(arg="purpose", value=given)
                        | ast.Call(func=ast.Name("Signer" | "DocumentCodec"), args=[_, given])
                    ):
                        yield ast.unparse(given)


@pytest.mark.proves("11.1.1", "11.1.2")
def test_the_page_has_every_purpose_and_no_other() -> None:
    found = list(purposes_in_the_code())
    assert len(found) == len(set(found)), "two uses share the keys of one purpose"
    assert {code(row[0])[0] for row in table(PAGE, "purpose")} == set(found)


def test_no_purpose_is_given_that_the_list_does_not_know() -> None:
    # A DocumentCodec hands the purpose on that it was given, which is in the list as well.
    assert set(purposes_given()) == {"PURPOSE", "use.purpose", "self._purpose"}


@pytest.mark.proves("11.1.1")
@pytest.mark.parametrize(
    "said",
    [
        *("TOTP", "HMAC-SHA1", "recovery codes", "Ed25519", "P-256", "PKCS #1 v1.5"),
        *("argon2id", "self-made certificate"),
    ],
)
def test_the_page_names_what_needs_no_secret_key(said: str) -> None:
    assert said in PAGE.read_text("utf-8")


@pytest.mark.proves("13.3.1")
def test_no_page_shows_a_key_that_a_server_would_take() -> None:
    for path in EXAMPLES:
        for text in re.findall(r"[A-Za-z0-9_-]{43,}=*", path.read_text("utf-8")):
            try:
                secret = parse_secret(text)
            except WeakKey:
                continue
            with pytest.raises(WeakKey):
                Keyring.from_secrets([secret])
