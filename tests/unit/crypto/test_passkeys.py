"""Passkeys: the options for browsers, and the checks of what comes back, where None refuses it."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from server.crypto.challenges import LIFETIME_SECONDS
from server.crypto.passkeys import (
    NewPasskey,
    Presented,
    Site,
    check_registration,
    check_signature,
    creation_options,
    read_presented,
    registration_challenge,
    request_options,
    site_of,
)
from tests.support.clients.authenticator import Authenticator, from_base64url, to_base64url

ORIGIN = "http://localhost:8888"
SITE = Site("localhost", frozenset({ORIGIN}))
CHALLENGE = b"a challenge of ours"
HANDLE = "00" + "A" * 22


@pytest.fixture
def authenticator() -> Authenticator:
    """Make an honest authenticator."""
    return Authenticator(ORIGIN)


def registered(authenticator: Authenticator) -> dict[str, Any]:
    """Let it make a passkey, and return what the browser sends."""
    made = creation_options(SITE, user="ada", handle=HANDLE, challenge=CHALLENGE, known=[])
    return authenticator.make(made)


def new_passkey(authenticator: Authenticator) -> NewPasskey:
    """Let it make a passkey that is accepted."""
    made = check_registration(registered(authenticator), CHALLENGE, SITE)
    assert made is not None
    return made


def presented(authenticator: Authenticator, challenge: bytes = CHALLENGE) -> Presented:
    """Let it use its passkey, and return what the browser sends, parsed."""
    used = authenticator.use(request_options(SITE, challenge=challenge, known=[]))
    given = read_presented(used)
    assert given is not None
    return given


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:8888", "localhost"),
        ("LocalHost", "localhost"),
        ("app.example:443", "app.example"),
    ],
)
def test_a_site_is_a_host_name_with_the_origins_of_that_name(host: str, name: str) -> None:
    origins = [ORIGIN, "https://LOCALHOST", "https://app.example", "https://other.example"]
    site = site_of(host, origins)
    expected = {each for each in origins if each.lower().split("://")[1].split(":")[0] == name}
    assert site == Site(name, frozenset(expected))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8888", "[::1]:8888", "192.0.2.1"])
def test_an_address_is_no_site(host: str) -> None:
    assert site_of(host, [f"http://{host}"]) is None


def test_a_new_passkey_must_be_discoverable_verify_its_user_and_not_be_there_yet() -> None:
    options: Any = creation_options(
        SITE, user="ada", handle=HANDLE, challenge=CHALLENGE, known=["AAAA"]
    )
    wanted = options["authenticatorSelection"]
    assert (wanted["residentKey"], wanted["userVerification"]) == ("required", "required")
    assert [each["id"] for each in options["excludeCredentials"]] == ["AAAA"]
    assert options["timeout"] == LIFETIME_SECONDS * 1000
    assert from_base64url(options["user"]["id"]).decode() == HANDLE
    assert (options["rp"]["id"], options["user"]["name"]) == ("localhost", "ada")
    assert from_base64url(options["challenge"]) == CHALLENGE
    assert {each["alg"] for each in options["pubKeyCredParams"]} == {-8, -7, -257}


def test_a_passkey_must_verify_its_user_and_be_one_of_the_known() -> None:
    options: Any = request_options(SITE, challenge=CHALLENGE, known=["AAAA", "BBBB"])
    assert options["userVerification"] == "required"
    assert [each["id"] for each in options["allowCredentials"]] == ["AAAA", "BBBB"]
    assert (options["rpId"], options["timeout"]) == ("localhost", LIFETIME_SECONDS * 1000)
    assert request_options(SITE, challenge=CHALLENGE, known=[])["allowCredentials"] == []


def test_an_honest_new_passkey_is_accepted(authenticator: Authenticator) -> None:
    credential = registered(authenticator)
    assert registration_challenge(credential) == CHALLENGE
    made = check_registration(credential, CHALLENGE, SITE)
    assert made is not None
    assert (made.id, made.sign_count) == (authenticator.id, 0)
    assert made.public_key not in repr(made)


@pytest.mark.parametrize(
    "lie",
    [{"origin": "https://localhost"}, {"origin": "http://localhost:1"}, {"site": "example.org"},
     {"verifies": False}],
)  # fmt: skip
def test_a_new_passkey_of_another_page_site_or_nobody_is_refused(
    authenticator: Authenticator, lie: dict[str, Any]
) -> None:
    assert check_registration(registered(replace(authenticator, **lie)), CHALLENGE, SITE) is None


def test_a_new_passkey_for_another_challenge_is_refused(authenticator: Authenticator) -> None:
    assert check_registration(registered(authenticator), b"another", SITE) is None


def test_a_genuine_attestation_of_another_format_is_refused(authenticator: Authenticator) -> None:
    """As of a U2F key, whose certificate a parser would have to read."""
    credential = registered(authenticator)
    told = cbor2.loads(from_base64url(credential["response"]["attestationObject"]))
    hashed = hashlib.sha256(from_base64url(credential["response"]["clientDataJSON"])).digest()
    point = authenticator.key.public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )
    signed = b"\0" + told["authData"][:32] + hashed + from_base64url(authenticator.id) + point
    told["fmt"] = "fido-u2f"
    told["attStmt"] = {
        "sig": authenticator.key.sign(signed, ECDSA(SHA256())),
        "x5c": [certificate_of(authenticator)],
    }
    credential["response"]["attestationObject"] = to_base64url(cbor2.dumps(told))
    assert registration_challenge(credential) == CHALLENGE
    assert check_registration(credential, CHALLENGE, SITE) is None


def certificate_of(authenticator: Authenticator) -> bytes:
    """Return a certificate for an authenticator's key, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a key")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, authenticator.key.public_key(), 1, now, now)
    return made.sign(authenticator.key, SHA256()).public_bytes(Encoding.DER)


