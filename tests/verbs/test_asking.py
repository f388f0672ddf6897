"""What changes something is sent again under the same key; what is refused is said in plain words."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from embedded.ports import HOST, free_ports
from locales import translator
from verbs import asking
from verbs.asking import Api, ProblemRefusal
from verbs.refusal import Refusal

Answer = tuple[int, dict[str, Any]]
BREAK: Answer = (0, {})
"""An answer that never comes: the connection is closed."""


class Seen(list[tuple[str, str, Any]]):
    """(path, Idempotency-Key, body) of every request."""


@contextmanager
def serving(answer: Callable[[int], Answer]) -> Iterator[tuple[str, Seen]]:
    """A real HTTP server on a free port; `answer` gets the number of the request, from 1."""
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, self.headers["Idempotency-Key"], body))
            status, document = answer(len(seen))
            if not status:
                self.close_connection = True
                return
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if status == 503:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSES", (0.0, 0.0, 0.0))


def api(address: str) -> Api:
    return Api(address, "lgt_secret", translator("en"))


UNAVAILABLE: Answer = (503, {"status": 503, "code": "engine_unavailable", "detail": "Not now."})
RECEIPT: Answer = (200, {"delegation": "d-1"})


def test_a_command_is_sent_again_under_the_same_key_until_it_is_answered() -> None:
    """Once without an answer, once refused for the moment: the API knows by the key that it is one command."""
    answers = [BREAK, UNAVAILABLE, RECEIPT]
    with serving(lambda number: answers[number - 1]) as (address, seen), api(address) as client:
        assert client.send("d-1", {"type": "submit_request"}) == {"delegation": "d-1"}
    assert [(path, body) for path, _, body in seen] == [
        ("/api/v1/delegations/d-1/commands", {"type": "submit_request"})
    ] * 3
    assert len({key for _, key, _ in seen}) == 1


def test_each_request_of_an_invocation_has_a_key_of_its_own() -> None:
    with serving(lambda number: RECEIPT) as (address, seen), api(address) as client:
        client.write("d-1", "Thiếu hộ chiếu")
        client.write("d-1", "Thiếu hộ chiếu")
    assert len({key for _, key, _ in seen}) == 2


def test_several_commands_are_one_batch() -> None:
    with serving(lambda number: RECEIPT) as (address, seen), api(address) as client:
        client.send("d-1", {"type": "submit_request"}, {"type": "publish_programme"})
    assert seen[0][2] == {"commands": [{"type": "submit_request"}, {"type": "publish_programme"}]}


def test_it_gives_up_on_what_stays_impossible_and_says_why() -> None:
    with (
        serving(lambda number: UNAVAILABLE) as (address, seen),
        api(address) as client,
        pytest.raises(ProblemRefusal) as refused,
    ):
        client.send("d-1", {"type": "submit_request"})
    assert str(refused.value) == "Not now."
    assert len(seen) == 4


def test_a_problem_is_told_with_its_fields() -> None:
    """What the detail has said is not said twice; and a refusal is final, it is not asked for again."""
    errors = [
        {"field": "member_id", "rule": "member_exists", "message": "There is somebody.", "index": 3},
        {"field": "country", "rule": "malformed", "message": "This does not have the form it must have."},
    ]
    problem = (409, {"status": 409, "code": "member_exists", "detail": "There is somebody.", "errors": errors})
    with (
        serving(lambda number: problem) as (address, seen),
        api(address) as client,
        pytest.raises(ProblemRefusal) as refused,
    ):
        client.send("d-1", {"type": "submit_request"})
    assert str(refused.value) == (
        "There is somebody.\n  commands[3].member_id\n  country: This does not have the form it must have."
    )
    assert len(seen) == 1


def test_something_else_on_the_port_is_not_taken_for_legation() -> None:
    with (
        serving(lambda number: (404, {"oops": True})) as (address, _),
        api(address) as client,
        pytest.raises(Refusal) as refused,
    ):
        client.send("d-1", {"type": "submit_request"})
    assert str(refused.value) == f"What answers at {address} is not Legation (HTTP 404)."


def test_nobody_there_is_said_with_the_address() -> None:
    address = f"http://{HOST}:{free_ports(1)[0]}"
    with api(address) as client, pytest.raises(Refusal) as refused:
        client.get("/delegations")
    assert str(refused.value) == f"Legation does not answer at {address}."
