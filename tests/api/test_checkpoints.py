"""Checkpoints over HTTP: made on demand through the workflow, shown as they were signed, with proofs that hold."""

import json
from pathlib import Path

import pytest
from sqlalchemy import update

from audit.checkpoint import Checkpoint, Leaf, digest_of_checkpoint, key_id_of, leaf_hash_of, octets, verify_checkpoints
from audit.merkle import includes, is_consistent
from domain.canonical import canonical_json
from storage.checkpoint_rows import checkpoint_duties
from storage.checkpoints import Checkpoints
from storage.metadata import utc_now
from tests.api.conftest import Api, code
from tests.api.front import front

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def made(api: Api) -> Checkpoint:
    """A checkpoint that is made now."""
    answer = await api.ask("POST", "/checkpoints", by="root")
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "made"
    return Checkpoint.model_validate(answer.json()["checkpoint"])


async def trusted(api: Api) -> list[bytes]:
    """The public keys that the installation names."""
    keys = (await api.ask("GET", "/checkpoints/keys")).json()["items"]
    assert [(one["key_id"], one["newest"]) for one in keys] == [(key_id_of(octets(keys[0]["public_key"])), True)]
    return [octets(one["public_key"]) for one in keys]


async def test_whoever_asks_can_check_every_event_of_a_file_against_a_checkpoint(api: Api) -> None:
    """With nothing but what the addresses answer, and the hash functions."""
    await api.open()
    first = await made(api)
    await api.send({"type": "revise_request", "title": "Đoàn Hội hữu nghị Osaka"})
    second = await made(api)
    events = (await api.ask("GET", f"/delegations/{api.id}/events", by="an")).json()["items"]
    for event in events:
        answer = await api.ask("GET", f"/delegations/{api.id}/events/{event['seq']}/inclusion", by="an")
        said = answer.json()
        leaf = leaf_hash_of(Leaf(stream=api.id, seq=event["seq"], hash=event["hash"]))
        assert (said["stream"], said["seq"], said["leaf"]) == (api.id, event["seq"], leaf.hex())
        head = Checkpoint.model_validate(said["checkpoint"])
        assert head == second
        proof = [bytes.fromhex(one) for one in said["proof"]]
        assert includes(leaf, said["position"], head.size, proof, bytes.fromhex(head.root))
    path = f"/checkpoints/{second.number}/consistency"
    said = (await api.ask("GET", path, params={"from": first.number})).json()
    assert [Checkpoint.model_validate(said[name]) for name in ("first", "second")] == [first, second]
    before, after = (bytes.fromhex(one.root) for one in (first, second))
    assert is_consistent(first.size, second.size, before, after, [bytes.fromhex(one) for one in said["proof"]])
    listed = [Checkpoint.model_validate(one) for one in (await api.ask("GET", "/checkpoints")).json()["items"]]
    assert verify_checkpoints(listed, await trusted(api)) == second


async def test_a_checkpoint_is_shown_as_it_was_signed(api: Api) -> None:
    """Its canonical JSON has the digest that the next one names."""
    first, second = await made(api), await made(api)
    answer = await api.ask("GET", f"/checkpoints/{first.number}", by="hung")
    assert canonical_json(json.loads(answer.content)) == canonical_json(first.model_dump(exclude_none=True))
    assert digest_of_checkpoint(first) == second.prev
    page = (await api.ask("GET", "/checkpoints", params={"after": first.number - 1, "limit": 1})).json()
    assert ([one["number"] for one in page["items"]], page["next_after"]) == ([first.number], first.number)


async def test_that_one_was_asked_for_is_sealed_in_it(api: Api) -> None:
    """So there is always something new to seal."""
    one = await made(api)
    log = await api.here.registers.register_log.entries("checkpoints")
    assert (log[-1].type, log[-1].actor, log[-1].command_id) == ("checkpoint_asked", "root", str(one.number))
    span = await Checkpoints(api.here.registers.database).span_of("register:checkpoints", log[-1].seq)
    assert span is not None
    assert span.checkpoint == one.number


async def test_what_cannot_be_shown_or_proven_is_told_apart(api: Api) -> None:
    """No checkpoint, no event in it yet, the wrong order."""
    await api.open()
    one = await made(api)
    late = await api.send({"type": "revise_request", "title": "Đoàn Hội hữu nghị Nara"})
    inclusion = f"/delegations/{api.id}/events/%s/inclusion"
    for path, params, expected in (
        ("/checkpoints/99999", {}, (404, "checkpoint_unknown")),
        ("/checkpoints/99999/consistency", {"from": 1}, (404, "checkpoint_unknown")),
        (f"/checkpoints/{one.number}/consistency", {"from": 99999}, (404, "checkpoint_unknown")),
        (inclusion % late.json()["last_seq"], {}, (404, "event_in_no_checkpoint")),
        (inclusion % 1, {"checkpoint": 99999}, (404, "checkpoint_unknown")),
    ):
        assert code(await api.ask("GET", path, params=params)) == expected, path
    two = await made(api)
    backwards = await api.ask("GET", f"/checkpoints/{one.number}/consistency", params={"from": two.number})
    assert code(backwards) == (422, "checkpoint_later")


async def test_where_something_failed_is_for_those_who_watch(api: Api) -> None:
    """The stream may be a file that others do not reach. Health says that somebody has to look."""
    await made(api)
    kept = Checkpoints(api.here.registers.database)
    assert (await api.http.get("/health")).json()["parts"]["checkpoints"]["ready"]
    await kept.failed("sealing", "stream_cut", at=utc_now(), stream="d-secret", seq=4)
    try:
        for account, place in (("an", ("d-secret", 4)), ("root", ("d-secret", 4)), ("lan", (None, None))):
            duties = (await api.ask("GET", "/checkpoints", by=account)).json()["duties"]
            # Witnesses of other tests have duties of their own.
            [sealing] = [one for one in duties if one["duty"] == "sealing"]
            assert (sealing["failure"], sealing["stream"], sealing["seq"]) == ("stream_cut", *place)
        health = (await api.http.get("/health")).json()
        assert health["parts"]["checkpoints"] == {"ready": False, "detail": "none is signed: somebody has to look"}
        assert health["ready"]
    finally:
        await made(api)
    assert (await api.http.get("/health")).json()["parts"]["checkpoints"]["ready"]


async def test_health_tells_when_rounds_do_not_come_any_more(api: Api) -> None:
    """After three that were missed."""
    await made(api)
    long_ago = utc_now().replace(year=2020)
    async with api.here.registers.database.writing() as connection:
        await connection.execute(update(checkpoint_duties).values(done_at=long_ago))
    health = (await api.http.get("/health")).json()
    assert (health["ready"], health["parts"]["checkpoints"]["ready"]) == (True, False)
    await made(api)


@pytest.mark.slow
async def test_without_the_server_it_is_asked_for_all_the_same(tmp_path: Path) -> None:
    """Recorded, and left to the next round."""
    async with front(tmp_path) as at:
        root = at.browser()
        await root.sign_in("root")
        answer = await root.ask("POST", "/checkpoints", {})
        assert (answer.status_code, answer.json()) == (201, {"state": "waiting", "checkpoint": None})
        assert len(await at.at.register_log.entries("checkpoints")) == 1
