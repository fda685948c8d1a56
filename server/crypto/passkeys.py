"""Passkeys: the checks of WebAuthn 7.1 and 7.2, done by Duo's `webauthn`.

A passkey must be discoverable and must verify its user (PIN or biometrics), so that it counts as
both factors. The data that it signs contains its challenge. Data from a browser is untrusted: if
anything is wrong with it, the functions here return None.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, TypeVar

import webauthn
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json_dict,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from server.core.session import Json
from server.crypto.challenges import LIFETIME_SECONDS

log = logging.getLogger("curfew.passkeys")

Found = TypeVar("Found")

ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_FORMATS: Final = frozenset({AttestationFormat.NONE, AttestationFormat.PACKED})
"""The formats that a browser sends if no attestation is asked for (WebAuthn 5.4.7). Other formats
would feed untrusted data to parsers of certificates that are not needed."""


@dataclass(frozen=True, slots=True)
class Site:
    """The site that a passkey is valid for: one host name.

    Attributes:
        id: the relying party id.
        origins: the exact origins of the pages that may use its passkeys.
        name: of the application, which browsers may show.
    """

    id: str
    origins: frozenset[str]
    name: str = "Curfew"


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A new passkey, as an authenticator made it."""

    id: str
    public_key: str = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True)
class Presented:
    """What a browser sent to prove that somebody has a passkey. Nothing of it is checked yet.

    Attributes:
        id: the credential's id, base64url.
        handle: the handle of its account, as the authenticator says; empty if it names none.
        challenge: the challenge that it signed.
        credential: the whole credential.
    """

    id: str
    handle: str
    challenge: bytes = field(repr=False)
    credential: Mapping[str, Json] = field(repr=False)


def site_of(host: str, origins: Iterable[str], shown_as: str = "Curfew") -> Site | None:
    """Return the site of a host; None for an IP address, which browsers accept for no passkey.

    Args:
        host: the host of the request, with its port.
        origins: all allowed origins.
        shown_as: the application's name.
    """
    name = _name(host)
    if _is_address(name):
        return None
    ours = (origin for origin in origins if _name(origin.split("://", 1)[1]) == name)
    return Site(name, frozenset(ours), shown_as)


def creation_options(
    site: Site,
    *,
    user: str,
    handle: str,
    challenge: bytes,
    known: Iterable[str],
    shown_as: str = "",
) -> dict[str, Json]:
    """Return the argument for `PublicKeyCredential.parseCreationOptionsFromJSON`.

    Args:
        site: the site that the passkey will be valid for.
        user: the user name, which the authenticator shows.
        handle: names the account to the authenticator.
        challenge: the challenge to sign.
        known: ids of the user's passkeys; an authenticator that has one of them makes no other.
        shown_as: the user name as its owner spelled it, if that is another way.
    """
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=site.name,
        user_id=handle.encode("ascii"),
        user_name=user,
        user_display_name=shown_as or user,
        challenge=challenge,
        timeout=int(LIFETIME_SECONDS * 1000),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(known),
        supported_pub_key_algs=ALGORITHMS,
    )
    return dict(options_to_json_dict(options))


def request_options(site: Site, *, challenge: bytes, known: Iterable[str]) -> dict[str, Json]:
    """Return the argument for `PublicKeyCredential.parseRequestOptionsFromJSON`.

    Args:
        site: the site that the passkey must be valid for.
        challenge: the challenge to sign.
        known: ids of the user's passkeys; none if the user is not known yet.
    """
    options = webauthn.generate_authentication_options(
        rp_id=site.id,
        challenge=challenge,
        timeout=int(LIFETIME_SECONDS * 1000),
        allow_credentials=_descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options_to_json_dict(options))


def registration_challenge(credential: Mapping[str, Json]) -> bytes | None:
    """Return the challenge that a new passkey's registration names."""

    def read() -> bytes:
        parsed = parse_registration_credential_json(dict(credential))
        return parse_client_data_json(parsed.response.client_data_json).challenge

    return _read("new passkey", read)


def check_registration(
    credential: Mapping[str, Json], challenge: bytes, site: Site
) -> NewPasskey | None:
    """Return the new passkey if all checks of WebAuthn 7.1 pass.

    Args:
        credential: what the browser sent.
        challenge: the challenge that it must name; check first that it is one of ours.
        site: the site that the passkey must be valid for.
    """

    def read() -> NewPasskey | None:
        parsed = parse_registration_credential_json(dict(credential))
        if parse_attestation_object(parsed.response.attestation_object).fmt not in _FORMATS:
            return None
        made = webauthn.verify_registration_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=sorted(site.origins),
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
        return NewPasskey(
            bytes_to_base64url(made.credential_id),
            bytes_to_base64url(made.credential_public_key),
            made.sign_count,
        )

    return _read("new passkey", read)


def read_presented(credential: Mapping[str, Json]) -> Presented | None:
    """Parse what a browser sent to prove that somebody has a passkey."""

    def read() -> Presented:
        parsed = parse_authentication_credential_json(dict(credential))
        client_data = parse_client_data_json(parsed.response.client_data_json)
        handle = (parsed.response.user_handle or b"").decode("ascii")
        return Presented(parsed.id, handle, client_data.challenge, credential)

    return _read("passkey", read)


def check_signature(given: Presented, public_key: str, site: Site) -> int | None:
    """Return the passkey's counter if all checks of WebAuthn 7.2 pass, except that of the counter.

    Check first that the challenge is one of ours: here it counts as the expected one.
    """

    def read() -> int:
        return webauthn.verify_authentication_response(
            credential=dict(given.credential),
            expected_challenge=given.challenge,
            expected_rp_id=site.id,
            expected_origin=sorted(site.origins),
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=0,  # factor_policy judges the counter
            require_user_verification=True,
        ).new_sign_count

    return _read("passkey", read)


def _read(what: str, read: Callable[[], Found]) -> Found | None:
    """Return what `read` returns; log the kind of error and return None if it raises."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - another's parser, on untrusted data
        log.info("refused", extra={"what": what, "why": type(error).__name__})
        return None


def _descriptors(known: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known]


def _name(host: str) -> str:
    """Return a host without its port."""
    return host.lower().rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host.lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
