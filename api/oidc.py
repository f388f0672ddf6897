"""Asking a provider of OpenID Connect who somebody is: the code flow with PKCE, state and nonce (Core 1.0, RFC 7636).

Metadata and keys are asked for at each sign-in, so a provider may change its keys whenever it likes.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key
from pydantic import BaseModel, ValidationError

from settings import OidcProvider, is_safe

CALLBACK = "/api/v1/session/oidc/callback"
ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures of asymmetric keys alone: with a shared secret anybody who has it could vouch for anybody."""

PATIENCE = 10.0
LARGEST_ANSWER = 500_000
LEEWAY = 60
"""Seconds that a provider's clock may differ from ours."""


class ProviderUnavailable(Exception):
    """The provider does not answer, or not as the standard says. Its text names no value."""


class WordRefused(Exception):
    """What the provider said is no word to rely on: expired, for somebody else, or signed by nobody it names."""


class _Metadata(BaseModel):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


@dataclass(frozen=True)
class Begun:
    """A sign-in on its way: where the browser goes, and what has to come back with it."""

    location: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Vouched:
    """Whom a provider vouches for; `at` is when they last showed themselves there (UTC), if it says so."""

    subject: str
    at: datetime | None


class Providers:
    """The providers of an installation by name; each vouches for its own issuer's subjects alone."""

    def __init__(self, providers: Sequence[OidcProvider], origin: str) -> None:
        """`origin` is the address that people open: the provider sends them back there."""
        self.all = tuple(providers)
        self._redirect = origin + CALLBACK

    def named(self, name: str) -> OidcProvider | None:
        """Return a provider, or None."""
        return next((provider for provider in self.all if provider.name == name), None)

    async def begin(self, provider: OidcProvider, longest: timedelta, *, again: bool = False) -> Begun:
        """Return where to send somebody, with new secrets; raises ProviderUnavailable.

        The provider is asked to say when they last showed themselves, no longer than `longest` ago; `again`, to have
        them do it now (Core 1.0 section 3.1.2.1).
        """
        async with _client() as client:
            metadata = await _discovered(client, provider)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "scope": "openid",
            "client_id": provider.client_id,
            "redirect_uri": self._redirect,
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge(verifier),
            "code_challenge_method": "S256",
            "max_age": "0" if again else str(int(longest.total_seconds())),
        } | ({"prompt": "login"} if again else {})
        joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        return Begun(f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}", state, nonce, verifier)

    async def vouched(self, provider: OidcProvider, code: str, verifier: str, nonce: str, now: datetime) -> Vouched:
        """Return whom the provider vouches for in exchange for a code.

        Raises ProviderUnavailable, and WordRefused when the code is refused or the ID token does not hold.
        """
        async with _client() as client:
            metadata = await _discovered(client, provider)
            told = await self._exchanged(client, provider, metadata, code, verifier)
            keys = await _asked(client, client.build_request("GET", metadata.jwks_uri))
        return verified(str(told.get("id_token", "")), keys, provider, nonce, now)

    async def _exchanged(
        self, client: httpx2.AsyncClient, provider: OidcProvider, metadata: _Metadata, code: str, verifier: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": verifier,
        }
        headers = {}
        secret = provider.client_secret.get_secret_value() if provider.client_secret else None
        if secret is not None and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": provider.client_id} | ({} if secret is None else {"client_secret": secret})
        request = client.build_request("POST", metadata.token_endpoint, data=form, headers=headers)
        return await _asked(client, request)


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).decode().rstrip("=")


def verified(id_token: str, keys: Mapping[str, Any], provider: OidcProvider, nonce: str, now: datetime) -> Vouched:
    """Return whom an ID token vouches for (Core 1.0 section 3.1.3.7); raises WordRefused.

    `keys` is the provider's JSON Web Key Set.
    """
    claims_of = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(id_token, _key_set(keys), algorithms=ALGORITHMS).claims
        claims_of.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError, UnicodeError) as wrong:
        raise WordRefused("the ID token does not hold") from wrong
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else provider.client_id) != provider.client_id:
        raise WordRefused("the ID token was made for another client")
    try:
        shown = claims.get("auth_time")
        at = None if shown is None else datetime.fromtimestamp(int(shown), UTC)
    except (ValueError, TypeError, OverflowError, OSError) as wrong:
        raise WordRefused("the ID token has no time of the sign-in that could be read") from wrong
    if at is not None and at > now + timedelta(seconds=LEEWAY):
        raise WordRefused("the ID token tells of a sign-in to come")
    return Vouched(claims["sub"], at)


def _key_set(keys: Mapping[str, Any]) -> KeySet:
    usable = []
    for key in keys.get("keys", ()):
        try:
            usable.append(import_key(key))
        except (JoseError, ValueError, TypeError, KeyError):
            # A set may hold keys of kinds that only others use.
            continue
    return KeySet(usable)


async def _discovered(client: httpx2.AsyncClient, provider: OidcProvider) -> _Metadata:
    address = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        metadata = _Metadata.model_validate(await _asked(client, client.build_request("GET", address)))
    except (ValidationError, WordRefused):
        raise ProviderUnavailable("the metadata cannot be read") from None
    addresses = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
    if metadata.issuer != provider.issuer or not all(is_safe(one) for one in addresses):
        raise ProviderUnavailable("the metadata are another issuer's, or name an address without TLS")
    return metadata


async def _asked(client: httpx2.AsyncClient, request: httpx2.Request) -> Mapping[str, Any]:
    """Return the JSON object that answers a request; WordRefused for a 4xx, ProviderUnavailable for anything else."""
    try:
        response = await client.send(request, stream=True)
        try:
            content = b""
            async for part in response.aiter_bytes():
                content += part
                if len(content) > LARGEST_ANSWER:
                    raise ProviderUnavailable("the answer is too large")
        finally:
            await response.aclose()
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as away:
        raise ProviderUnavailable(type(away).__name__) from None
    if 400 <= response.status_code < 500:
        raise WordRefused("the provider refused the request")
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if response.status_code != 200 or not isinstance(answer, dict):
        raise ProviderUnavailable("the answer is no JSON object")
    return answer


def _client() -> httpx2.AsyncClient:
    # A redirect could lead inside this network, or off TLS.
    return httpx2.AsyncClient(timeout=PATIENCE, follow_redirects=False, headers={"Accept": "application/json"})
