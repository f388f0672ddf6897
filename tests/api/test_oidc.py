"""Whose ID token is believed: every claim and every signature that does not hold is refused (Core 1.0, 3.1.3.7)."""

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from api.oidc import WordRefused, code_challenge, verified_subject
from settings import OidcProvider

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
INSTANT = int(NOW.timestamp())
PROVIDER = OidcProvider(name="union", organisation="Sông Lam", issuer="https://login.test", client_id="legation")
KEY = RSAKey.generate_key(2048, {"kid": "k-1"})
OTHER = RSAKey.generate_key(2048, {"kid": "k-1"})
CURVE = ECKey.generate_key("P-256", {"kid": "k-2"})
KEYS = {
    "keys": [
        {"kty": "unheard-of", "kid": "k-0"},
        KEY.as_dict(private=False),
        CURVE.as_dict(private=False),
    ]
}
CLAIMS = {
    "iss": "https://login.test",
    "aud": "legation",
    "sub": "s-1",
    "exp": INSTANT + 300,
    "iat": INSTANT,
    "nonce": "n-1",
}


def said(claims: dict[str, Any], *, key: Any = KEY, alg: str = "RS256", kid: str = "k-1") -> str:
    """An ID token with these claims; a claim that is None is left out."""
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": kid}, present, key, algorithms=[alg])


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"aud": ["legation"]},
        {"aud": ["legation", "other"], "azp": "legation"},
        {"azp": "legation"},
        {"exp": INSTANT - 59},
        {"email": "hung@songlam.example", "email_verified": False},
    ],
)
def test_a_token_that_holds_names_its_subject(more: dict[str, Any]) -> None:
    """Signed by RSA or on a curve; a provider's clock may be a minute off."""
    assert verified_subject(said(CLAIMS | more), KEYS, PROVIDER, "n-1", NOW) == "s-1"
    curved = said(CLAIMS | more, key=CURVE, alg="ES256", kid="k-2")
    assert verified_subject(curved, KEYS, PROVIDER, "n-1", NOW) == "s-1"


@pytest.mark.parametrize(
    "more",
    [
        {"iss": "https://login.test/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": ["legation", "other"]},
        {"aud": ["legation", "other"], "azp": "other"},
        {"azp": "other"},
        {"aud": None},
        {"exp": INSTANT - 61},
        {"exp": None},
        {"iat": None},
        {"iat": INSTANT + 61},
        {"nbf": INSTANT + 61},
        {"nonce": "n-2"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
    ],
)
def test_a_claim_that_is_wrong_or_missing_is_refused(more: dict[str, Any]) -> None:
    """Each alone."""
    with pytest.raises(WordRefused):
        verified_subject(said(CLAIMS | more), KEYS, PROVIDER, "n-1", NOW)


def test_a_token_that_another_key_or_a_shared_secret_signed_is_refused() -> None:
    """Also when it is the public key that serves as the secret, or nothing signed it at all."""
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256", "kid": "k-1"}, CLAIMS)
    )
    mac = hmac.digest(KEY.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    by_public_key = f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    none = f"{base64.urlsafe_b64encode(json.dumps({'alg': 'none'}).encode()).decode().rstrip('=')}.{body}."
    for token in (
        said(CLAIMS, key=OTHER),
        by_public_key,
        said(CLAIMS, kid="k-9"),
        none,
        said(CLAIMS)[:-4] + "AAAA",
        "",
        "a.b.c",
        "é",
    ):
        with pytest.raises(WordRefused):
            verified_subject(token, KEYS, PROVIDER, "n-1", NOW)
    with pytest.raises(WordRefused):
        verified_subject(said(CLAIMS), {"keys": []}, PROVIDER, "n-1", NOW)


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("issuer", ["http://login.test", "ftp://login.test", "login.test", "https://"])
def test_an_issuer_without_tls_is_refused_as_a_setting(issuer: str) -> None:
    """Except on this machine."""
    with pytest.raises(ValueError, match="https"):
        OidcProvider(name="union", organisation="x", issuer=issuer, client_id="legation")
    here = OidcProvider(name="union", organisation="x", issuer="http://localhost:9", client_id="legation")
    assert here.issuer == "http://localhost:9"
