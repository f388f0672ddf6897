"""The cookies of a session and of a sign-in under way, and what a request that carries one must show besides."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Self

import structlog
from fastapi import Request, Response

from api.problems import Problem
from settings import Settings

log = structlog.get_logger()

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"


@dataclass(frozen=True)
class Cookies:
    """`__Host-` cookies over TLS: one host, one path, no domain. On plain http on this machine browsers take neither.

    SameSite is Lax: somebody who follows a link in a mail arrives signed in; what changes anything has to show more.
    `origin` is the address that people open.
    """

    secure: bool
    origin: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the cookies of an installation."""
        return cls(settings.has_secure_cookies, settings.public_origin)

    @property
    def session(self) -> str:
        """The name of the cookie with a session's secret."""
        return f"{self._prefix}legation-session"

    @property
    def under_way(self) -> str:
        """The name of the cookie that ties a sign-in with another provider to the browser that began it."""
        return f"{self._prefix}legation-sign-in"

    @property
    def language(self) -> str:
        """The name of the cookie with the language that pages are read in."""
        return f"{self._prefix}legation-language"

    @property
    def _prefix(self) -> str:
        return "__Host-" if self.secure else ""

    def put(self, response: Response, name: str, secret: str, seconds: int) -> None:
        """Set a cookie that no script reads, for so many seconds."""
        response.set_cookie(name, secret, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax")

    def drop(self, response: Response, name: str) -> None:
        """Take a cookie away."""
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")

    def dropping(self, name: str) -> dict[str, str]:
        """Return the header that takes a cookie away, for an answer that is a problem."""
        response = Response()
        self.drop(response, name)
        return {"Set-Cookie": response.headers["set-cookie"]}

    def refuse_other_sites(self, request: Request, *, strictly: bool) -> None:
        """Refuse (`origin_refused`) a request that a page of another site made; safe methods pass.

        Browsers say so with every unsafe request. `strictly`: whoever says nothing is refused too; it is for requests
        that a cookie vouches for. A program that carries its own credentials need not say where it comes from.
        """
        if request.method in SAFE_METHODS:
            return
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        foreign = origin not in (None, self.origin) or site not in (None, "same-origin")
        if foreign or (strictly and origin is None and site is None):
            log.warning("origin_refused", request_id=request.scope["request_id"])
            raise Problem("origin_refused")

    def require_csrf_token(self, request: Request, secret: str, *, given: str | None = None) -> None:
        """Refuse (`csrf_token_refused`) an unsafe request that does not carry its session's own token.

        `given` is what a form carried; without one the header is asked.
        """
        if request.method in SAFE_METHODS:
            return
        shown = request.headers.get(CSRF_HEADER, "") if given is None else given
        if not hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), csrf_token(secret).encode()):
            log.warning("csrf_token_refused", request_id=request.scope["request_id"])
            raise Problem("csrf_token_refused")


def csrf_token(secret: str) -> str:
    """Return the token of a session, from its secret: bound to it, stored nowhere, and of no use for finding it."""
    mac = hmac.digest(secret.encode("utf-8", "surrogatepass"), b"legation csrf token", hashlib.sha256)
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
