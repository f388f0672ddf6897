"""Asking the API, in somebody's name: every answer that is no success becomes one refusal in plain words.

What changes something carries an Idempotency-Key of this invocation, and is sent again under the same key when the
connection breaks or the API says that it is not possible at the moment: it happens once.
"""

import os
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, Self
from uuid import uuid4

import httpx2

from locales import Translator, mark
from settings import PREFIX, Settings
from verbs.language import translator_of
from verbs.own_token import own_token
from verbs.refusal import Refusal
from verbs.running import running

ADDRESS = f"{PREFIX}API_URL"
"""The variable that names an API elsewhere; without it the one of the data folder's own stack is asked."""

PATIENCE = 35.0
"""Seconds to wait for an answer: a little longer than the API itself waits for a decision."""

LONG_PATIENCE = 600.0
"""Seconds to wait for a file that is put together when it is asked for."""

PAUSES = (0.3, 1.0, 2.0, 4.0)
"""Seconds before each further attempt."""

LONGEST_PAUSE = 10.0

Fields = list[dict[str, Any]]


class ProblemRefusal(Refusal):
    """A problem (RFC 9457) as the API worded it; `fields` are its errors: field, rule, message, index."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail") or problem.get("title") or status)
        self.fields: Fields = list(problem.get("errors", []))
        lines = (_field_line(error, self.detail) for error in self.fields)
        super().__init__("%(said)s", said="\n".join([self.detail, *(f"  {line}" for line in lines if line)]))


def _field_line(error: Mapping[str, Any], detail: str) -> str:
    """Where something is wrong, and what, unless the detail has just said it; nothing if the detail says it all."""
    index, field = error.get("index"), str(error.get("field", ""))
    place = ".".join(part for part in ("" if index is None else f"commands[{index}]", field) if part)
    message = str(error.get("message", ""))
    if message == detail:
        return "" if index is None else place
    return ": ".join(part for part in (place, message) if part)


class Api:
    """One invocation's way to the API; use it as a context."""

    def __init__(self, address: str, token: str, translator: Translator) -> None:
        """`address` is where the API answers, without its path; what it says comes in the translator's language."""
        self.address = address
        self._key, self._sent = uuid4().hex, 0
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": translator.language}
        self._client = httpx2.Client(
            base_url=f"{address}/api/v1", headers=headers, timeout=httpx2.Timeout(PATIENCE, connect=5.0)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return what stands at an address; parameters that are None are left out."""
        return self._ask("GET", path, params=_said(query)).json()

    def text(self, path: str, **query: Any) -> str:
        """Return the page of plain text that stands at an address."""
        return self._ask("GET", path, params=_said(query)).text

    def download(self, path: str, **query: Any) -> bytes:
        """Return what stands at an address as it is."""
        return self._ask("GET", path, params=_said(query)).content

    def post(self, path: str, body: Any) -> Any:
        """Send a body and return the answer."""
        return self._ask("POST", path, json=body, headers=self._next_key()).json()

    def put(self, path: str, body: Any) -> Any:
        """Put a body in the place of what stands at an address, and return the answer."""
        return self._ask("PUT", path, json=body, headers=self._next_key()).json()

    def delete(self, path: str) -> None:
        """Remove what stands at an address."""
        self._ask("DELETE", path, headers=self._next_key())

    def fetch(self, path: str, into: BinaryIO) -> None:
        """Write what stands at an address into a file, a piece in memory at a time; it may be long in the making."""
        with self._client.stream("GET", path, timeout=httpx2.Timeout(LONG_PATIENCE, connect=5.0)) as response:
            if not response.is_success:
                response.read()
                _refuse(response)
            for piece in response.iter_bytes():
                into.write(piece)

    def upload(self, content: bytes) -> Any:
        """Keep a file, and return the reference that a command carries."""
        return self.post_file("/attachments", content)

    def post_file(self, path: str, content: bytes) -> Any:
        """Send a file as it is and return the answer."""
        return self._ask("POST", path, content=content, headers=self._next_key()).json()

    def write(self, delegation: str, text: str) -> Any:
        """Keep a text under a delegation's file, and return the reference that a command carries."""
        return self.post(f"/delegations/{delegation}/texts", {"text": text})

    def send(self, delegation: str, *commands: dict[str, Any]) -> Any:
        """Send commands, decided as one, and return their receipt."""
        body = commands[0] if len(commands) == 1 else {"commands": commands}
        return self.post(f"/delegations/{delegation}/commands", body)

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield the items of every page from here on."""
        cursor: str | None = query.pop("cursor", None)
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def events(self, delegation: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Yield a delegation's sealed events in order."""
        position: int | None = after
        while position is not None:
            page = self.get(f"/delegations/{delegation}/events", after=position, limit=1000)
            yield from page["items"]
            position = page["next_after"]

    def follow(self, delegation: str, after: int) -> Iterator[dict[str, Any]]:
        """Yield sealed events as they happen, for ever: a stream that ends is asked for again, where it ended."""
        while True:
            try:
                path = f"/delegations/{delegation}/stream"
                # Comments keep an idle stream alive, so silence is a lost connection.
                with self._client.stream("GET", path, params={"after": after}, timeout=PATIENCE) as stream:
                    if stream.is_error and stream.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                        stream.read()
                        _refuse(stream)
                    for event in httpx2.EventSource(stream):
                        if event.data:
                            found: Any = event.json()
                            yield found
                            after = found["seq"]
            except httpx2.TransportError:
                pass
            time.sleep(1)

    def _next_key(self) -> dict[str, str]:
        self._sent += 1
        return {"Idempotency-Key": f"{self._key}-{self._sent}"}

    def _ask(self, method: str, path: str, **request: Any) -> httpx2.Response:
        for pause in PAUSES:
            try:
                response = self._client.request(method, path, **request)
            except httpx2.TransportError:
                time.sleep(pause)
                continue
            if response.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                return _answered(response)
            time.sleep(_asked_pause(response, pause))
        try:
            return _answered(self._client.request(method, path, **request))
        except httpx2.TransportError as broken:
            raise Refusal(mark("Legation does not answer at %(address)s."), address=self.address) from broken


def _said(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _asked_pause(response: httpx2.Response, pause: float) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_PAUSE) if asked.isdigit() else pause


def _answered(response: httpx2.Response) -> httpx2.Response:
    if not response.is_success:
        _refuse(response)
    return response


def _refuse(response: httpx2.Response) -> NoReturn:
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "status" not in problem:
        raise Refusal(
            mark("What answers at %(address)s is not Legation (HTTP %(status)s)."),
            address=f"{response.url.scheme}://{response.url.netloc.decode()}",
            status=response.status_code,
        )
    raise ProblemRefusal(response.status_code, problem)


def api_of(settings: Settings) -> Api:
    """The API to ask, in the name of this command's own token. Refuses when there is none of either."""
    named = os.environ.get(ADDRESS, "").strip().rstrip("/")
    return Api(named or running(settings).api_url, own_token(settings), translator_of(settings))
