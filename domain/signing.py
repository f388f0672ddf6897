"""What proves a sign-off: by which factor the signer was known, and a passkey's signature over the digest itself.

The challenge that a passkey signs is itself the statement: the canonical JSON of who is asked to do what to which
dossier. So a stranger needs the event and nothing else to see what was signed.
"""

import base64
import json
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from domain.canonical import canonical_json
from domain.values import Digest, Fact, Factor, Instant, Value, unsaid

SigningAct = Literal["sign_off", "return_step", "reject_step", "accept_report", "return_report"]
"""The commands that a passkey signs."""

REPORT = "report"
"""What stands in the place of a step where the report is signed."""

Proven = Literal["password", "passkey", "oidc", "token", "passkey_signature"]
"""How a sign-off is proven, in one word: by the factor of the sign-in or, best, by a passkey over the digest itself."""

NONCE_BYTES = 32


def _base64url(largest: int) -> StringConstraints:
    return StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=largest)


class PasskeySignature(Value):
    """A passkey's answer to the challenge (WebAuthn Level 2, section 5.2.2), each part in base64url without padding.

    `client_data` is `clientDataJSON`. `public_key` (COSE) is entered by the server from its register, whatever a caller
    sends.
    """

    credential: Annotated[str, _base64url(1400)]
    client_data: Annotated[str, _base64url(4096)]
    authenticator_data: Annotated[str, _base64url(4096)]
    signature: Annotated[str, _base64url(1400)]
    public_key: Annotated[str, _base64url(2048)] | None = Field(default=None, exclude_if=unsaid)


class Proof(Fact):
    """By what the signer was known: the factor of the sign-in and its time (of the wall, UTC), and the signature."""

    factor: Factor
    factor_at: Instant
    signature: PasskeySignature | None = Field(default=None, exclude_if=unsaid)

    @property
    def word(self) -> Proven:
        """The proof in one word."""
        return "passkey_signature" if self.signature else self.factor


class Statement(Fact):
    """What a challenge says: this act, on this step of this delegation, on the dossier or report of this digest."""

    act: SigningAct
    delegation: str
    step: str
    digest: Digest

    def challenge(self, nonce: str) -> bytes:
        """Return the challenge (RFC 8785); `nonce` is base64url and makes it one that nobody saw before."""
        return canonical_json(self.model_dump() | {"nonce": nonce})

    def made(self, signature: PasskeySignature) -> bool:
        """Whether the device was asked for exactly this. Whether the signature holds is not looked at."""
        challenge = challenge_of(signature)
        nonce = nonce_of(challenge) if challenge else None
        return nonce is not None and challenge == self.challenge(nonce)


def challenge_of(signature: PasskeySignature) -> bytes | None:
    """Return the challenge in a signature's client data, or None where it is none for signing in with."""
    try:
        said = json.loads(octets(signature.client_data))
        if said["type"] != "webauthn.get":
            return None
        return octets(said["challenge"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def nonce_of(challenge: bytes) -> str | None:
    """Return the nonce of a challenge, or None where it is no statement."""
    try:
        said: Any = json.loads(challenge)
        nonce = said["nonce"]
        return nonce if isinstance(nonce, str) and len(octets(nonce)) == NONCE_BYTES else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def octets(text: str) -> bytes:
    """Return the octets of base64url without padding; refuses with ValueError what is not."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
