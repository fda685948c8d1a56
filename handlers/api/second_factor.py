"""Proving a second factor: to sign in, and again later."""

from datetime import timedelta
from typing import NoReturn, cast

from handlers.api.views import session_view
from handlers.http.access import Access
from handlers.http.body import read_object
from handlers.http.factor_problems import (
    CHALLENGE_EXPIRED,
    PASSKEY_REFUSED,
    PASSKEYS_UNAVAILABLE,
    WRONG_CODE,
    WRONG_PASSKEY,
    WRONG_SECOND_FACTOR,
    second_factor_missing,
    second_factor_owed,
)
from handlers.http.problems import Problem, ProblemRaised, throttled
from handlers.http.proving import ProvingHandler
from server.accounts.second_factor_check import PasswordProof, Proof
from server.accounts.throttle import Attempt
from server.core.account import Account
from server.core.audit import AuditEvent
from server.core.factor_policy import Proved, TooManyTries, Wrong
from server.core.factors import Method
from server.core.session import Json
from server.crypto.passkeys import Site, site_of
from server.store.contract import Epochs

Credential = dict[str, Json]


class SecondFactor(ProvingHandler):
    """The acts themselves, shared by the API and the pages."""

    @property
    def possible_site(self) -> Site | None:
        """Where passkeys of this request's address are good; None if there can be none."""
        return site_of(self.request.host, self.application.origins)

    @property
    def site(self) -> Site:
        """The same.

        Raises:
            ProblemRaised: there can be none.
        """
        site = self.possible_site
        if site is None:
            raise ProblemRaised(PASSKEYS_UNAVAILABLE)
        return site

    async def require_no_more(self, account: Account, epochs: Epochs, attempt: Attempt) -> None:
        """Go on if the password was enough.

        Raises:
            ProblemRaised: it was not; tells how to go on.
        """
        if account.factors.enabled:
            await attempt.withdrawn()
            owing = PasswordProof(account.user, account.password_changes, epochs)
            challenge = self.services.proofs.challenge(owing)
            raise ProblemRaised(second_factor_owed(account.factors.methods, challenge))

    def owing(self, challenge: str) -> PasswordProof:
        """Whose password was proved.

        Raises:
            ProblemRaised: the challenge is none of ours, or too old.
        """
        owing = self.services.proofs.read_challenge(challenge)
        if owing is None:
            raise ProblemRaised(CHALLENGE_EXPIRED)
        return owing

    async def sign_in_by_code(self, challenge: str, code: str) -> None:
        """Begin a new session after the password.

        Raises:
            ProblemRaised: the code is wrong, there were too many, or the password must be proved
                again.
        """
        owing = self.owing(challenge)
        async with self.signing_in_by_code(owing.user) as attempt:
            proof = await self.services.proofs.prove_code(owing, code)
            await self._require_code(proof, attempt, WRONG_SECOND_FACTOR, CHALLENGE_EXPIRED)
            await attempt.succeeded()
        await self._sign_in(proof)

    async def sign_in_by_passkey(self, credential: Credential) -> None:
        """Begin a new session.

        Raises:
            ProblemRaised: unknown, removed, copied, or of a disabled account, all alike.
        """
        proof = await self.services.proofs.sign_in_by_passkey(self.site, credential)
        self._require(proof, PASSKEY_REFUSED)
        await self._sign_in(proof)

    async def require_code(self, account: Account, code: str, attempt: Attempt) -> None:
        """Go on if the account has no second factor, or its code is right.

        Args:
            account: whose password was right.
            code: as it was typed; empty if there was none.
            attempt: the try that this is part of.

        Raises:
            ProblemRaised: neither.
        """
        if not account.factors.enabled:
            return
        if not code:
            await attempt.withdrawn()
            raise ProblemRaised(second_factor_missing(account.factors.methods))
        owing = PasswordProof(account.user, account.password_changes)
        proof = await self.services.proofs.prove_code(owing, code)
        await self._require_code(proof, attempt, WRONG_CODE, WRONG_CODE)

    async def reauthenticate_by_passkey(self, credential: Credential) -> None:
        """Prove it in place of the password; the token changes at once.

        Raises:
            ProblemRaised: it is no passkey of this account.
        """
        proof = await self.services.proofs.reauthenticate_by_passkey(
            self.site, self.user, credential
        )
        self._require(proof, WRONG_PASSKEY)
        if self.live is not None:
            self.adopt(await self.services.sessions.elevate(self.live, two_factors=True))
            self.audit(AuditEvent.REAUTHENTICATED, factor=Method.PASSKEY.value)

    def finish_signed_in(self) -> None:
        """End the answer with the new session, as programs are told of it."""
        self.finish_json(
            {"session": session_view(self.session, self.rules), "csrf_token": self.csrf_token}
        )

    async def _sign_in(self, proof: Proof) -> None:
        owing = proof.owing or PasswordProof("", 0)
        signed_in = await self.services.sessions.sign_in(
            owing.user, owing.epochs, self.device, previous=self.live, two_factors=True
        )
        self.adopt(signed_in)
        self.audit(AuditEvent.LOGIN_SUCCESS, factor=_method(proof))

    async def _require_code(
        self, proof: Proof, attempt: Attempt, wrong: Problem, lapsed: Problem
    ) -> None:
        if isinstance(proof.outcome, Proved):
            if proof.outcome.method is Method.RECOVERY_CODE:
                user, left = _user(proof), proof.recovery_codes_left
                self.audit(AuditEvent.RECOVERY_CODE_USED, user, left=left)
            return
        if isinstance(proof.outcome, TooManyTries):
            await attempt.withdrawn()  # it was not looked at
        else:
            attempt.failed()
        self._refuse(proof, wrong, lapsed)

    def _require(self, proof: Proof, wrong: Problem) -> None:
        if not isinstance(proof.outcome, Proved):
            self._refuse(proof, wrong, wrong)

    def _refuse(self, proof: Proof, wrong: Problem, lapsed: Problem) -> NoReturn:
        """Remember why, and tell no more than must be told."""
        match proof.outcome:
            case TooManyTries(wait):
                self.audit(AuditEvent.LOGIN_THROTTLED, _user(proof), by="codes", seconds=wait)
                raise ProblemRaised(throttled(timedelta(seconds=wait)))
            case Wrong(flaw):
                self.audit(AuditEvent.SECOND_FACTOR_FAIL, _user(proof), why=flaw.value)
                raise ProblemRaised(wrong)
            case _:
                self.audit(AuditEvent.SECOND_FACTOR_FAIL, _user(proof), why="lapsed")
                raise ProblemRaised(lapsed)