def test_an_honest_passkey_is_accepted_with_its_counter(authenticator: Authenticator) -> None:
    made = new_passkey(authenticator)
    given = presented(authenticator)
    assert (given.id, given.challenge, given.handle) == (made.id, CHALLENGE, HANDLE)
    assert check_signature(given, made.public_key, SITE) == 1
    authenticator.counter = 41
    assert check_signature(presented(authenticator), made.public_key, SITE) == 42


def test_a_passkey_that_does_not_count_is_accepted_with_0(authenticator: Authenticator) -> None:
    made = new_passkey(authenticator)
    authenticator.counts = False
    assert check_signature(presented(authenticator), made.public_key, SITE) == 0


@pytest.mark.parametrize(
    "lie",
    [{"origin": "https://localhost"}, {"site": "example.org"}, {"verifies": False}],
)
def test_a_passkey_of_another_page_site_or_nobody_is_refused(
    authenticator: Authenticator, lie: dict[str, Any]
) -> None:
    made = new_passkey(authenticator)
    given = presented(replace(authenticator, **lie))
    assert check_signature(given, made.public_key, SITE) is None


def test_a_signature_of_another_key_or_challenge_is_refused(authenticator: Authenticator) -> None:
    made = new_passkey(authenticator)
    given = presented(authenticator)
    other = new_passkey(Authenticator(ORIGIN))
    assert check_signature(given, other.public_key, SITE) is None
    assert check_signature(replace(given, challenge=b"another"), made.public_key, SITE) is None
    assert check_signature(given, "no key", SITE) is None


@pytest.mark.parametrize(
    "credential", [{}, {"id": 1}, {"id": "AAAA", "rawId": "AAAA", "response": {}}, {"id": None}]
)
def test_whatever_is_no_credential_is_refused(credential: Any) -> None:
    assert registration_challenge(credential) is None
    assert check_registration(credential, CHALLENGE, SITE) is None
    assert read_presented(credential) is None


def test_a_handle_that_is_no_text_of_ours_is_refused(authenticator: Authenticator) -> None:
    new_passkey(authenticator)
    authenticator.handle = to_base64url(b"\xff")
    used = authenticator.use(request_options(SITE, challenge=CHALLENGE, known=[]))
    assert read_presented(used) is None


def test_a_passkey_that_names_no_account_has_an_empty_handle(authenticator: Authenticator) -> None:
    new_passkey(authenticator)
    used = authenticator.use(request_options(SITE, challenge=CHALLENGE, known=[]))
    del used["response"]["userHandle"]
    given = read_presented(used)
    assert given is not None
    assert given.handle == ""
