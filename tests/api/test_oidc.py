"""Whose ID token is believed: every claim and every signature that does not hold is refused (Core 1.0, 3.1.3.7)."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr

from api import oidc
from api.oidc import Providers, ProviderUnavailable, Vouched, WordRefused, code_challenge, verified
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
    assert verified(said(CLAIMS | more), KEYS, PROVIDER, "n-1", NOW).subject == "s-1"
    curved = said(CLAIMS | more, key=CURVE, alg="ES256", kid="k-2")
    assert verified(curved, KEYS, PROVIDER, "n-1", NOW).subject == "s-1"


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
        {"auth_time": "yesterday"},
        {"auth_time": INSTANT + 61},
        {"auth_time": 10**30},
    ],
)
def test_a_claim_that_is_wrong_or_missing_is_refused(more: dict[str, Any]) -> None:
    """Each alone."""
    with pytest.raises(WordRefused):
        verified(said(CLAIMS | more), KEYS, PROVIDER, "n-1", NOW)


def test_a_token_says_when_its_subject_showed_themselves() -> None:
    """Or nothing of it: then nobody knows."""
    claims = CLAIMS | {"auth_time": INSTANT - 3600}
    assert verified(said(claims), KEYS, PROVIDER, "n-1", NOW).at == NOW - timedelta(hours=1)
    assert verified(said(CLAIMS), KEYS, PROVIDER, "n-1", NOW).at is None


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
            verified(token, KEYS, PROVIDER, "n-1", NOW)
    with pytest.raises(WordRefused):
        verified(said(CLAIMS), {"keys": []}, PROVIDER, "n-1", NOW)


def test_the_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class Provider:
    """What a provider would answer; `asked` is what its token endpoint got."""

    def __init__(self, **metadata: Any) -> None:
        self.metadata = {
            "issuer": "https://login.test",
            "authorization_endpoint": "https://login.test/authorize?tenant=1",
            "token_endpoint": "https://login.test/token",
            "jwks_uri": "https://login.test/keys",
        } | metadata
        self.asked: dict[str, str] = {}
        self.authorization: str | None = None
        self.nonce = "n-1"

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request."""
        match request.url.path:
            case "/.well-known/openid-configuration":
                return httpx2.Response(200, json=self.metadata)
            case "/keys":
                return httpx2.Response(200, json=KEYS)
            case "/token":
                self.asked = dict(parse_qsl(request.content.decode()))
                self.authorization = request.headers.get("authorization")
                return httpx2.Response(200, json={"id_token": said(CLAIMS | {"nonce": self.nonce})})
            case "/large":
                return httpx2.Response(200, content=b'{"a":"' + b"x" * 600_000 + b'"}')
            case "/moved":
                return httpx2.Response(302, headers={"Location": "http://169.254.169.254/"})
            case "/refused":
                return httpx2.Response(400, json={"error": "invalid_grant"})
            case _:
                return httpx2.Response(500, content=b"<html>")


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Provider], Providers]:
    """Puts a provider behind the address `https://login.test`."""

    def put(provider: Provider) -> Providers:
        transport = httpx2.MockTransport(provider)
        monkeypatch.setattr(oidc, "_client", lambda: httpx2.AsyncClient(transport=transport))
        return Providers([PROVIDER], "https://legation.test")

    return put


async def test_the_code_is_exchanged_with_the_verifier_of_the_challenge(
    answering: Callable[[Provider], Providers],
) -> None:
    """Whoever steals the code alone has nothing (RFC 7636); state, nonce and verifier are new each time."""
    provider = Provider()
    providers = answering(provider)
    begun = await providers.begin(PROVIDER, timedelta(hours=12))
    sent = dict(parse_qsl(urlsplit(begun.location).query))
    assert begun.location.startswith("https://login.test/authorize?tenant=1&")
    assert (sent["state"], sent["nonce"]) == (begun.state, begun.nonce)
    assert sent["code_challenge"] == code_challenge(begun.verifier)
    provider.nonce = begun.nonce
    assert await providers.vouched(PROVIDER, "c-1", begun.verifier, begun.nonce, NOW) == Vouched("s-1", None)
    assert provider.asked == {
        "grant_type": "authorization_code",
        "code": "c-1",
        "code_verifier": begun.verifier,
        "redirect_uri": "https://legation.test/api/v1/session/oidc/callback",
        "client_id": "legation",
    }
    assert (
        len({begun.state, begun.nonce, begun.verifier, (await providers.begin(PROVIDER, timedelta(hours=12))).state})
        == 4
    )


@pytest.mark.parametrize(
    ("methods", "authorization", "secret"),
    [
        (None, "Basic bGVnYXRpb246cyUyNmNyZXQ=", None),
        (["client_secret_post"], None, "s&cret"),
    ],
)
async def test_a_secret_goes_where_the_provider_wants_it(
    answering: Callable[[Provider], Providers],
    methods: list[str] | None,
    authorization: str | None,
    secret: str | None,
) -> None:
    """In a header, unless it takes it in the form alone (RFC 6749 section 2.3.1)."""
    provider = Provider(**({} if methods is None else {"token_endpoint_auth_methods_supported": methods}))
    providers = answering(provider)
    known = PROVIDER.model_copy(update={"client_secret": SecretStr("s&cret")})
    await providers.vouched(known, "c-1", "v", "n-1", NOW)
    assert (provider.authorization, provider.asked.get("client_secret")) == (authorization, secret)


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"issuer": "https://evil.test"}, ProviderUnavailable),
        ({"token_endpoint": "http://login.test/token"}, ProviderUnavailable),
        ({"jwks_uri": "file:///etc/passwd"}, ProviderUnavailable),
        ({"jwks_uri": None}, ProviderUnavailable),
        ({"token_endpoint": "https://login.test/broken"}, ProviderUnavailable),
        ({"token_endpoint": "https://login.test/large"}, ProviderUnavailable),
        ({"token_endpoint": "https://login.test/moved"}, ProviderUnavailable),
        ({"jwks_uri": "https://login.test/moved"}, ProviderUnavailable),
        ({"token_endpoint": "https://login.test/refused"}, WordRefused),
        ({"token_endpoint": "https://login.test/keys"}, WordRefused),
    ],
)
async def test_a_provider_that_does_not_keep_to_the_standard_is_not_believed(
    answering: Callable[[Provider], Providers], metadata: dict[str, Any], error: type[Exception]
) -> None:
    """Another issuer, an address without TLS, a redirect, an answer without end; nothing of it is followed."""
    providers = answering(Provider(**metadata))
    with pytest.raises(error):
        await providers.vouched(PROVIDER, "c-1", "v", "n-1", NOW)


@pytest.mark.parametrize("issuer", ["http://login.test", "ftp://login.test", "login.test", "https://"])
def test_an_issuer_without_tls_is_refused_as_a_setting(issuer: str) -> None:
    """Except on this machine."""
    with pytest.raises(ValueError, match="https"):
        OidcProvider(name="union", organisation="x", issuer=issuer, client_id="legation")
    here = OidcProvider(name="union", organisation="x", issuer="http://localhost:9", client_id="legation")
    assert here.issuer == "http://localhost:9"