class LoginSecondFactor(SecondFactor):
    """`POST /api/login/second-factor`"""

    access = Access.PUBLIC
    before_second_factor = True

    async def post(self) -> None:
        body = read_object(self.request, {"challenge": str, "code": str})
        await self.sign_in_by_code(str(body["challenge"]), str(body["code"]))
        self.finish_signed_in()


class LoginPasskeyOptions(SecondFactor):
    """`POST /api/login/passkey/options`"""

    access = Access.PUBLIC
    before_second_factor = True

    async def post(self) -> None:
        body = read_object(self.request, {}, {"challenge": str})
        owing = self.owing(str(body["challenge"])) if "challenge" in body else None
        self.finish_json(await self.services.proofs.sign_in_options(self.site, owing))


class LoginPasskey(SecondFactor):
    """`POST /api/login/passkey`"""

    access = Access.PUBLIC
    before_second_factor = True

    async def post(self) -> None:
        body = read_object(self.request, {"credential": dict})
        await self.sign_in_by_passkey(cast("Credential", body["credential"]))
        self.finish_signed_in()


class ReauthenticatePasskeyOptions(SecondFactor):
    """`POST /api/session/reauthenticate/passkey/options`"""

    before_second_factor = True

    async def post(self) -> None:
        site = self.site
        self.finish_json(await self.services.proofs.reauthenticate_options(site, self.user))


class ReauthenticatePasskey(SecondFactor):
    """`POST /api/session/reauthenticate/passkey`"""

    before_second_factor = True

    async def post(self) -> None:
        body = read_object(self.request, {"credential": dict})
        await self.reauthenticate_by_passkey(cast("Credential", body["credential"]))
        self.finish_json({"session": session_view(self.session, self.rules)})


def _method(proof: Proof) -> str:
    return proof.outcome.method.value if isinstance(proof.outcome, Proved) else ""


def _user(proof: Proof) -> str:
    return proof.owing.user if proof.owing else ""
